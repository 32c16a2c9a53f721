from pathlib import Path
from typing import Any

import pytest

from mastershot.core.errors import SettingError
from mastershot.training.probes.settings import (
    FusionRecipe,
    ProbeRecipe,
    missing_fusion_inputs,
    missing_probe_inputs,
)


def test_the_defaults_are_m_scene() -> None:
    network = ProbeRecipe().network
    assert (network.kind, network.hidden, network.dropout) == ("mlp", 4096, 0.2)


def test_what_a_probe_lacks_is_listed(tmp_path: Path) -> None:
    problems = missing_probe_inputs(ProbeRecipe(data=str(tmp_path)))
    assert len(problems) == 4
    assert problems[0].startswith(f"annotations {tmp_path}/HVU_Tags_Categories_V1.0.csv do not")
    assert problems[3].startswith(f"features {tmp_path}/features are no folder")
    trailers = ProbeRecipe(data=str(tmp_path), dataset="moviescope")
    assert "raw_data_train.p" in missing_probe_inputs(trailers)[0]
    assert missing_probe_inputs(ProbeRecipe(data=str(tmp_path), drawn_videos=60)) == []


def test_nothing_is_drawn_over_annotations_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "HVU_Val_V1.0.csv").write_text("")
    recipe = ProbeRecipe(data=str(tmp_path), drawn_videos=60)
    assert not recipe.is_to_be_drawn
    assert len(missing_probe_inputs(recipe)) == 3


def test_the_scores_that_a_fusion_lacks_are_listed(tmp_path: Path) -> None:
    (tmp_path / "a" / "scores").mkdir(parents=True)
    (tmp_path / "a" / "scores" / "test.npz").write_bytes(b"")
    recipe = FusionRecipe(runs=(f"{tmp_path}/a", f"{tmp_path}/b"), splits=("test",))
    (problem,) = missing_fusion_inputs(recipe)
    assert problem.startswith(f"scores {tmp_path}/b/scores/test.npz do not exist; a run of")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"runs": ("a",)}, "runs names 1; fusion takes two or more"),
        ({"runs": ("a", "b"), "weights": (1.0,)}, "weights has 1 for 2 runs; give one each"),
        ({"runs": ("a", "b"), "weights": (1.0, 0.0)}, "weights.1 is 0.0; it must be above 0"),
        ({"runs": ("a", "b"), "splits": ()}, "splits is empty; name one such as test"),
    ],
)
def test_a_fusion_that_means_nothing_is_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        FusionRecipe(**values)


def test_too_few_drawn_videos_are_refused() -> None:
    with pytest.raises(SettingError, match="drawn_videos is 9; 0 draws none, and each split has"):
        ProbeRecipe(drawn_videos=9)
