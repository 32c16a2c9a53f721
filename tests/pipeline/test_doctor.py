"""What the doctor says of a machine that lacks something."""

from dataclasses import replace
from pathlib import Path

import pytest

from mastershot.core.errors import EncoderError, MastershotError
from mastershot.encoders.catalogue import EncoderAvailability, available_encoders
from mastershot.pipeline import doctor
from mastershot.pipeline.doctor import EncoderFinding, Findings, examine

FINDINGS = Findings(
    version="1.0", python="3.11", system="Linux x86_64", num_cores=4, gpu=None,
    packages={"av": "16.0"}, encoders=(EncoderFinding("clip", "image and text", False),),
    decode_fps=1234.5, shots_fps=999.4, encode_fps=None, problems=("one is broken",),
)  # fmt: skip


def available(*, here: bool) -> tuple[EncoderAvailability, ...]:
    return tuple(replace(found, folder=Path() if here else None) for found in available_encoders())


@pytest.fixture(autouse=True)
def no_film(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw a film of a few small frames, since the speed is not looked at."""
    plan = doctor.plan_film
    small = doctor.Picture(width_px=64, height_px=48)
    monkeypatch.setattr(doctor, "plan_film", lambda *_, **__: plan(1, 1, picture=small, seed=0))


def test_the_lines_say_what_is_missing_and_end_with_the_problems() -> None:
    lines = list(FINDINGS.lines())
    assert "4 cores · GPU: none that torch can use" in lines
    assert lines[-4:] == [
        "  decoding                 1,234 frames/s",
        "  decoding + shots         999 frames/s",
        "  encoding, starter        no weights here",
        "PROBLEM: one is broken",
    ]
    assert [line.split("—")[1] for line in lines if "clip" in line] == [" not here"]
    better = replace(FINDINGS, gpu="H200", encode_fps=56.7, problems=())
    assert list(better.lines())[-1] == "  encoding, starter        57 frames/s"
    assert "4 cores · GPU: H200" in better.lines()


def test_missing_packages_are_named_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_PACKAGES", ("numpy", "no-such-one", "nor-this"))
    with pytest.raises(MastershotError, match=r"^no-such-one, nor-this is not installed; install"):
        examine()


def test_an_encoder_that_is_broken_is_a_problem_and_the_rest_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(name: str) -> None:
        raise EncoderError(f"{name} is damaged")

    monkeypatch.setattr(doctor, "load_encoder", broken)
    monkeypatch.setattr(doctor, "available_encoders", lambda: available(here=True))
    found = examine()
    assert (found.encode_fps, found.problems) == (None, ("starter is damaged",))
    assert found.decode_fps > 0
    assert found.shots_fps > 0
    assert all(encoder.available for encoder in found.encoders)


def test_an_encoder_that_is_not_here_is_neither_loaded_nor_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor, "load_encoder", None)
    monkeypatch.setattr(doctor, "available_encoders", lambda: available(here=False))
    found = examine()
    assert (found.encode_fps, found.problems) == (None, ())
    assert not any(encoder.available for encoder in found.encoders)
