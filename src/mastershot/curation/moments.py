"""When a scene is: words for a time of day, or for a time relative to another scene."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from mastershot.curation.vocabulary import Spellings, words_of


def _upper(section: str) -> frozenset[str]:
    return frozenset(word.upper() for word in words_of(section))


_NAMED = _upper("times of day")
_RELATIVE = _upper("relative times")
_UNITS = _upper("units of time")
_FILLERS = _UNITS | _upper("words around times")
_SPELLINGS = {"NITE": "NIGHT", "EVE": "EVENING"}
_MEANT = Spellings(
    [
        word.lower()
        for word in sorted(_NAMED | _RELATIVE)
        if len(word) > 5 or word in {"NIGHT", "LATER"}
    ],
    min_length=5,
)
_PHRASES = frozenset({"MAGIC HOUR", "GOLDEN HOUR", "FIRST LIGHT", "LAST LIGHT"})
_LOOKS: dict[Literal["DAY", "NIGHT"], frozenset[str]] = {
    "DAY": _upper("looks of day"),
    "NIGHT": _upper("looks of night"),
}
_ONLY_BEFORE_MORE = frozenset({"OF", "AT", "THE", "A", "AN", "IN", "ON", "AND", ""})
_NOT_FIRST = frozenset({"IN", "AT", "ON", "OF", "AFTER", ""})
_NUMBER = re.compile(r"[A-Z]{0,3}\d+-?[A-Z]{1,3}|[A-Z]{1,3}-?\d+")  # of a scene: 12A, A12
_CLOCK = re.compile(
    r"\b(?:(\d{1,2}(?::\d\d){1,2})\s*([AP]\.? ?M\b|HOURS|HRS)?"
    r"|(\d{1,2})\s*([AP]\.? ?M\b|O'CLOCK)|(\d{4})\s*(HOURS|HRS))\.?",
    re.I,
)


@dataclass(frozen=True)
class Moment:
    """When a scene is.

    Attributes:
        text: The words, upper case, as written.
        rank: 0 for a named time of day, 1 for a clock's, 2 for one relative to another scene.
    """

    text: str
    rank: int


def clock_moments(text: str) -> tuple[str, list[Moment]]:
    """Return a heading without the clock times in it, and these."""
    found = []
    for match in _CLOCK.finditer(text):
        time, half = match[1] or match[3] or match[5], match[2] or match[4] or match[6] or ""
        half = half.upper().replace(".", "").replace(" ", "")
        found.append(Moment(f"{time} {half}".strip(), 1))
    return (_CLOCK.sub(" - ", text) if found else text), found


def moment_at_end(words: list[str]) -> tuple[Moment | None, list[str]]:
    """Return the time that the words end with, if they do, and the words before it."""
    plain = [_plain(word) for word in words]
    if " ".join(plain[-2:]) in _PHRASES:
        return Moment(" ".join(plain[-2:]), 0), words[:-2]
    start = len(plain)
    while start and _is_of_time(plain[start - 1]):
        start -= 1
    if start and _is_eve(words[-1]):  # NEW YEAR'S EVE
        return None, words
    return _moment(plain[start:]), words[:start] if start < len(words) else words


def moment_at_start(words: list[str]) -> Moment | None:
    """Return the time that the words start with, whatever follows it."""
    if words and _is_eve(words[0]):
        return None
    plain = [_plain(word) for word in words]
    end = next((at for at, word in enumerate(plain) if not _is_of_time(word)), len(plain))
    return _moment(plain[:end])


def _moment(words: list[str]) -> Moment | None:
    """Return the time that a run of such words names, without words that only lead to it."""
    while words and (words[-1].isdigit() or words[-1] in _ONLY_BEFORE_MORE):
        words = words[:-1]
    while words and (words[0] in _NOT_FIRST or _is_bare_number(words)):
        words = words[1:]
    if len(words) == 2 and words[0] in {"THE", "A", "AN"}:
        words = words[1:]
    if words and words[0] == "CONTINUOUS" and 0 in map(_rank, words):
        words = words[1:]
    if words and words[0] in {"PRESENT", "MODERN"}:
        return None
    if words and (words[-1] == "ACTION" or words == ["CONTINUOUS", "TIME"]):
        words = words[:-1]
    ranks = [rank for word in words if (rank := _rank(word)) is not None]
    if not ranks and words and words[-1] in {"AM", "PM"} and len(words) > 1:
        ranks = [1]
    if not ranks and words[-1:] == ["AFTER"] and len(words) > 1:
        ranks = [2]
    return Moment(" ".join(filter(None, words)), min(ranks)) if ranks else None


def _is_eve(word: str) -> bool:
    return word.strip(".,:;'").upper() == "EVE"


def _is_bare_number(words: list[str]) -> bool:
    return words[0].isdigit() and not (len(words) > 1 and words[1] in _UNITS)


def _is_of_time(word: str) -> bool:
    return not word or word.isdigit() or word in _FILLERS or _rank(word) is not None


def _rank(word: str) -> int | None:
    if word in _RELATIVE:
        return 2
    return 0 if word in _NAMED or word.partition("-")[2] in _NAMED else None


@lru_cache(maxsize=1 << 16)
def _plain(word: str) -> str:
    word = re.sub(r"^\W+|\W+$", "", word).upper()
    if word in _FILLERS or word in _NAMED or word in _RELATIVE:
        return word
    if _NUMBER.fullmatch(word):
        return ""
    meant = _MEANT.right(word.lower())
    return meant.upper() if meant else _SPELLINGS.get(word, word)


def day_or_night(text: str | None) -> Literal["DAY", "NIGHT"] | None:
    """Return what a heading's time of day looks like; None for dusk, a clock's time, or *later*."""
    words = set((text or "").upper().split())
    found = {name for name, meant in _LOOKS.items() if words & meant}
    return found.pop() if len(found) == 1 else None


def continues(text: str | None) -> bool:
    """Return whether a heading's time of day is that of the scene before it, or soon after."""
    return text is not None and any(_rank(_plain(word)) == 2 for word in text.split())
