"""The decisions file: it grows, and nothing in it is lost."""

from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError, OutputError
from mastershot.curation.decisions import COLUMNS, Decision, append_decisions, read_decisions

MERGE = Decision("merge", "creek", "river", "ada", "2026-01-01T00:00:00+00:00", 0.654, 'a "brook"')


def test_decisions_come_back_in_the_order_they_were_made(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    assert read_decisions(path) == ()
    append_decisions(path, [MERGE])
    append_decisions(path, [Decision("drop", "horizon", by="bo")])
    assert read_decisions(path) == (MERGE, Decision("drop", "horizon", by="bo"))
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)


def test_a_file_written_by_hand_keeps_its_columns_and_its_unended_last_line(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    by_hand = b"\xef\xbb\xbflabel,decision,into,who knows\r\n Horizon ,DROP,,me"
    path.write_bytes(by_hand)
    append_decisions(path, [MERGE])
    assert path.read_bytes() == by_hand + b"\ncreek,merge,river,\n"
    assert [made.text for made in read_decisions(path)] == [
        "drop 'horizon'", "merge 'creek' into 'river'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "perhaps,lake,,",
            "row 1: decision 'perhaps' is not one of keep, drop, merge, rename, add",
        ),
        ("drop,,,", "row 1: a decision to drop names no label"),
        ("merge,lake,,", "to merge 'lake' needs a label in the column into"),
        ("drop,lake,river,", "to drop 'lake' has no use for a label in the column into"),
        ("rename,lake,Lake,", "'lake' cannot be made into itself"),
        (
            "add,a;b,,",
            "row 1: label 'a;b' holds a semicolon or a line break, which separate",
        ),
        ("rename,lake,a;b,", "label 'a;b' holds a semicolon or a line break"),
        ("merge,lake,river,near", "row 1: the cosine 'near' is not a number"),
        ("merge,lake,river,nan", "the cosine 'nan' is not a number"),
        ("drop,lake", "line 2: the row has another number of cells than the header"),
    ],
)
def test_a_row_that_is_no_decision_is_reported_with_its_place(
    tmp_path: Path, row: str, message: str
) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text(f"decision,label,into,cosine\n{row}\n")
    with pytest.raises(DatasetError, match=message):
        read_decisions(path)
    with pytest.raises(DatasetError, match=message):
        append_decisions(path, [MERGE])
    assert path.read_text() == f"decision,label,into,cosine\n{row}\n"


def test_a_file_of_something_else_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text("label;decision;into\nlake;drop;\n")
    with pytest.raises(DatasetError, match="has no column 'decision'; it has label;decision;into"):
        read_decisions(path)
    path.write_bytes(b"\xff\xfe\x00\x01" * 10)
    with pytest.raises(DatasetError, match="is not UTF-8 text"):
        read_decisions(path)
    path.write_bytes(b"")
    assert read_decisions(path) == ()
    append_decisions(path, [MERGE])
    assert read_decisions(path) == (MERGE,)


@pytest.mark.parametrize("name", ["decisions.yaml", "decisions.YML"])
def test_a_yaml_file_should_be_csv(tmp_path: Path, name: str) -> None:
    for use in (read_decisions, lambda path: append_decisions(path, [MERGE])):
        with pytest.raises(
            DatasetError,
            match="is named as YAML; it should be a CSV file with the columns decision, label",
        ):
            use(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_line_break_in_a_new_label_is_an_error() -> None:
    with pytest.raises(DatasetError, match="holds a semicolon or a line break"):
        Decision("add", "fish\npond")


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        append_decisions(tmp_path / "no folder" / "decisions.csv", [MERGE])


def test_a_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "decisions.csv"
    append_decisions(path, [MERGE])
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mastershot.store.files.os.fsync", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        append_decisions(path, [Decision("drop", "horizon")])
    assert path.read_bytes() == before
