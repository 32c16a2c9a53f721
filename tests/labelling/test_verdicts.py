"""Verdicts are kept: what was acknowledged is read, whatever happens after."""

import csv
import json
import multiprocessing
from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.labels import Taxonomy
from mastershot.labelling.draws import Draw, ShownShot
from mastershot.labelling.verdicts import (
    Verdict,
    VerdictTable,
    read_verdicts,
    write_sheet,
    write_verdicts,
)

PLACES = Taxonomy("places", ("bar", "zoo"))
DRAW = Draw(
    PLACES, "proportional", 0, 9,
    tuple(ShownShot("v", f"{n}.mp4", 0, 1, ("zoo", "bar"), "zoo", 3.0) for n in (1, 2)),
)  # fmt: skip


def verdict(shot: str = "v/1.mp4", rater: str = "ann", *ticked: str) -> Verdict:
    return Verdict(shot, rater, ("bar", "zoo"), ticked, "2025-01-01T00:00:00Z")


def test_verdicts_are_read_in_the_order_they_came(tmp_path: Path) -> None:
    table = VerdictTable(tmp_path / "verdicts.jsonl")
    assert table.read() == ()
    given = [verdict(), verdict("v/1.mp4", "ann", "zoo"), verdict("é\n/1.mp4", "bob", "bar")]
    for one in given:
        table.append(one)
    assert table.read() == tuple(given)
    assert len((tmp_path / "verdicts.jsonl").read_text().splitlines()) == 3


def test_a_line_cut_off_anywhere_costs_that_verdict_alone(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    table = VerdictTable(path)
    table.append(verdict())
    first = path.read_bytes()
    table.append(verdict("v/2.mp4"))
    whole = path.read_bytes()
    for end in range(len(first), len(whole)):
        path.write_bytes(whole[:end])
        assert table.read() == (verdict(),)
        table.append(verdict("v/3.mp4"))
        assert table.read() == (verdict(), verdict("v/3.mp4"))


def test_a_first_line_cut_off_leaves_no_verdict(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    path.write_bytes(b'{"shot": "v')
    assert VerdictTable(path).read() == ()
    VerdictTable(path).append(verdict())
    assert VerdictTable(path).read() == (verdict(),)


def test_a_verdict_in_the_place_of_a_longer_one_leaves_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    VerdictTable(path).append(verdict())
    path.write_bytes(path.read_bytes() + b'{"shot": "' + b"v" * 1000)
    VerdictTable(path).append(verdict("v/2.mp4"))
    assert VerdictTable(path).read() == (verdict(), verdict("v/2.mp4"))
    assert path.read_bytes().endswith(b'Z"}\n')


def append_many(path: Path, rater: str) -> None:
    for number in range(40):
        VerdictTable(path).append(verdict(f"v/{number}.mp4", rater))


def test_raters_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=append_many, args=(path, name)) for name in ("ann", "bob")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    found = VerdictTable(path).read()
    for rater in ("ann", "bob"):
        mine = [one.shot for one in found if one.rater == rater]
        assert mine == [f"v/{number}.mp4" for number in range(40)]


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[]",
        "{}",
        json.dumps({"shot": 1, "rater": "a", "shown": ["a"], "ticked": [], "made": "t"}),
        json.dumps({"shot": "a", "rater": "a", "shown": 7, "ticked": [], "made": "t"}),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "verdicts.jsonl"
    VerdictTable(path).append(verdict())
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DatasetError, match=r"verdicts\.jsonl, line 2: not a verdict"):
        VerdictTable(path).read()


def test_a_place_that_cannot_hold_verdicts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        VerdictTable(tmp_path / "none" / "verdicts.jsonl").append(verdict())
    with pytest.raises(DatasetError, match="cannot be read: Is a directory"):
        VerdictTable(tmp_path).read()


@pytest.mark.parametrize(
    ("shown", "ticked", "rater", "message"),
    [
        (("bar",), ("zoo",), "ann", "should tick labels that were shown, each once, not 'zoo'"),
        (("bar",), ("bar", "bar"), "ann", "should tick labels that were shown, each once"),
        ((), (), "ann", "should show labels, each once"),
        (("bar", "bar"), (), "ann", "should show labels, each once"),
        (("bar",), (), "", "by '' lacks its rater"),
    ],
)
def test_a_verdict_that_cannot_be_is_an_error(
    shown: tuple[str, ...], ticked: tuple[str, ...], rater: str, message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        Verdict("v/1.mp4", rater, shown, ticked, "2025-01-01T00:00:00Z")


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
