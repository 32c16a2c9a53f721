from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.files import make_folder, reporting_errors, written_whole


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
        (ValueError("lance error: bad page, /rust/page.rs:3:4\nmore"), "bad page"),
    ],
)
def test_why_a_store_failed_is_said_in_a_few_words(error: Exception, reason: str) -> None:
    with (
        pytest.raises(DatasetError, match=f"^list cannot be read: {reason}$"),
        reporting_errors(DatasetError, "list cannot be read"),
    ):
        raise error


def test_other_errors_are_not_the_stores() -> None:
    with (
        pytest.raises(KeyError),
        reporting_errors(DatasetError, "list cannot be read"),
    ):
        raise KeyError("ours")
