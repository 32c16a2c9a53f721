"""Text as a terminal, a page or a UTF-8 file can take it, whatever a file is called."""

import unicodedata

_JOINERS = "\u200c\u200d"  # of Persian words and of emoji


def printable(text: str) -> str:
    """Return a text as one line that steers no terminal, for people to read.

    What cannot be seen is written out: ESC as ``\\x1b``, a line break as ``\\n``, what turns the
    direction of writing as ``\\u202e``, and a byte of a file name that is no UTF-8 as ``\\xe9``.
    """
    if text.isprintable():
        return text
    return "".join(sign if _is_seen(sign) else _written_out(sign) for sign in text)


def utf8_text(text: str) -> str:
    """Return a text with ``\\udce9`` in the place of what UTF-8 cannot hold; JSON reads it back."""
    return text.encode("utf-8", "backslashreplace").decode()


def _is_seen(sign: str) -> bool:
    return sign.isprintable() or sign in _JOINERS or unicodedata.category(sign) == "Zs"


def _written_out(sign: str) -> str:
    byte = ord(sign) - 0xDC00  # Python's stand-in for a byte that it could not decode (PEP 383)
    if 0x80 <= byte <= 0xFF:
        return f"\\x{byte:02x}"
    return sign.encode("unicode_escape").decode("ascii")
