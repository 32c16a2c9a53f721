"""Every paper-size recipe takes one real optimiser step at full width on decoded frames."""

import math
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
import tagging_step


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    tagging_step.write_data(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", tagging_step.RECIPES)
def test_a_step_at_full_width(
    name: str, data: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    cost = tagging_step.step(name, data, tmp_path / "run")
    record_property("step_s", cost["step_s"])
    record_property("peak_gb", cost["peak_gb"])
    assert len(cost["losses"]) == 2
    assert all(map(math.isfinite, cost["losses"]))
    assert cost["losses"][1] != cost["losses"][0]
    assert cost["peak_gb"] < 24
