import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.training.engine import metrics_log
from mastershot.training.engine.metrics_log import MetricsLog, read_entries, read_log

VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.text('aé\n"\x00日'))


def test_a_log_is_read_past_what_a_killed_run_left_in_it(tmp_path: Path) -> None:
    assert read_log(tmp_path) == []
    cut_in_a_letter = '{"film": "é'.encode()[:-1]
    lines = [
        b'{"step": 1, "seconds": 0.1, "loss": 3}',
        cut_in_a_letter,
        b"\x00\x00",
        b"[1]",
        b'{"step": [2], "seconds": 1}',
        b'{"step": 2, "seconds": 0.2, "loss": 2}',
        b'{"step": 2, "seconds": 0.1, "loss": 1}',
    ]
    (tmp_path / "log.jsonl").write_bytes(b"\n".join(lines))
    assert [(entry["step"], entry["loss"]) for entry in read_log(tmp_path)] == [(1, 3), (2, 1)]
    assert len(list(read_entries(tmp_path))) == 4


@given(entries=st.lists(st.dictionaries(st.text("aé\r\n\x1e日"), VALUES)))
def test_entries_come_back_without_figures_that_are_not_finite(
    entries: list[dict[str, Any]],
) -> None:
    with TemporaryDirectory() as folder:
        for entry in entries:
            MetricsLog(Path(folder)).write(entry)
        finite = [
            {k: v for k, v in entry.items() if not isinstance(v, float) or math.isfinite(v)}
            for entry in entries
        ]
        assert list(read_entries(Path(folder))) == finite


def test_a_step_is_noted_rounded_with_the_seconds_since_the_run_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = iter([100.0, 102.34, 500.0, 501.0, 600.0])
    monkeypatch.setattr(metrics_log.time, "monotonic", lambda: next(now_s))
    MetricsLog(tmp_path).note(5, {"loss": 0.1234567, "age": math.nan}, queue="short")
    MetricsLog(tmp_path).note(2, {"loss": 1.0})
    MetricsLog(tmp_path).write({"step": 9, "unread": []})  # counts, which are no figures of a step
    assert read_log(tmp_path) == [
        {"step": 2, "seconds": 1.0, "loss": 1.0},
        {"step": 5, "seconds": 2.3, "loss": 0.12346, "queue": "short"},
    ]


def test_a_line_separator_within_a_name_does_not_split_an_entry(tmp_path: Path) -> None:
    entry = {"unread": ["a\u2028b\u0085.mp4"]}
    MetricsLog(tmp_path).write(entry)
    assert list(read_entries(tmp_path)) == [entry]


def test_only_the_first_process_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_log, "is_rank_zero", lambda: False)
    MetricsLog(tmp_path).note(1, {"loss": 1.0})
    assert not any(tmp_path.iterdir())
