from pathlib import Path

import pytest

from mastershot.core.errors import EditsError
from mastershot.exports.formats.files import read_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_of_any_usual_encoding_is_read(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.edl"
    path.write_bytes("TITLE: Tür\n".encode(encoding))
    assert read_text(path) == "TITLE: Tür\n"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty; it should be"),
        (b" \r\n", "is empty"),
        (b"\x00\x01RIFF", "is binary, not text"),
        (b"\xff\xfe\x00\xd8\x00", "is no text that can be read"),
    ],
)
def test_what_is_no_text_is_one_sentence(data: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "a.edl"
    path.write_bytes(data)
    with pytest.raises(EditsError, match=sentence):
        read_text(path)


def test_a_folder_or_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(EditsError, match="cannot be read"):
            read_text(path)
