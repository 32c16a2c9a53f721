"""Shots to watch, and the labels that were missed in them."""

import csv
from pathlib import Path

import pytest
from tests.factories.timelines import JPEG, make_thumbs, make_timeline

from mastershot.core.errors import DatasetError, LibraryError, OutputError, SettingError
from mastershot.pipeline.taxonomy.viewing import VIEWING_COLUMNS, read_missing, write_viewing
from mastershot.store.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path / "films.mastershot", create=True)
    for name, frames in (("long.mp4", [10] * 9), ("short.mp4", [10] * 3)):
        timeline = make_timeline(name, shot_frames=frames, scene_shots=None)
        library.put_timeline(timeline, make_thumbs(timeline))
    return library


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_film_has_its_share_and_each_shot_its_picture(
    library: Library, tmp_path: Path
) -> None:
    path = tmp_path / "watch" / "draw.csv"
    path.parent.mkdir()
    assert write_viewing(library, path, num_drawn=4) == 4
    rows = rows_of(path)
    assert list(rows[0]) == list(VIEWING_COLUMNS)
    assert sorted(row["film"] for row in rows) == ["long.mp4"] * 3 + ["short.mp4"]
    for row in rows:
        picture = (path.parent / row["thumb"]).read_bytes()
        assert picture == JPEG + row["shot"].encode()
        assert row["labels"] == "kitchen; bar"
        assert row["missing"] == ""
        assert float(row["start_s"]) < float(row["end_s"])


def test_the_seed_settles_the_draw(library: Library, tmp_path: Path) -> None:
    drawn = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_viewing(library, tmp_path / f"{name}.csv", num_drawn=6, seed=seed)
        drawn.append([row["shot"] for row in rows_of(tmp_path / f"{name}.csv")])
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_draw_that_may_be_filled_in_is_not_overwritten(library: Library, tmp_path: Path) -> None:
    write_viewing(library, tmp_path / "draw.csv", num_drawn=2)
    with pytest.raises(OutputError, match="is there already and may be filled in"):
        write_viewing(library, tmp_path / "draw.csv", num_drawn=2)


def test_what_was_missed_becomes_decisions_to_add(tmp_path: Path) -> None:
    path = tmp_path / "draw.csv"
    path.write_text("shot,missing\nf/1,\nf/2, Boxing  Ring ; moat;\nf/3,boxing ring\n")
    found = read_missing(path, by="ada")
    assert [(made.text, made.by, made.note) for made in found] == [
        ("add 'boxing ring'", "ada", "seen in 2 shots: f/2"),
        ("add 'moat'", "ada", "seen in 1 shots: f/2"),
    ]


def test_what_cannot_be_drawn_or_read_is_an_error(library: Library, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="a draw of 0 shots means nothing"):
        write_viewing(library, tmp_path / "draw.csv", num_drawn=0)
    assert not (tmp_path / "draw.csv").exists()
    with pytest.raises(LibraryError, match="holds no shot to draw; add a film"):
        write_viewing(Library(tmp_path / "no.mastershot", create=True), tmp_path / "draw.csv")
    with pytest.raises(OutputError, match=r"folder /proc/thumbs cannot be made"):
        write_viewing(library, Path("/proc/draw.csv"))
    (tmp_path / "other.csv").write_text("a,b\n")
    with pytest.raises(DatasetError, match=r"draw of shots .* has no column 'shot'"):
        read_missing(tmp_path / "other.csv", by="ada")
