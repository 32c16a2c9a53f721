import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories.moderation import scored_timeline

from mastershot.core.errors import DatasetError, OutputError
from mastershot.labelling.moderation import verdicts
from mastershot.labelling.moderation.policy import load_policy
from mastershot.labelling.moderation.queue import Queue, draw_queue
from mastershot.labelling.moderation.verdicts import (
    DecisionLog,
    guideline_key,
    latest_decisions,
    read_decisions,
)
from mastershot.store.features import FolderFeatures


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Queue:
    store = FolderFeatures(tmp_path_factory.mktemp("features"))
    film = scored_timeline(store, porn={10: 0.9})
    return draw_queue([("film.mp4", film)], load_policy(), num_shots=1)


def table(tmp_path: Path, *rows: str, columns: str = "shot,rater,ticked,note,made") -> Path:
    path = tmp_path / "verdicts.csv"
    path.write_text("\n".join([columns, *rows, ""]))
    return path


def test_a_table_gives_verdicts_and_blank_rows_none(queue: Queue, tmp_path: Path) -> None:
    flag, shot = queue.items
    rows = (
        f"{flag.id}, Ann ,confirm,plain,",
        f'{shot.id},Ann,"sex;violence",,2026-01-02',
        f"{shot.id},,,,",
    )
    first, second = read_decisions(table(tmp_path, *rows), queue)
    assert (first.reviewer, first.ticked, first.note, first.made) == (
        "Ann",
        ("confirm",),
        "plain",
        "undated",
    )
    assert (second.ticked, second.made, second.policy) == (
        ("sex", "violence"),
        "2026-01-02",
        queue.fingerprint,
    )


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("deadbeef/m1,Ann,confirm", "line 2: 'deadbeef/m1' is no interval or shot of this queue"),
        ("FLAG,,confirm", "names no reviewer; fill in column rater"),
        ("FLAG,Ann,", "nothing is ticked"),
        ("FLAG,Ann,confirm;reject", "confirm, reject is ticked on .*; tick one of confirm, reject"),
        ("FLAG,Ann,yes", "'yes' is ticked on .*, which offers confirm, reject, unsure"),
        ("SHOT,Ann,none;sex", "none, sex is ticked on .*, or several classes"),
    ],
)
def test_a_wrong_row_is_one_sentence_with_its_line(
    queue: Queue, tmp_path: Path, row: str, sentence: str
) -> None:
    flag, shot = queue.items
    path = table(
        tmp_path,
        row.replace("FLAG", flag.id).replace("SHOT", shot.id),
        columns="shot,rater,ticked",
    )
    with pytest.raises(DatasetError, match=sentence):
        read_decisions(path, queue)


def test_a_table_without_a_column_is_refused(queue: Queue, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has no column 'rater'"):
        read_decisions(table(tmp_path, columns="shot,ticked"), queue)


def test_the_log_says_who_when_what_and_what_before(queue: Queue, tmp_path: Path) -> None:
    flag, log = queue.items[0], DecisionLog(tmp_path / "log.jsonl")
    assert log.read() == ()
    (first,) = log.record(read_decisions(table(tmp_path, f"{flag.id},Ann,confirm,,"), queue))
    assert (first.previous, first.recorded[:2]) == (None, "20")
    before = (tmp_path / "log.jsonl").read_bytes()
    assert log.record(read_decisions(table(tmp_path, f"{flag.id},Ann,confirm,,"), queue)) == []
    assert (tmp_path / "log.jsonl").read_bytes() == before
    rows = (f"{flag.id},Ann,reject,looked again,", f"{flag.id},Bob,confirm,,")
    changed, other = log.record(read_decisions(table(tmp_path, *rows), queue))
    assert (changed.previous, other.previous) == (("confirm",), None)
    assert (tmp_path / "log.jsonl").read_bytes().startswith(before)
    assert log.read() == (first, changed, other)
    latest = latest_decisions(log.read())[flag.id]
    assert {name: one.ticked for name, one in latest.items()} == {
        "ann": ("reject",),
        "bob": ("confirm",),
    }


def test_a_line_that_was_changed_or_taken_out_is_noticed(queue: Queue, tmp_path: Path) -> None:
    flag, path = queue.items[0], tmp_path / "log.jsonl"
    for name in ("Ann", "Bob", "Cid"):
        DecisionLog(path).record(
            read_decisions(table(tmp_path, f"{flag.id},{name},confirm,,"), queue)
        )
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0].replace("confirm", "reject", 1) + "".join(lines[1:]))
    with pytest.raises(DatasetError, match="line 2: it does not follow the line before"):
        DecisionLog(path).read()
    path.write_text(lines[0] + lines[2])
    with pytest.raises(DatasetError, match="line 2: it does not follow"):
        DecisionLog(path).record(read_decisions(table(tmp_path, f"{flag.id},Dan,confirm,,"), queue))
    path.write_text("no verdict\n")
    with pytest.raises(DatasetError, match="line 1: not a verdict"):
        DecisionLog(path).read()
    path.write_text(json.dumps(json.loads(lines[0]) | {"note": 7}) + "\n")
    with pytest.raises(DatasetError, match="not a verdict"):
        DecisionLog(path).read()


def test_a_line_cut_off_by_a_crash_is_overwritten(queue: Queue, tmp_path: Path) -> None:
    flag, path = queue.items[0], tmp_path / "log.jsonl"
    log = DecisionLog(path)
    log.record(read_decisions(table(tmp_path, f"{flag.id},Ann,confirm,,"), queue))
    with path.open("ab") as file:
        file.write(b'{"item": "cut o')
    assert [one.reviewer for one in log.read()] == ["Ann"]
    log.record(read_decisions(table(tmp_path, f"{flag.id},Bob,confirm,,"), queue))
    assert [one.reviewer for one in log.read()] == ["Ann", "Bob"]


def test_a_log_that_cannot_be_written_or_read_is_one_sentence(
    queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    found = read_decisions(table(tmp_path, f"{queue.items[0].id},Ann,confirm,,"), queue)
    monkeypatch.setattr(verdicts, "append_lines", full)
    with pytest.raises(OutputError, match="cannot be written: No space left"):
        DecisionLog(tmp_path / "log.jsonl").record(found)
    with pytest.raises(DatasetError, match="cannot be read: Is a directory"):
        DecisionLog(tmp_path).read()


def test_a_verdict_by_other_words_stands_beside_the_earlier_one(
    queue: Queue, tmp_path: Path
) -> None:
    flag, log = queue.items[0], DecisionLog(tmp_path / "log.jsonl")
    path = table(tmp_path, f"{flag.id},Ann,confirm,,")
    log.record(read_decisions(path, queue))
    other = replace(queue, guidelines={**queue.guidelines, "sex": "Confirm nothing."})
    assert guideline_key(other, flag) != guideline_key(queue, flag)
    (again,) = log.record(read_decisions(path, other))
    assert again.previous == ("confirm",)
    lenient = replace(queue, guidelines={**queue.guidelines, "violence": "Confirm nothing."})
    assert guideline_key(lenient, flag) == guideline_key(queue, flag)
    assert guideline_key(lenient, queue.items[1]) != guideline_key(queue, queue.items[1])
