import os
from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError, MediaError, OutputError
from mastershot.core.files import make_folder, replacing, reporting_errors, written_whole


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")

    def write_half() -> None:
        with written_whole(path) as file:
            file.write("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_is_not_there_cannot_be_written_to(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="cannot be written: No such file"),
        written_whole(tmp_path / "none" / "a.txt"),
    ):
        pass


def test_a_folder_in_the_place_of_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"folder .*file cannot be made: File exists"):
        make_folder(tmp_path / "file")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FileNotFoundError(2, "a long story"), "No such file or directory"),
        (RuntimeError("lance error: IO (os error 28), /rust/io.rs:1:2"), "No space left on device"),
        (RuntimeError("IO (os error 28)\nat /rust/io.rs:1:2"), "No space left on device"),
        (UnicodeDecodeError("utf-8", b"a\xff", 1, 2, "bad"), "it is not UTF-8 text .*0xff.*"),
        (RuntimeError("x" * 999), "x{300}"),
        (ValueError("lance error: bad page, /rust/page.rs:3:4\nmore"), "bad page"),
    ],
)
def test_why_a_store_failed_is_said_in_a_few_words(error: Exception, reason: str) -> None:
    with (
        pytest.raises(DatasetError, match=f"^list cannot be read: {reason}$"),
        reporting_errors(DatasetError, "list cannot be read"),
    ):
        raise error


@pytest.mark.parametrize("error", [KeyError("ours"), MediaError("ours"), KeyboardInterrupt()])
def test_other_errors_are_not_the_stores(error: BaseException) -> None:
    with (
        pytest.raises(type(error)) as caught,
        reporting_errors(DatasetError, "list cannot be read"),
    ):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("name", ["ArrowException", "RustPanic", "PanicException"])
def test_a_store_may_fail_with_what_is_no_exception(name: str) -> None:
    panic = type("Special", (type(name, (BaseException,), {}),), {})("index out of bounds")
    with (
        pytest.raises(DatasetError, match=r"^rows: index out of bounds$") as caught,
        reporting_errors(DatasetError, "rows"),
    ):
        raise panic
    assert caught.value.__cause__ is panic


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_what_interrupts_a_replacement_leaves_the_file_alone(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")

    def write_half() -> None:
        with replacing(path, ending=".new") as partial:
            partial.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        write_half()
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"a.bin": b"before"}


def test_what_an_earlier_run_left_half_written_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    left = path.with_name(f"a.txt.{os.getpid()}.part")
    left.write_text("a much longer text of an earlier run")
    with written_whole(path) as file:
        file.write("new")
        assert not path.exists()
    assert {entry.name: entry.read_text() for entry in tmp_path.iterdir()} == {"a.txt": "new"}


def test_two_processes_that_write_one_file_leave_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    with written_whole(path) as file:
        file.write("one")
        file.flush()
        monkeypatch.setattr(os, "getpid", lambda: 1)
        with written_whole(path) as other:
            other.write("the other")
        assert path.read_text() == "the other"
    assert {entry.name: entry.read_text() for entry in tmp_path.iterdir()} == {"a.txt": "one"}


def test_a_file_in_the_place_of_a_folder_cannot_be_written_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "taken").mkdir()
    with (
        pytest.raises(OutputError, match=r"taken cannot be written: Is a directory$"),
        written_whole(tmp_path / "taken") as file,
    ):
        file.write("text")
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]


def test_text_is_utf_8_with_the_line_breaks_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with written_whole(path) as file:
        file.write("é\nfilm\udcff.mp4\n")  # A name that is not UTF-8, as Python holds it.
    assert path.read_bytes() == b"\xc3\xa9\nfilm\\udcff.mp4\n"
    with written_whole(path, newline="\r\n") as file:
        file.write("a\n\n")
    assert path.read_bytes() == b"a\r\n\r\n"


def test_a_folder_is_made_with_those_above_it_and_may_be_there(tmp_path: Path) -> None:
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
        assert (tmp_path / "a" / "b").is_dir()
        (tmp_path / "a" / "b" / "kept").write_text("")
    assert (tmp_path / "a" / "b" / "kept").exists()
