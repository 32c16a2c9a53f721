from pathlib import Path

import pytest

from mastershot.core.errors import EditsError
from mastershot.exports.formats.texts import read_text


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("cp1252", "Windows-1252")],
)
def test_text_of_any_usual_encoding_is_read(encoding: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "a.edl"
    path.write_bytes("TITLE: Tür\n".encode(encoding))
    assert read_text(path) == ("TITLE: Tür\n", told)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b"\x00\x01RIFF", "is a binary file, not a text"),
        (b"\xff\xfe\x00\xd8\x00", "is a binary file, not a text"),
        (b"\x01\x02\x03 a few letters", "is a binary file, not a text"),
    ],
)
def test_what_is_no_text_is_one_sentence(data: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "a.edl"
    path.write_bytes(data)
    with pytest.raises(EditsError, match=sentence):
        read_text(path)


def test_a_folder_a_missing_file_and_a_huge_one_are_one_sentence(tmp_path: Path) -> None:
    huge = tmp_path / "huge.edl"
    with huge.open("wb") as file:
        file.truncate((256 << 20) + 1)
    for path, sentence in (
        (tmp_path, "is a folder; name one file in it"),
        (tmp_path / "none", "does not exist"),
        (huge, "such a file has less than 256 MB"),
    ):
        with pytest.raises(EditsError, match=sentence):
            read_text(path)
