"""Marks of films that are encoded and decoded, end to end, and when they are found anew."""

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from tests.factories.marks import bars, flat, grained, letterboxed, rolling, scene
from tests.factories.reels import write_reels
from tests.factories.sounds import sounding_film, tone

import mastershot as ms
from mastershot.core.lanes import MarkKind
from mastershot.core.timeline import Timeline, timeline_schema
from mastershot.exports.formats.lanes import lanes_of
from mastershot.media.write import Encoding, write_frames
from mastershot.pipeline import analyze as story
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.analyze import analyze_movie
from mastershot.shots.marks.settings import MarkSettings
from mastershot.shots.settings import DetectorName, ShotSettings
from mastershot.store.frames import frame_times_of

NTSC = Fraction(24_000, 1001)
FOUND = [
    ("bars", 0, 36), ("black", 36, 60), ("letterbox", 160, 200), ("static", 260, 310),
    ("black", 340, 370), ("credits", 440, 512), ("black", 512, 530),
]  # fmt: skip
QUIET = ("silence", 340, 370)


def film_images() -> np.ndarray:
    held = np.repeat(scene(1, seed=5), 50, axis=0)
    return np.concatenate([
        bars(36, "smpte"), flat(24), scene(100), letterboxed(scene(40, seed=1), rows=18),
        scene(60, seed=2), held, scene(30, seed=3), flat(30), scene(70, seed=4), rolling(72),
        flat(18),
    ])  # fmt: skip


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a film at 24 frames a second that is silent while it is black for the second time."""
    images = film_images()
    sound = tone(len(images) / 24)
    sound[340 * 2000 : 370 * 2000] = 0
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    return sounding_film(path, list(images), sound)


def runs(timeline: Timeline) -> list[tuple[MarkKind, int, int]]:
    return [(m.kind, m.span.first_frame, m.span.end_frame) for m in timeline.marks or ()]


def with_sound() -> list[tuple[str, int, int]]:
    return sorted([*FOUND, QUIET], key=lambda one: (one[1], one[0]))


def test_a_film_has_its_marks_exact_to_the_frame(film: Path) -> None:
    timeline = ms.analyze(film, Plan(steps=("shots", "sound")))
    assert runs(timeline) == with_sound()
    assert timeline.made_by.steps["marks"]["black_s"] == MarkSettings().black_s
    jsonschema.validate(json.loads(timeline.to_json()), timeline_schema())
    assert Timeline.from_json(timeline.to_json()) == timeline
    (lane,) = lanes_of(timeline, frame_times_of(timeline), ["marks"])
    assert [one.text for one in lane.intervals] == [kind for kind, _, _ in with_sound()]


@pytest.mark.parametrize(
    ("detector", "exact"),
    [("content", False), ("content", True), ("adaptive", True), ("temporal", False)],
)
def test_every_detector_finds_the_same_marks(
    film: Path, detector: DetectorName, exact: bool
) -> None:
    settings = ShotSettings(detector, exact=exact)
    assert runs(ms.analyze(film, Plan(steps=("shots",), shots=settings))) == FOUND


@pytest.mark.parametrize("quality", [20, 28])
@pytest.mark.parametrize("rate", [Fraction(25), NTSC])
def test_compression_and_grain_move_no_end(tmp_path: Path, quality: int, rate: Fraction) -> None:
    images = grained(film_images(), 2.0)
    write_frames(tmp_path / "film.mp4", images, rate, encoding=Encoding(quality=quality))
    assert runs(ms.analyze(tmp_path / "film.mp4", Plan(steps=("shots",)))) == FOUND


def test_a_list_of_shots_leaves_no_marks(film: Path, tmp_path: Path) -> None:
    listed = tmp_path / "shots.txt"
    listed.write_text("0 99\n100 529\n")
    timeline = ms.analyze(film, Plan(steps=("shots", "sound"), shot_list=listed))
    assert timeline.marks is None
    assert "marks" not in timeline.made_by.steps


def test_a_film_without_sound_has_no_silence(tmp_path: Path) -> None:
    write_frames(tmp_path / "film.mp4", [*scene(40), *flat(30)], Fraction(24))
    timeline = ms.analyze(tmp_path / "film.mp4", Plan(steps=("shots", "sound")))
    assert runs(timeline) == [("black", 40, 70)]


def test_silence_goes_with_the_step_that_hears_and_nothing_is_decoded_again(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = analyze_movie(film, prepare(Plan(steps=("shots", "sound"))), tmp_path)
    assert runs(first) == with_sound()
    decode, passes = story.decode_film, []

    def counted(*args: object, **settings: object) -> object:
        passes.append(1)
        return decode(*args, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(story, "decode_film", counted)
    deaf, _ = analyze_movie(film, prepare(Plan(steps=("shots",))), tmp_path)
    assert (runs(deaf), len(passes)) == (FOUND, 0)
    again, _ = analyze_movie(film, prepare(Plan(steps=("shots", "sound"))), tmp_path)
    assert (runs(again), len(passes)) == (with_sound(), 1)


def test_marks_stay_where_only_scenes_are_made_anew(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = ("shots", "scenes", "sound")
    analyze_movie(film, prepare(Plan(steps=steps)), tmp_path)
    monkeypatch.setattr(story, "decode_film", None)
    timeline, _ = analyze_movie(film, prepare(Plan(steps=("shots", "sound"))), tmp_path)
    assert timeline.scenes is None
    assert runs(timeline) == with_sound()


@pytest.mark.parametrize("change", ["none", "settings", "revision"])
def test_a_timeline_without_marks_or_by_another_rule_is_made_anew(
    film: Path, tmp_path: Path, change: str
) -> None:
    loaded = prepare(Plan(steps=("shots",)))
    first, folder = analyze_movie(film, loaded, tmp_path)
    steps: dict[str, dict[str, object]] = dict(first.made_by.steps)
    if change == "none":
        del steps["marks"]
    elif change == "revision":
        steps["marks"] = {key: value for key, value in steps["marks"].items() if key != change}
    else:
        steps["marks"] = steps["marks"] | {"black_s": 9.0}
    old = replace(first, marks=None, made_by=replace(first.made_by, steps=steps))
    (folder / "timeline.json").write_text(old.to_json())
    again, _ = analyze_movie(film, loaded, tmp_path)
    assert runs(again) == FOUND


def test_marks_run_over_the_joins_of_reels(tmp_path: Path) -> None:
    images = list(np.concatenate([scene(40), flat(48), scene(40, seed=1)]))
    paths = write_reels(tmp_path / "reels", images, [0, 60], sound=tone(128 / 24))
    timeline = ms.analyze(paths, Plan(steps=("shots",)))
    assert runs(timeline) == [("black", 40, 88)]


@pytest.mark.parametrize(
    ("start", "end"), [(0, 40), (30, 60), (80, 120)], ids=["start", "middle", "end"]
)
def test_silence_is_exact_to_the_frame(tmp_path: Path, start: int, end: int) -> None:
    sound = tone(5)
    sound[start * 2000 : end * 2000] = 0
    path = sounding_film(tmp_path / "film.mkv", list(scene(120)), sound)
    timeline = ms.analyze(path, Plan(steps=("shots", "sound")))
    assert runs(timeline) == [("silence", start, end)]


def test_a_sound_that_ends_before_the_picture_leaves_silence(tmp_path: Path) -> None:
    path = sounding_film(tmp_path / "film.mkv", list(scene(120)), tone(3))
    timeline = ms.analyze(path, Plan(steps=("shots", "sound")))
    assert runs(timeline) == [("silence", 72, 120)]


def test_a_pause_of_less_than_half_a_second_is_no_silence(tmp_path: Path) -> None:
    sound = tone(5)
    sound[48_000 : 48_000 + 23_000] = 0
    path = sounding_film(tmp_path / "film.mkv", list(scene(120)), sound)
    assert runs(ms.analyze(path, Plan(steps=("shots", "sound")))) == []


def test_the_smallest_call_measures_no_marks(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("marks were measured")

    meter: Callable[..., None] = refuse
    monkeypatch.setattr("mastershot.shots.marks.measures.FrameMeter.add", meter)
    assert ms.detect_shots(film)


def test_real_credits_and_black_are_found(real_data: Path) -> None:
    sintel = real_data / "films" / "sintel"
    credits_ = ms.analyze(sintel / "sintel_372_387.mp4", Plan(steps=("shots",)))
    assert runs(credits_) == [("black", 2, 81), ("credits", 81, 765)]
    dark = ms.analyze(sintel / "sintel_112_115.mp4", Plan(steps=("shots",)))
    assert runs(dark) == []
