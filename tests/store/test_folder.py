"""What makes a folder a library, and what is reported of one that is none."""

import re
from pathlib import Path

import pytest

from mastershot.core.errors import LibraryError
from mastershot.store.folder import is_library, make_library, require_library
from mastershot.store.lance import LanceTables
from mastershot.store.library import Library
from mastershot.store.tables import schemas


def test_a_folder_is_a_library_once_it_was_made_as_one(tmp_path: Path) -> None:
    assert not is_library(tmp_path)
    assert not is_library(tmp_path / "absent")
    (tmp_path / "library.json").mkdir()
    assert not is_library(tmp_path)
    (tmp_path / "library.json").rmdir()
    make_library(LanceTables(tmp_path))
    assert is_library(tmp_path)
    require_library(tmp_path)


def test_making_a_library_again_changes_nothing_even_beside_foreign_files(tmp_path: Path) -> None:
    tables = LanceTables(tmp_path / "deep" / "films")
    make_library(tables)
    (tables.folder / "notes.txt").write_text("mine")
    marker = tables.folder / "library.json"
    before = (marker.stat().st_mtime_ns, [tables.version(name) for name in schemas()])
    make_library(tables)
    assert (marker.stat().st_mtime_ns, [tables.version(name) for name in schemas()]) == before


def test_a_library_half_made_is_completed_with_what_it_has(tmp_path: Path) -> None:
    tables = LanceTables(tmp_path)
    tables.create("spaces", schemas()["spaces"])
    (tmp_path / "library.json.tmp").write_text('{"sche')
    (tmp_path / ".lock").touch()
    with pytest.raises(LibraryError, match=r"holds no library\.json"):
        require_library(tmp_path)
    make_library(tables)
    require_library(tmp_path)
    assert {name: tables.rows(name).schema for name in schemas()} == schemas()
    assert not (tmp_path / "library.json.tmp").exists()


def test_a_marker_nested_without_end_is_damage(tmp_path: Path) -> None:
    (tmp_path / "library.json").write_text("[" * 100_000)
    with pytest.raises(LibraryError, match=r"is damaged: its library\.json is not JSON"):
        require_library(tmp_path)


def test_no_library_at_the_path_says_how_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "films.mastershot"
    command = f"`mastershot library add FILM --library {path}` makes one"
    with pytest.raises(LibraryError, match=re.escape(f"no library at {path}; {command}")):
        Library(path)
    assert not path.exists()


def test_a_file_in_the_place_of_a_library_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "films.mastershot"
    path.write_text("")
    with pytest.raises(LibraryError, match="is a file, not a library; a library is a folder"):
        Library(path)
    with pytest.raises(LibraryError, match="is a file, so no library can be made there"):
        Library(path, create=True)
    with pytest.raises(LibraryError, match=r"cannot be made: (Not a directory|File exists)"):
        Library(path / "inner", create=True)


def test_a_folder_that_is_no_library_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_text("")
    with pytest.raises(LibraryError, match=r"is not a library: it holds no library\.json"):
        Library(tmp_path)
    with pytest.raises(LibraryError, match=r"not empty \(it holds holiday\.jpg\)"):
        Library(tmp_path, create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", r"is damaged: its library\.json is not JSON"),
        ('{"schema": "mastershot/library/9"}', "has schema 'mastershot/library/9'; this version"),
        ("[]", "has schema None; this version reads 'mastershot/library/1'"),
        ("\udcff", "cannot be read: it is not UTF-8 text"),
    ],
)
def test_a_library_of_another_schema_is_one_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "films.mastershot"
    Library(path, create=True)
    (path / "library.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(LibraryError, match=sentence):
        Library(path)
