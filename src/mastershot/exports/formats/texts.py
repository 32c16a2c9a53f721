"""Text files that people bring: of any usual encoding, never a binary, never endless."""

import codecs
from pathlib import Path

from mastershot.core.errors import EditsError

_MAX_BYTES = 256 << 20
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        EditsError: It is missing, a folder, empty, or larger than 256 MB.
    """
    try:
        if path.is_dir():
            raise EditsError(f"{path} is a folder; name one file in it")
        if (size_bytes := path.stat().st_size) > _MAX_BYTES:
            raise EditsError(f"{path} has {size_bytes:,} bytes; such a file has less than 256 MB")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise EditsError(f"{path} does not exist") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EditsError(f"{path} cannot be read: {reason}") from error
    if not data.strip():
        raise EditsError(f"{path} is empty")
    return data


def read_text(path: Path) -> tuple[str, str]:
    """Return a file's text, and ``Windows-1252`` if it had to be taken for that, else nothing.

    Raises:
        EditsError: It cannot be read, or is no text.
    """
    data = read_bytes(path)
    mark = next((mark for mark in _MARKS if data.startswith(mark)), None)
    encoding, fallback = ("utf-8", "") if mark is None else (_MARKS[mark], "")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        if mark is not None or b"\x00" in data:
            raise EditsError(f"{path} is a binary file, not a text") from None
        text, fallback = data.decode("cp1252", "replace"), "Windows-1252"
    if "\x00" in text or _num_controls(text) > len(text) // 100:
        raise EditsError(f"{path} is a binary file, not a text")
    return text, fallback


def _num_controls(text: str) -> int:
    return sum(text.count(chr(code)) for code in range(32) if chr(code) not in "\t\n\r\f\x1a")
