"""A plan refuses what means nothing, and says exactly what its results were made by."""

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.factories.timelines import make_space

from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.core.errors import EncoderUnavailableError, SettingError, ShotListError
from mastershot.core.labels import Taxonomy
from mastershot.labelling.smoothing import SmoothingSettings
from mastershot.labelling.weak_labels import AbstentionRule, KeepRule
from mastershot.media.sampling import Sampling
from mastershot.pipeline.analysis import plan as planning
from mastershot.pipeline.analysis.labeller import Labeller
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan, prepare
from mastershot.pipeline.analysis.scale import PromptedScaler
from mastershot.scenes.grouping import COLOR_SPACE
from mastershot.shots.lists import ShotList
from mastershot.shots.settings import ShotSettings

SPACE = make_space(8)


def encoder_of(space: EmbeddingSpace = SPACE, **changes: Any) -> Any:
    fields = {"space": space, "logit_scale": 1.0, "label_template": "a {label}"}
    return SimpleNamespace(**(fields | changes))


def loaded_of(plan: Plan, **changes: Any) -> LoadedPlan:
    """Return a plan with everything loaded that it may need."""
    labeller = Labeller(encoder_of(**changes), Taxonomy("two", ("kitchen", "sea")))
    return LoadedPlan(plan, labeller, PromptedScaler(labeller.encoder, np.eye(5, 8)))


@pytest.mark.parametrize(("steps", "named"), [(("shots", "magic"), "'magic'"), ((), "''")])
def test_an_unknown_step_says_which_there_are(steps: tuple[str, ...], named: str) -> None:
    with pytest.raises(SettingError, match=f"^step {named} is unknown; use shots, labels, scenes"):
        Plan(steps=steps)


def test_a_classifier_without_its_step_is_an_error() -> None:
    with pytest.raises(SettingError, match="but the steps are only shots, labels; add scale"):
        Plan(steps=("shots", "labels"), scale="scale-vit")


def test_smoothing_without_labels_is_an_error() -> None:
    with pytest.raises(SettingError, match="smoothed, but the steps are only shots; add labels"):
        Plan(steps=("shots",), smoothing=SmoothingSettings())


def test_a_frame_gets_one_vector_a_space_and_colours_come_last() -> None:
    loaded = loaded_of(Plan())
    assert loaded.scaler is not None
    assert list(loaded.encoders) == [SPACE, COLOR_SPACE]
    other = PromptedScaler(encoder_of(make_space(4, "other")), np.eye(5, 4))
    both = replace(loaded, scaler=other)
    assert list(both.encoders) == [SPACE, other.encoder.space, COLOR_SPACE]
    assert both.encoders[COLOR_SPACE] is None
    assert both.scene_spaces == (SPACE, COLOR_SPACE)  # Scenes do not rest on vectors of scales.
    assert COLOR_SPACE not in replace(loaded, plan=Plan(steps=("shots", "labels"))).encoders


def test_labels_are_encoded_once_and_not_before_they_are_used() -> None:
    asked: list[Sequence[str]] = []

    def encode(texts: Sequence[str]) -> FloatArray:
        asked.append(texts)
        return np.eye(len(texts), 8, dtype=np.float32)

    loaded = loaded_of(Plan(), encode_texts=encode)
    loaded.made_by()
    assert asked == []
    assert loaded.labeller is not None
    assert loaded.labeller.label_vectors is loaded.labeller.label_vectors
    assert asked == [["a kitchen", "a sea"]]


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"shots": ShotSettings(detector="adaptive")}, "shots"),
        ({"shots": ShotSettings("content", exact=True)}, "shots"),
        ({"shots": ShotSettings(threshold=0.3)}, "shots"),
        ({"shots": ShotSettings(min_shot_s=0.7)}, "shots"),
        ({"stream": 0}, "reading"),
        ({"sampling": Sampling("uniform", 4)}, "frames"),
        ({"keep": KeepRule(above=0.2)}, "labels"),
        ({"abstain": AbstentionRule(close_from=0.6)}, "scale"),
    ],
)
def test_a_setting_changes_its_own_step_of_how_it_was_made(
    changes: dict[str, Any], step: str
) -> None:
    before = loaded_of(Plan()).made_by().steps
    assert loaded_of(Plan()).made_by().steps == before == json.loads(json.dumps(before))
    after = loaded_of(Plan(**changes)).made_by().steps
    assert [name for name in before if after[name] != before[name]] == [step]
    assert list(after) == list(before)


@pytest.mark.parametrize(
    "changes",
    [{"logit_scale": 2.0}, {"label_template": "{label}"}, {"space": make_space(8, "newer")}],
)
def test_another_encoder_makes_other_labels(changes: dict[str, Any]) -> None:
    before, after = (loaded_of(Plan(), **one).made_by().steps for one in ({}, changes))
    assert before["labels"] != after["labels"]
    assert before["shots"] == after["shots"]


def test_other_labels_under_the_same_name_are_other_labels() -> None:
    one, other = (
        Labeller(encoder_of(), Taxonomy("mine", labels)).made()
        for labels in (("kitchen", "sea"), ("sea", "kitchen"))
    )
    assert one["taxonomy"] == other["taxonomy"]
    assert one != other


def test_a_list_of_shots_is_known_by_its_content_and_hides_the_detector() -> None:
    def steps(plan: Plan, start: int) -> dict[str, Any]:
        listed = ShotList(Path("films/list.csv"), "frame", (Fraction(0), Fraction(start)))
        return LoadedPlan(plan, listed=listed).made_by().steps["shots"]

    plan = Plan(steps=("shots",))
    assert steps(plan, 9) == steps(replace(plan, shots=ShotSettings(min_shot_s=2.0)), 9)
    assert steps(plan, 9) != steps(plan, 10)
    assert steps(plan, 9)["list"] == "list.csv"


def test_a_step_that_is_not_done_is_not_in_how_it_was_made() -> None:
    steps = LoadedPlan(Plan(steps=("shots",))).made_by().steps
    assert list(steps) == ["reading", "shots", "marks"]
    scenes = LoadedPlan(Plan(steps=("shots", "scenes"))).made_by().steps
    assert list(scenes) == ["reading", "shots", "marks", "frames", "scenes"]
    assert scenes["scenes"]["features"] == [COLOR_SPACE.model]


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (Plan(), [("starter", None, False)]),
        (Plan(steps=("labels",), encoder="clip"), [("clip", None, True)]),
        (Plan(steps=("scale",), precision="int8"), [("starter", "int8", False)]),
        (Plan(steps=("shots", "scenes"), encoder="clip"), []),
    ],
)
def test_only_an_encoder_that_is_needed_and_named_may_be_downloaded(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, expected: list[tuple[str, str | None, bool]]
) -> None:
    asked = []

    def load(name: str, *, precision: str | None, download: bool) -> None:
        asked.append((name, precision, download))
        raise EncoderUnavailableError("its weights are not here")

    monkeypatch.setattr(planning, "load_encoder", load)
    loaded = prepare(plan)
    assert asked == expected
    assert (loaded.labeller, loaded.scaler) == (None, None)
    if expected:
        lost = [step for step in ("labels", "headings") if step in plan.steps]
        prefix = f"No {' or '.join(lost)}: " if lost else ""
        assert loaded.notes[0] == f"{prefix}its weights are not here"


def test_a_list_that_is_not_there_is_found_before_any_film_is_opened(tmp_path: Path) -> None:
    with pytest.raises(ShotListError, match=r"gone\.csv"):
        prepare(Plan(steps=("shots",), shot_list=tmp_path / "gone.csv"))
