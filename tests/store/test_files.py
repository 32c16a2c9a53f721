"""One writer at a time, files whole or not at all, rows added whole."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mastershot.store.files import append_row, exclusive, write_whole


def test_a_lock_is_waited_for_by_other_threads_and_free_after_an_error(tmp_path: Path) -> None:
    order: list[str] = []
    started = threading.Event()

    def second() -> None:
        started.set()
        with exclusive(tmp_path / ".lock"):
            order.append("second")

    def first() -> None:
        with exclusive(tmp_path / ".lock"):
            thread.start()
            started.wait()
            thread.join(0.05)
            order.append("first")
            raise KeyError

    thread = threading.Thread(target=second)
    with pytest.raises(KeyError):
        first()
    thread.join(10)
    assert order == ["first", "second"]


def test_a_file_that_serves_as_lock_keeps_its_content(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"a,b\n")
    with exclusive(tmp_path / "rows.csv"):
        pass
    assert (tmp_path / "rows.csv").read_bytes() == b"a,b\n"
    with pytest.raises(FileNotFoundError), exclusive(tmp_path / "absent" / ".lock"):
        pass


def test_a_file_is_replaced_whole_or_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "film.npz"
    write_whole(path, b"long content")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"

    def half(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"other")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["film.npz"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    before=st.sampled_from([None, b"", b"h\n", b"h\nlast line", b"\xff", b"\n"]),
    rows=st.lists(st.binary(max_size=5).map(lambda row: row + b"\n"), max_size=4),
)
def test_rows_follow_one_header_each_on_a_line_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, before: bytes | None, rows: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    if before is not None:
        path.write_bytes(before)
    for row in rows:
        append_row(path, row, header=b"h\n")
    kept = before or (b"h\n" if rows else b"")
    end = b"\n" if rows and not kept.endswith(b"\n") else b""
    found = path.read_bytes() if path.exists() else b""
    assert found == kept + end + b"".join(rows)


@pytest.mark.parametrize("before", [b"", b"h\n", b"h\nlast line"])
@pytest.mark.parametrize("failing", ["fsync", "write"])
def test_a_row_that_does_not_fit_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes, failing: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(before)
    if failing == "fsync":

        def fail(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("mastershot.store.files.os.fsync", fail)
    else:
        opened = Path.open

        def short(self: Path, mode: str, *args: Any, **options: Any) -> Any:
            file = opened(self, mode, *args, **options)
            return ShortWriter(file) if mode == "r+b" else file

        monkeypatch.setattr(Path, "open", short)
    with pytest.raises(OSError, match="No space left on device"):
        append_row(path, b"a row\n", header=b"h\n")
    assert path.read_bytes() == before


class ShortWriter:
    """A file on a disk that takes three more bytes."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> "ShortWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        return os.write(self._file.fileno(), data[:3])
