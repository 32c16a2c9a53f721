"""Tables in a folder: conditions, commits, versions and errors."""

from pathlib import Path

import pyarrow as pa
import pytest

from mastershot.core.errors import LibraryError
from mastershot.store.lance import LanceTables, equals

SCHEMA = pa.schema([("key", pa.string()), ("value", pa.int64())])
HARD = [
    "it's",
    "''",
    "' OR 'a' = 'a",
    "%",
    "_",
    'a"b',
    "back\\slash",
    "line\nbreak",
    "été 日本",
    "",
]


def rows_of(**values: int) -> pa.Table:
    rows = [{"key": key, "value": value} for key, value in values.items()]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


@pytest.fixture
def tables(tmp_path: Path) -> LanceTables:
    tables = LanceTables(tmp_path)
    tables.create("numbers", SCHEMA)
    return tables


def content(tables: LanceTables) -> dict[str, int]:
    return {row["key"]: row["value"] for row in tables.rows("numbers").to_pylist()}


def test_a_text_is_found_whatever_is_in_it(tables: LanceTables) -> None:
    tables.append("numbers", rows_of(**{text: place for place, text in enumerate(HARD)}))
    for place, text in enumerate(HARD):
        found = tables.rows("numbers", where=equals("key", text), columns=["value"])
        assert found.to_pydict() == {"value": [place]}


def test_only_a_change_is_a_commit(tables: LanceTables) -> None:
    first = tables.version("numbers")
    tables.append("numbers", rows_of())
    assert tables.delete("numbers", equals("key", "absent")) == 0
    tables.create("numbers", SCHEMA)
    assert tables.version("numbers") == first
    tables.append("numbers", rows_of(a=1, b=2, c=3))
    assert tables.delete("numbers", "value >= 2") == 2
    assert tables.version("numbers") == first + 2
    assert content(tables) == {"a": 1}


def test_a_row_with_a_known_key_is_replaced_and_others_are_added(tables: LanceTables) -> None:
    tables.append("numbers", rows_of(a=1, b=2))
    other = LanceTables(tables.folder)
    assert content(other) == {"a": 1, "b": 2}
    tables.upsert("numbers", rows_of(b=20, c=30), key="key")
    assert content(other) == {"a": 1, "b": 20, "c": 30}


def test_tidying_waits_for_many_fragments_and_keeps_the_rows(
    tables: LanceTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mastershot.store.lance.MANY_FRAGMENTS", 3)
    for value in range(4):
        tables.append("numbers", rows_of(**{f"key {value}": value}))
        before = tables.version("numbers")
        tables.tidy_when_fragmented("numbers")
        assert (tables.version("numbers") > before) == (value == 3)
    assert sorted(content(tables).values()) == [0, 1, 2, 3]
    batches = list(tables.batches("numbers", ["value"]))
    assert sorted(pa.Table.from_batches(batches)["value"].to_pylist()) == [0, 1, 2, 3]


def test_what_goes_wrong_names_the_library_the_table_and_the_purpose(tables: LanceTables) -> None:
    where = f"library {tables.folder} cannot be"
    with pytest.raises(LibraryError, match=f"{where} read: table absent: "):
        tables.rows("absent")
    with pytest.raises(LibraryError, match=f"{where} written: table numbers: "):
        tables.append("numbers", pa.table({"other": [1]}))
    with pytest.raises(LibraryError, match=f"{where} read: table numbers: "):
        tables.rows("numbers", where="no such column = 1")
    gone = LanceTables(tables.folder / "gone")
    with pytest.raises(LibraryError, match="written: No such file or directory"), gone.writing():
        pass


def test_an_error_of_the_writer_itself_passes_as_it_is(tables: LanceTables) -> None:
    with pytest.raises(ValueError, match="mine"), tables.writing():
        raise ValueError("mine")
