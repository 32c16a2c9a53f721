"""Networks of genres beside each other: single experts, pairs, and ways to join all of them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from mastershot.core.files import make_folder
from mastershot.datasets.genres.table import read_genre_dataset
from mastershot.exports.genre_table import TableRow, write_genre_table
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.genres.results import MODEL
from mastershot.training.genres.settings import FineStageSettings, GenreRecipe, GenreTableRecipe
from mastershot.training.genres.train import train_genres

ROWS = "rows"
TABLE = "table.csv"
_JOINED = {"concat": "none", "gated": "pairs", "gated-mean": "mean"}


def train_table(
    recipe: GenreTableRecipe, out: Path, on_progress: OnProgress = no_progress
) -> list[TableRow]:
    """Return the rows of a table, each a network that was trained in a run directory of its own.

    A row that is finished is not trained again; one that was stopped resumes. The table is written
    anew after each row, as CSV and Markdown.

    Raises:
        SettingError: As `train_genres`, or the folder is another recipe's.
        DatasetError: The data set cannot be read, or its splits share a trailer.
        OutputError: The folder cannot be written.
        MastershotError: The loss of a row is not finite any more.
    """
    with open_run_directory(out, recipe, made=(ROWS, TABLE)):
        wanted = dict(row_recipes(recipe))
        make_folder(out / ROWS)
        rows: list[TableRow] = []
        for number, (name, row) in enumerate(wanted.items(), 1):
            title = f"{name} ({number} of {len(wanted)})"

            def report(
                stage: str, done: int, total: int | None, figures: Mapping[str, float],
                title: str = title,
            ) -> None:  # fmt: skip
                on_progress(f"{title}: {stage}", done, total, figures)

            model = train_genres(row, out / ROWS / name, report)
            assert model.name == MODEL
            saved: dict[str, Any] = json.loads((model / "genres.json").read_text("utf-8"))
            rows.append(TableRow.of(name, row.experts, saved["figures"]["test"]))
            write_genre_table(rows, out / TABLE, dataset=saved["dataset"])
    return rows


def row_recipes(table: GenreTableRecipe) -> Iterator[tuple[str, GenreRecipe]]:
    """Yield the name of each row, which is also its folder's, and the recipe that trains it.

    Of two experts, the pair is the row of all.

    Raises:
        DatasetError: The data set cannot be read.
    """
    experts = table.experts or tuple(read_genre_dataset(table.dataset_path).experts)
    base = GenreRecipe(
        data=table.data, dataset=table.dataset, network=table.network, training=table.training,
        duplicates=table.duplicates, fine=FineStageSettings(epochs=0),
    )  # fmt: skip

    def row(name: str, some: tuple[str, ...], gating: str) -> tuple[str, GenreRecipe]:
        network = replace(table.network, gating=gating)  # type: ignore[arg-type]
        title = f"{table.name}-{name}"
        return name, replace(base, name=title, experts=some, network=network)

    if "single" in table.rows:
        for one in experts:
            yield row(one, (one,), table.network.gating)
    if "pairs" in table.rows and len(experts) > 2:
        for pair in combinations(experts, 2):
            yield row("+".join(pair), pair, table.network.gating)
    if len(experts) > 1:
        for name, gating in _JOINED.items():
            if name in table.rows:
                yield row(name, experts, gating)
