"""A heading's text in plain characters, without traces of scanning and wrong encodings."""

import re

_SLIPPED_BYTES = re.compile("[\u00c2\u00c3\u00e2]+[\x80-\x9f\u00a0-\u00bf\u00c2\u00e2]+")
_ABBREVIATED = re.compile(
    r"\b(MR|MRS|MS|DR|ST|MT|FT|SGT|LT|CAPT|COL|GEN|PROF|REV|JR|SR|NO|CO|INC|SQ|RD|AVE|BLVD|APTS?|"
    r"BLDG|RM|DEPT|HQ|CTR|HWY|PKWY|STS)\.|(?<![^\W_])([A-Z])\.",
    re.I,
)
_FULL_WORDS = {
    "APT": "APARTMENT",
    "APTS": "APARTMENTS",
    "AVE": "AVENUE",
    "BLDG": "BUILDING",
    "BLVD": "BOULEVARD",
    "CTR": "CENTER",
    "DEPT": "DEPARTMENT",
    "HANGER": "HANGAR",  # the slip is commoner in scripts than the thing for clothes
    "HQ": "HEADQUARTERS",
    "HWY": "HIGHWAY",
    "PKWY": "PARKWAY",
    "RD": "ROAD",
    "RM": "ROOM",
    "SQ": "SQUARE",
}
_FULL = re.compile(r"\b(" + "|".join(_FULL_WORDS) + r")\b(?!\.\w)", re.I)
_NOISE = re.compile(r"##.*?##|<[^>]*>|[*#_=^~]")
_PARTED_OWNER = re.compile(r"'\s+S\b")
_GLUED_OWNER = re.compile(r"(?<=\wS')(?=[A-Z]{3})")
_GLUED_NUMBER = re.compile(r"(?<=[A-Za-z]{3})\.?(?=\d)")
_QUOTED = re.compile(r'"([^"]*)"(?=\s*(\w)?)')
_TIME = r"(?:DAY|NIGHT|MORNING|EVENING|AFTERNOON|DUSK|DAWN|SUNSET|TWILIGHT|LATER|CONTINUOUS)"
# A street where nothing follows that a saint could be called.
_STREET = re.compile(rf"\bST(S?)(?=\s*(?:$|[-/,(&]|{_TIME}\b))", re.I)
# A lost line break: "DAYThe car stops", "NIGHT A man", "DAY THE CAR stops", "- NIGHTTRACKING".
_PROSE = re.compile(
    rf"\b(?:{_TIME}|SAME)(?=\s*(?:[A-Z][a-z]|[a-z]{{2}})|\s*[AI] [a-z]|\s*\.\s*\.|\s*[A-Z]'[a-z])"
    rf"|(?<=[-.] ){_TIME}(?= [^-/]*\s[a-z]{{2}})"
    r"|[-.]\s*(?:DAY|NIGHT|MORNING|EVENING|AFTERNOON)"
    r"(?=[A-Z]{3})(?!TIME|LIGHT|BREAK|CLUB|FALL|MARE|STAND|ROOM|SHIFT|CARE|GOWN|SIDE|INGALE|TON|BED)"
)
_HYPHENED_TIME = re.compile(
    rf"(?<=\w)(?<!\bMID)(?<!\bPRE)-(?='?(?:LATE |EARLY |PRE-)?{_TIME}\b)", re.I
)
_HYPHEN = re.compile(r"(?<=\w\w)(?<!\bMID)(?<!\bPRE)-(?=\w\w)", re.I)
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u0091\u0092`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u0093\u0094", '"'),
        **dict.fromkeys("\u2012\u2013\u2014\u2015\u0096\u0097\u00ad", " - "),
        **dict.fromkeys("\u2026\u0085", " ... "),
        "\u00a0": " ",
    }
)


def clean(text: str) -> str:
    """Return a heading without its setting in plain quotes, dashes and words, ready to be split."""
    if not text.isascii():
        text = _SLIPPED_BYTES.sub(_mended, text).translate(_PLAIN)
    text = _NOISE.sub(" ", text).replace("`", "'")
    if "'" in text:
        text = _GLUED_OWNER.sub(" ", _PARTED_OWNER.sub("'S", text))
    if "." in text:
        text = _ABBREVIATED.sub(lambda match: match[1] or match[2], text)
    text = _FULL.sub(lambda match: _FULL_WORDS[match[1].upper()], text)
    text = _STREET.sub(r"STREET\1", text)
    text = _GLUED_NUMBER.sub(" ", text)
    if prose := _PROSE.search(text):
        text = text[: prose.end()]
    if "-" in text and _HYPHENED_TIME.search(text):
        text = text if " - " in text else _HYPHEN.sub(" - ", text)  # TEMPLE-HALLWAY-DAY
        text = _HYPHENED_TIME.sub(" - ", text)
    return _QUOTED.sub(_unquoted, text) if '"' in text else text


def _mended(match: re.Match[str]) -> str:
    """Return what was written in UTF-8 and read, once or twice, as Latin-1."""
    text = match.group()
    for _ in range(2):
        try:
            text = text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            break
    return text


def _unquoted(match: re.Match[str]) -> str:
    """Return what is in quotes, or nothing where it is a longer name of the word after it."""
    inner, after = match[1], match[2]
    return " " if after and " " in inner and inner[-1] not in ",." else f" {inner} "
