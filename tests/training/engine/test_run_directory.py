from pathlib import Path

from mastershot.training.engine.metrics_log import read_entries, read_log


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
