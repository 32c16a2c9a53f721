"""Files from elsewhere, read with care."""

from pathlib import Path

from mastershot.core.errors import EditsError

_MAX_BYTES = 256 << 20


def read_text(path: Path) -> str:
    """Return the text of a file from elsewhere.

    Raises:
        EditsError: It cannot be read, is empty, too large, or no text.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise EditsError(f"{path} is larger than 256 MB; it is no list of edits")
        data = path.read_bytes()
    except OSError as error:
        raise EditsError(f"{path} cannot be read: {error.strerror or error}") from error
    if not data.strip():
        raise EditsError(f"{path} is empty; it should be a list of edits")
    if b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise EditsError(f"{path} is binary, not text; it is no list of edits")
    is_wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise EditsError(f"{path} is no text that can be read; it is no list of edits")
