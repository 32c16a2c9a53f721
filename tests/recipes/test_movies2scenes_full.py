"""Every paper-size recipe takes one real optimiser step at full width on decoded frames."""

import math
import sys
from pathlib import Path

import pytest

from mastershot.recipes.load import shipped_recipes

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
import full_step

RECIPES = [name for name in shipped_recipes() if name.startswith("movies2scenes/")]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    full_step.write_data(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_a_step_at_full_width(name: str, data: Path, tmp_path: Path) -> None:
    cost = full_step.step(name, data, tmp_path)
    assert math.isfinite(cost["loss"])
    assert cost["peak_gb"] < 24
