from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from mastershot.core.errors import (
    DatasetError,
    LibraryError,
    OutputError,
    SettingError,
)
from mastershot.core.similarity import table_of
from mastershot.datasets.tables.pair_table import read_pairs
from mastershot.mining import library_pairs
from mastershot.mining.library_pairs import mine_library
from mastershot.mining.pairs import mine_scene_pairs
from mastershot.mining.settings import PairSettings
from mastershot.mining.similarity import RandomMovies

Floats = npt.NDArray[np.float32]
MOVIES = [f"m{number:02}" for number in range(12)]
TABLE = RandomMovies().similar(MOVIES)


def features(movie: str) -> Floats:
    rng = np.random.default_rng(int(movie[1:]))
    return rng.standard_normal((rng.integers(20, 60), 8), np.float32)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_pairs, "_PART_PAIRS", 4)


def test_the_table_holds_what_each_pair_of_movies_gives(tmp_path: Path) -> None:
    report = mine_library(TABLE, features, tmp_path / "pairs.parquet", made_by={"model": "x"})
    pairs = read_pairs(tmp_path / "pairs.parquet")
    films = sorted({tuple(sorted(row[:2])) for row in TABLE.rows()})
    due = [
        (one, row, other, column, pytest.approx(score, abs=1e-6))
        for one, other in films
        for row, column, score in mine_scene_pairs(features(one), features(other))
    ]
    assert list(pairs.rows()) == due
    assert (report.num_mined, report.num_mirrored) == (len(films), len(TABLE) - len(films))
    assert (report.num_rows, report.num_scene_pairs, report.num_skipped) == (36, len(due), 0)
    assert pairs.made_by["features"] == {"model": "x"}
    assert pairs.made_by["settings"] == {"window": 9, "keep": 0.5, "consider": 1.0}
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.parquet"]


def test_a_killed_run_is_finished_by_the_next_and_equals_an_undisturbed_one(tmp_path: Path) -> None:
    asked: list[str] = []

    def failing(movie: str) -> Floats:
        asked.append(movie)
        if len(asked) == 10:
            raise KeyboardInterrupt
        return features(movie)

    with pytest.raises(KeyboardInterrupt):
        mine_library(TABLE, failing, tmp_path / "one.parquet", made_by={})
    parts = list((tmp_path / "one.parquet.parts").glob("*.parquet"))
    assert parts
    assert not (tmp_path / "one.parquet").exists()
    report = mine_library(TABLE, features, tmp_path / "one.parquet", made_by={})
    due = mine_library(TABLE, features, tmp_path / "other.parquet", made_by={})
    assert report == due
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "other.parquet").read_bytes()
    again = mine_library(
        TABLE, lambda movie: pytest.fail(movie), tmp_path / "one.parquet", made_by={}
    )
    assert again == due


def test_other_features_or_settings_are_mined_anew(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    first = mine_library(TABLE, features, path, made_by={"model": "x"})
    whole = mine_library(TABLE, features, path, PairSettings(keep=1.0), made_by={"model": "x"})
    assert whole.num_scene_pairs > first.num_scene_pairs
    ones = mine_library(TABLE, lambda movie: features("m01"), path, made_by={"model": "y"})
    assert ones.num_scene_pairs != first.num_scene_pairs


def test_movies_without_a_scene_are_listed_and_the_others_mined(tmp_path: Path) -> None:
    def some(movie: str) -> Floats | None:
        if movie == "m03":
            return None
        if movie == "m04":
            raise LibraryError("the row of m04 is damaged")
        if movie == "m05":
            raise OSError("the disk is gone")
        found = features(movie)
        return {"m00": found[:5], "m01": found * np.nan}.get(movie, found)

    report = mine_library(TABLE, some, tmp_path / "pairs.parquet", made_by={})
    assert (report.missing, report.short) == (("m03",), ("m00",))
    sentences = dict(report.damaged)
    assert "shot 0 of movie 'm01'" in sentences["m01"]
    assert sentences["m05"] == "the disk is gone"
    assert sentences["m04"] == "the row of m04 is damaged"
    assert report.num_mined + report.num_skipped == report.num_rows - report.num_mirrored
    assert report.num_mined > 0
    assert report == mine_library(TABLE, some, tmp_path / "pairs.parquet", made_by={})


def test_a_table_without_a_similar_movie_gives_no_pairs(tmp_path: Path) -> None:
    report = mine_library(table_of(["a"], [], {}), features, tmp_path / "p.parquet", made_by={})
    assert report.num_scene_pairs == len(read_pairs(tmp_path / "p.parquet")) == 0


def test_few_movies_are_in_memory_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    due = mine_library(TABLE, features, tmp_path / "one.parquet", made_by={})
    monkeypatch.setattr(library_pairs, "_CACHE_BYTES", 1)
    assert mine_library(TABLE, features, tmp_path / "two.parquet", made_by={}) == due


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/pairs\.parquet\.parts cannot be written"):
        mine_library(TABLE, features, tmp_path / "file" / "pairs.parquet", made_by={})
    (tmp_path / "other.parquet").write_text("no table")
    with pytest.raises(DatasetError, match=r"scene pairs .*other\.parquet cannot be read"):
        mine_library(TABLE, features, tmp_path / "other.parquet", made_by={})
    with pytest.raises(SettingError, match="window is 0; it must be at least 1"):
        PairSettings(window=0)
