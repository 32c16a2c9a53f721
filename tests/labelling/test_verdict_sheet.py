import csv
from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError
from mastershot.core.labels import Taxonomy
from mastershot.labelling.draw_file import Draw, ShownShot
from mastershot.labelling.verdict_sheet import read_verdicts, write_sheet, write_verdicts
from mastershot.labelling.verdicts import Verdict, VerdictTable

PLACES = Taxonomy("places", ("bar", "zoo"))
DRAW = Draw(
    PLACES, "proportional", 0, 9,
    tuple(ShownShot("v", f"{n}.mp4", 0, 1, ("zoo", "bar"), "zoo", 3.0) for n in (1, 2)),
)  # fmt: skip


def sheet(tmp_path: Path, text: str) -> Path:
    (tmp_path / "ann.csv").write_text(text)
    return tmp_path / "ann.csv"


def test_a_blank_sheet_holds_the_drawn_shots_and_no_verdict(tmp_path: Path) -> None:
    write_sheet(tmp_path / "blank.csv", DRAW)
    with (tmp_path / "blank.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["shot"], row["shown"]) for row in rows] == [
        ("v/1.mp4", "zoo;bar"), ("v/2.mp4", "zoo;bar"),
    ]  # fmt: skip
    assert read_verdicts(tmp_path / "blank.csv", DRAW) == []


def test_a_filled_sheet_is_read_in_its_order(tmp_path: Path) -> None:
    text = "rater,shot,ticked,note\nann,v/2.mp4, zoo ; bar ,hm\nann,v/1.mp4,,\nann,v/2.mp4,bar,\n"
    assert read_verdicts(sheet(tmp_path, text), DRAW) == [
        Verdict("v/2.mp4", "ann", ("zoo", "bar"), ("zoo", "bar"), "undated"),
        Verdict("v/1.mp4", "ann", ("zoo", "bar"), (), "undated"),
        Verdict("v/2.mp4", "ann", ("zoo", "bar"), ("bar",), "undated"),
    ]


def test_verdicts_are_read_as_they_were_written(tmp_path: Path) -> None:
    verdicts = [Verdict("v/1.mp4", 'a "b", c', ("zoo", "bar"), ("bar",), "2025-01-01T00:00:00Z")]
    write_verdicts(tmp_path / "all.csv", verdicts)
    assert read_verdicts(tmp_path / "all.csv", DRAW) == verdicts


def test_the_append_only_table_is_read_too(tmp_path: Path) -> None:
    table = VerdictTable(tmp_path / "all.jsonl")
    verdict = Verdict("v/1.mp4", "ann", ("zoo", "bar"), ("bar",), "2025-01-01T00:00:00Z")
    table.append(verdict)
    assert read_verdicts(tmp_path / "all.jsonl", DRAW) == [verdict]
    table.append(Verdict("v/9.mp4", "ann", ("zoo",), (), "2025-01-01T00:00:00Z"))
    with pytest.raises(DatasetError, match=r"all\.jsonl names shot 'v/9\.mp4', which was not"):
        read_verdicts(tmp_path / "all.jsonl", DRAW)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shot,rater\nv/1.mp4,ann\n", "has no column 'ticked'"),
        ("shot,rater,ticked\nv/9.mp4,ann,zoo\n", "names shot 'v/9.mp4', which was not drawn"),
        ("shot,rater,ticked\nv/1.mp4,ann,inn\n", "'ann' ticks 'inn' on v/1.mp4, .* zoo, bar"),
        ("shot,rater,ticked\nv/1.mp4,,zoo\n", "lacks its rater"),
        ("shot,rater,ticked\nv/1.mp4,ann,zoo;zoo\n", "each once, not 'zoo', 'zoo'"),
        ("shot,rater,ticked\nv/1.mp4,ann\n", "line 2: the row has another number of cells"),
    ],
)
def test_a_sheet_that_cannot_be_meant_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_verdicts(sheet(tmp_path, text), DRAW)
