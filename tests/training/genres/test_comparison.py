"""A table of networks: each row trained once, beside what was published of the same experts."""

import csv
from dataclasses import replace
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from tests.factories.commands import invoke

from mastershot.core.errors import SettingError
from mastershot.datasets.genres.table import Expert, Trailer, write_genre_dataset
from mastershot.evaluation.bootstrap import Figure, Interval
from mastershot.exports.genre_table import TableRow, table_lines
from mastershot.training.genres import comparison
from mastershot.training.genres.comparison import row_recipes, train_table
from mastershot.training.genres.settings import (
    GenreNetworkSettings,
    GenreTableRecipe,
    GenreTrainingSettings,
)

EXPERTS = ("location", "audio", "motion")
TABLE = GenreTableRecipe(
    network=GenreNetworkSettings(
        width=4, clips=2, sequences=2, joining="mean", sequence_width=4, bottleneck=4
    ),
    training=GenreTrainingSettings(epochs=1, batch_size=16),
)
ROWS = ["location", "audio", "motion", "location+audio", "location+motion", "audio+motion",
        "concat", "gated", "gated-mean"]  # fmt: skip


def write_data(folder: Path) -> None:
    rng = np.random.default_rng(0)
    trailers = [
        Trailer(f"t{n}", "", None, ("train", "train", "val", "test")[n % 4], ("AB"[n // 4 % 2],), 3)
        for n in range(40)
    ]
    vectors = {
        one.id: {name: rng.normal(size=(3, 3)).astype(np.float32) for name in EXPERTS}
        for one in trailers
    }
    write_genre_dataset(
        folder / "dataset", trailers, lambda one: vectors[one.id], name="drawn", genres=("A", "B"),
        experts=[Expert(name, 3) for name in EXPERTS], made_by={}, dtype=np.float32,
    )  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder


def test_a_row_is_what_its_own_recipe_would_train(data: Path) -> None:
    rows = dict(row_recipes(replace(TABLE, data=str(data))))
    assert [*rows] == ROWS
    assert {name: row.network.gating for name, row in rows.items() if "-" in name or name[0] in "cg"
            } == {"concat": "none", "gated": "pairs", "gated-mean": "mean"}  # fmt: skip
    assert rows["audio+motion"].experts == ("audio", "motion")
    assert all(row.fine.epochs == 0 for row in rows.values())
    # Of two experts the pair is all.
    two = dict(row_recipes(replace(TABLE, data=str(data), experts=("motion", "audio"))))
    assert [*two] == ["motion", "audio", "concat", "gated", "gated-mean"]
    with pytest.raises(SettingError, match="rows is empty"):
        GenreTableRecipe(rows=())


def test_a_stopped_table_leaves_out_finished_rows(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StopError(Exception):
        pass

    recipe = replace(TABLE, data=str(data), rows=("single", "gated"))
    train, trained = comparison.train_genres, []

    def stop_at_third(row, out, on_progress):  # type: ignore[no-untyped-def]
        if len(trained) == 2:
            raise StopError
        trained.append(out.name)
        return train(row, out, on_progress)

    monkeypatch.setattr(comparison, "train_genres", stop_at_third)
    with pytest.raises(StopError):
        train_table(recipe, tmp_path / "run")
    with (tmp_path / "run" / "table.csv").open() as file:
        assert [row["row"] for row in csv.DictReader(file)] == ["location", "audio"]
    monkeypatch.setattr(comparison, "train_genres", train)
    stages: list[str] = []
    rows = train_table(recipe, tmp_path / "run", lambda stage, *_: stages.append(stage))
    assert [row.name for row in rows] == ["location", "audio", "motion", "gated"]
    # The two that are finished have nothing to do.
    assert {stage.partition(":")[0] for stage in stages} == {"motion (3 of 4)", "gated (4 of 4)"}
    text = (tmp_path / "run" / "table.md").read_text()
    assert "| location + audio" not in text
    assert "| all, gated by each other |" in text
    before = (tmp_path / "run" / "table.csv").read_bytes()
    train_table(recipe, tmp_path / "run")
    assert (tmp_path / "run" / "table.csv").read_bytes() == before


def test_published_figures_stand_beside_the_same_experts_alone() -> None:
    figure = Figure(0.5, Interval(0.4, 0.6), 20)
    names = ("precision", "recall", "f1", "auprc_micro", "auprc_macro", "auprc_weighted")
    figures = dict.fromkeys(names, figure)
    four = ("image", "motion", "audio", "location")
    row = TableRow("gated", four, figures, 0.4, ("War",))
    assert row.published == (0.597, 0.583)
    assert TableRow("concat", four, figures, 0.4, ()).published == (0.525, 0.497)
    assert TableRow("image", ("image",), figures, 0.4, ()).published == (0.516, 0.554)
    assert all(map(isnan, TableRow("gated", four[:3], figures, 0.4, ()).published))
    assert all(map(isnan, TableRow("gated-mean", four, figures, 0.4, ()).published))
    lines = list(table_lines([row]))
    assert lines[1].split() == [
        "all,", "gated", "by", "each", "other", "0.500", "0.500", "0.500", "[0.400,", "0.600]",
        "0.500", "0.500", "0.500", "[0.400,", "0.600]", "0.597", "0.583",
    ]  # fmt: skip
    assert "every genre for every trailer" in lines[2]
    assert "as published by Fish et al. 2021" in lines[4]
    assert "not measured here" in lines[4]
    assert lines[5] == "Genres without a test trailer count nowhere: War"


def test_the_command_prints_the_table(data: Path, tmp_path: Path) -> None:
    small = ["network.width=4", "network.clips=2", "network.sequence_width=4",
             "network.bottleneck=4", "training.epochs=1"]  # fmt: skip
    done = invoke("run", "genres/table3", f"data={data}", "experts=[location, audio]",
                  "rows=[concat]", *small, "--out", tmp_path / "run", "--quiet")  # fmt: skip
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("experts")
    assert lines[1].startswith("all, naive concatenation")
    assert lines[-1] == f"genres/table3 → {tmp_path / 'run' / 'table.csv'}"
    other = invoke("run", "genres/table3", f"data={data}", "experts=[location]", *small, "--out",
                   tmp_path / "run", "--quiet")  # fmt: skip
    assert other.exit_code != 0
    assert "was begun with another recipe" in other.stderr
