"""Paths as the tables keep them, which hold UTF-8 alone."""

import os
from urllib.parse import quote_from_bytes, unquote_to_bytes

_SCHEME = "file:"


def stored_path(path: str) -> str:
    """Return a path as a table keeps it: as it is, or as ``file:caf%E9.mp4`` if it is no UTF-8.

    Raises:
        UnicodeEncodeError: It is no file name at all.
    """
    return path if _is_utf8(path) and read_path(path) == path else _uri(path)


def read_path(stored: str) -> str:
    """Return the path that `stored_path` made this of; what it did not make stays as it is."""
    if not stored.startswith(_SCHEME):
        return stored
    path = os.fsdecode(unquote_to_bytes(stored.removeprefix(_SCHEME)))
    needs_uri = path.startswith(_SCHEME) or not _is_utf8(path)
    return path if needs_uri and _uri(path) == stored else stored


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _uri(path: str) -> str:
    return _SCHEME + quote_from_bytes(os.fsencode(path))
