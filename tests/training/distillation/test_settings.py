from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mastershot.core.errors import SettingError
from mastershot.training.distillation.settings import (
    DistillationSettings,
    DistilRecipe,
    FrameSource,
    HeldOutSettings,
    TeacherSettings,
    find_list,
    missing_inputs,
)

TFLITE = TeacherSettings("tflite", "w", "c")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"kind": "oracle"}, "kind is 'oracle'; it must be one of squeezenet, tflite, encoder"),
        ({"weights": ""}, "a teacher needs weights and concepts; one of kind labels takes neither"),
        ({"concepts": ""}, "a teacher needs weights and concepts"),
        ({"kind": "labels"}, "one of kind labels takes neither"),
        ({"trust": 1.5}, r"trust is 1.5; it must be in \[0, 1\]"),
        ({"weight": 0.0}, "weight is 0.0; it must be above 0"),
        ({"temperature": float("nan")}, "temperature is nan; it must be a finite number"),
        ({"every": 0}, "every is 0; it must be at least 1"),
    ],
)
def test_a_teacher_that_cannot_be_is_reported(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        TeacherSettings(**({"kind": "tflite", "weights": "w", "concepts": "c"} | settings))


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_cannot_be_is_reported(share: float) -> None:
    with pytest.raises(SettingError, match=r"share is .*; it must be in \[0, 1\)"):
        HeldOutSettings(share)


def test_a_list_that_is_not_there_is_reported() -> None:
    with pytest.raises(SettingError, match=r"list gone\.csv of held_out is neither"):
        find_list("gone.csv")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"frames": ()}, r"frames is \(\); it must not be empty"),
        ({"teachers": ()}, r"teachers is \(\); it must not be empty"),
        ({"network": "resnet"}, "network 'resnet' is not one of fire or vit"),
        ({"report_every": 0}, "report_every is 0; it must be at least 1"),
        ({"save_every": 0}, "save_every is 0; it must be at least 1"),
        (
            {"teachers": (TFLITE, TeacherSettings("encoder", "a", "b"))},
            "an encoder must be the only one",
        ),
        ({"teachers": (replace(TFLITE, kind="squeezenet"),) * 2}, "at most one squeezenet"),
        (
            {"teachers": (replace(TFLITE, every=2),)},
            r"teachers\.0\.every must be 1",
        ),
    ],
)  # fmt: skip
def test_a_recipe_that_cannot_be_is_reported(changes: dict[str, Any], sentence: str) -> None:
    settings: dict[str, Any] = {
        "frames": (FrameSource("a"),),
        "teachers": (TFLITE,),
    }
    with pytest.raises(SettingError, match=sentence):
        DistilRecipe(**(settings | changes))


@pytest.mark.parametrize(
    ("group_size", "batch_size", "passes", "steps"), [(512, 64, 2, 16), (4, 4, 1, 1), (6, 2, 5, 15)]
)
def test_a_group_feeds_as_many_steps_as_its_views_fill_batches(
    group_size: int, batch_size: int, passes: int, steps: int
) -> None:
    settings = DistillationSettings(
        group_size=group_size, batch_size=batch_size, passes_per_view=passes
    )
    assert settings.steps_per_group == steps


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"group_size": 100}, "^group_size is 100; it must be a multiple of batch_size 64$"),
        ({"batch_size": 1}, "^batch_size is 1; it must be at least 2$"),
        ({"student_px": 40}, r"^student_px is 40; it must be in \[32, 1,024\], a multiple of 16$"),
        ({"detail_px": 15}, "^detail_px is 15; it must be 0 or at least 16$"),
        ({"detail_px": 1025}, r"^detail_px is 1025; it must be in \[0, 1,024\]"),
        ({"teacher_px": 1040}, r"^teacher_px is 1040; it must be in \[32, 1,024\]"),
    ],
)
def test_a_training_that_cannot_be_is_reported(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        DistillationSettings(**changes)


def test_right_labels_need_labelled_frames() -> None:
    with pytest.raises(SettingError, match=r"^right needs labelled as well$"):
        HeldOutSettings(right="distil/places15_right.csv")


def test_a_list_is_a_file_before_it_is_one_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = find_list("distil/places15.csv")
    assert shipped.is_absolute()
    (tmp_path / "distil").mkdir()
    (tmp_path / "distil" / "places15.csv").touch()
    assert find_list("distil/places15.csv").resolve() == tmp_path / "distil" / "places15.csv"
    with pytest.raises(SettingError, match=r"^list distil of held_out is neither"):
        find_list("distil")


def test_every_input_that_is_missing_is_a_sentence_and_encoders_are_left_to_loading(
    tmp_path: Path,
) -> None:
    (tmp_path / "films").mkdir()
    recipe = DistilRecipe(
        (FrameSource("films"), FrameSource(str(tmp_path / "gone"))),
        (TeacherSettings("tflite", "w", "films"), TeacherSettings("squeezenet", "w", "c")),
        data=str(tmp_path),
        held_out=HeldOutSettings(labelled="l.csv", right="r.csv"),
    )
    lacks = [
        f"frames {tmp_path}/gone do not exist; name a folder, a picture, a film, a pattern or a "
        "library",
        *(f"{what} {tmp_path}/{name} of the {kind} teacher do not exist" for what, name, kind in (
            ("weights", "w", "tflite"), ("concepts", "films", "tflite"),
            ("weights", "w", "squeezenet"), ("concepts", "c", "squeezenet"),
        )),
        *(f"list {name} of held_out is neither a file nor one that ships"
          for name in ("l.csv", "r.csv")),
    ]  # fmt: skip
    assert missing_inputs(recipe) == lacks
    encoder = TeacherSettings("encoder", "never/heard-of", "nothing")
    alone = replace(recipe, teachers=(encoder,), held_out=HeldOutSettings())
    assert missing_inputs(alone) == lacks[:1]
