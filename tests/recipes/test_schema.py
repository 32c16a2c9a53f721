import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mastershot.core.errors import MastershotError
from mastershot.recipes.schema import RECIPES
from mastershot.training.engine.settings import no_progress


def stage_that(monkeypatch: pytest.MonkeyPatch, log: Path, text: str) -> None:
    """Put a stage in the place of `train_scene_encoder` and of the pipeline; it writes a log."""

    def stage(recipe: Any, out: Path, on_progress: Any) -> Path:
        log.mkdir(parents=True, exist_ok=True)
        (log / "log.jsonl").write_text(text)
        return out / "made"

    room = "mastershot.training.movies2scenes"
    fake = SimpleNamespace(train_scene_encoder=stage, run_pipeline=stage)
    monkeypatch.setitem(sys.modules, f"{room}.scene_encoder", fake)
    monkeypatch.setitem(sys.modules, f"{room}.pipeline", fake)


@pytest.mark.parametrize(("kind", "log"), [("scene_contrast", ""), ("pipeline", "scenes")])
def test_the_figures_of_a_stage_are_the_last_entry_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, log: str
) -> None:
    stage_that(monkeypatch, tmp_path / log, '{"too_short": ["a"]}\n{"loss": 2}\n{"loss": 1}\n{"l')
    result = RECIPES[kind].run(None, tmp_path, no_progress)
    assert (result.path, result.figures) == (tmp_path / "made", {"loss": 1})
    assert result.notes == ("films with fewer shots than a scene: 1, the first: a",)
    stage_that(monkeypatch, tmp_path / log, "")
    assert RECIPES[kind].run(None, tmp_path, no_progress).figures == {}


def test_only_a_lack_of_lightning_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, error in (("lightning.pytorch", MastershotError), ("elsewhere", ImportError)):

        def fail(module: str, name: str = name) -> None:
            raise ImportError(f"no {name}", name=name)

        monkeypatch.setattr("mastershot.recipes.schema.import_module", fail)
        with pytest.raises(error, match=r"^training needs lightning|^no elsewhere$"):
            RECIPES["scene_pairs"].run(None, tmp_path, no_progress)
