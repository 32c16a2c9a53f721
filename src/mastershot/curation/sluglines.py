"""Scene headings: inside or outside, the places they name, and the time of day (METHODS A1)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from mastershot.curation.cleaning import clean
from mastershot.curation.moments import (
    Moment,
    bracket_moments,
    clock_moments,
    moment_at_end,
    moment_at_start,
)
from mastershot.curation.vocabulary import place_of, qualifier_of, words_of

_WORD = r"(?:INT|EXT|EST(?:AB)?(?!-)|I ?/ ?E|E ?/ ?I)(?=[\s.:,;/&\-\u2013\u2014]|$)"
_SETTING = re.compile(rf"(?<![^\W_]){_WORD}(?:[\s./&,\-]*{_WORD})*[\s.:,;/&\-]*", re.I)
_SETTING_WORDS = re.compile("INT|EXT|I|E(?!S)")
# What may stand before the setting: scene numbers (12, A12, 12-A, SCENE 12) and revision marks.
_NUMBER = re.compile(
    r"(?:(?i:SCENE|SC)|[A-Za-z]{0,3}[^A-Za-z(]+[A-Za-z]{0,3}[^A-Za-z(]*[A-Za-z]?|[A-Z])[^\w(]*"
)
_LATER_SETTING = re.compile(r"(?:^|[-/&,.;:(])\s*(INT|EXT)(?:\.|(?=\s))", re.I)
_BRACKETS = re.compile(r"[(\[]([^)\]]*)[)\]]?")
_BREAK = re.compile(
    r"--+|(?:^|\s)-|-(?:\s|$)|[/\\,;+|]|:(?!\d)|\.(?=\s|$)|(?<=\w\w\w)\.(?=\w\w\w)|\.{2,}|\t|\s{3,}"
)
_MAX_LENGTH = 1000  # what follows is no heading; the longest of 59,159 real ones has 288 signs
_AROUND = re.compile(r"^\W+|\W+$")
_OWNER = re.compile(r"(?:'S|S')\W*$", re.I)
_PREPOSITIONS = words_of("prepositions")
_POSITIONS = words_of("positions")
_CAMERA = words_of("camera")
_LENS = words_of("lens")
_ANGLES = {(lens, on) for lens in _LENS for on in ("on", "up")}
_STREETS = words_of("streets")


@dataclass(frozen=True)
class Heading:
    """One scene heading.

    Attributes:
        setting: ``INT``, ``EXT``, ``INT/EXT``, or None where the heading does not say.
        places: Lower case and singular, without names, numbers and possessors, in written order.
        time_of_day: Upper case as written (``LATE NIGHT``, ``MOMENTS LATER``, ``9:02 AM``), or
            None.
        text: The heading as written, without the blanks around it.
        line: Where it stands in its script, counted from 1.
    """

    setting: str | None
    places: list[str]
    time_of_day: str | None
    text: str
    line: int


def parse_heading(text: str, *, line: int = 1, forced: bool = False) -> Heading | None:
    """Return what one line says as a scene heading, or None where it is not one.

    Args:
        text: The line, as the script has it: with scene numbers, revision marks, quotes.
        line: Where it stands in the script, counted from 1.
        forced: It is a heading even without a setting (Fountain's ``.PLACE``).
    """
    raw, text = text.strip(), text[:_MAX_LENGTH]
    found = _SETTING.search(text)
    if found and not all(map(_NUMBER.fullmatch, text[: found.start()].split())):
        found = None
    if found is None and not forced:
        return None
    settings = set(_SETTING_WORDS.findall(found.group().upper())) if found else set()
    rest, later = _without_settings(clean(text[found.end() :] if found else text))
    settings |= later
    moments, places = _read(rest)
    best = min(moments, key=lambda moment: moment.rank, default=None)
    return Heading(
        setting=_setting(settings),
        places=list(dict.fromkeys(places)),
        time_of_day=best.text if best else None,
        text=raw,
        line=line,
    )


def _setting(words: set[str]) -> str | None:
    inside, outside = bool(words & {"INT", "I"}), bool(words & {"EXT", "E"})
    if inside and outside:
        return "INT/EXT"
    return "INT" if inside else "EXT" if outside else None


def _without_settings(text: str) -> tuple[str, set[str]]:
    """Return a heading's rest without settings of later places, and those settings."""
    found = {match.group(1).upper() for match in _LATER_SETTING.finditer(text)}
    return (_LATER_SETTING.sub(" / ", text) if found else text), found


def _read(rest: str) -> tuple[list[Moment], list[str]]:
    rest, moments = clock_moments(rest)
    aside: list[Moment] = []
    if "(" in rest or "[" in rest:
        aside = bracket_moments(_BRACKETS.findall(rest))
        rest = _BRACKETS.sub(" ", rest)
    places: list[str] = []
    first: tuple[str, ...] = ()
    for part in _BREAK.split(rest):
        words, moment, found = _read_part(part.strip())
        places += found
        first = first or words
        if moment:
            moments.append(moment)
    if not places and first and all(map(_is_plain, first)):
        places = [" ".join(map(_key, first))]
    return moments or aside, places


@lru_cache(maxsize=1 << 14)
def _read_part(part: str) -> tuple[tuple[str, ...], Moment | None, tuple[str, ...]]:
    """Return the words of one part but for its time, that time, and the places they name."""
    moment, words = _moment_and_rest(part.split())
    words = [word for word in words if _key(word)]
    places = _places(words)
    if not places and not moment:
        moment = moment_at_start(words)
    return tuple(words), moment, tuple(places)


def _moment_and_rest(words: list[str]) -> tuple[Moment | None, list[str]]:
    """Return the time at the end of a part, or after its place: KITCHEN NIGHT RAIN."""
    moment, rest = moment_at_end(words)
    places = [at for at, word in enumerate(words) if place_of(_key(word))]
    if moment or not places:
        return moment, rest
    for end in range(len(words) - 1, places[-1] + 1, -1):
        moment, rest = moment_at_end(words[:end])
        if moment and moment.rank == 0:
            return moment, rest
    return None, words


def _is_plain(word: str) -> bool:
    key = _key(word)
    return qualifier_of(key) is not None and key not in _POSITIONS


def _places(words: list[str]) -> list[str]:
    """Return the places that one part of a heading names, prepositions taken apart."""
    keys = [_key(word) for word in words]
    if not _CAMERA.isdisjoint(keys) or any(pair in _ANGLES for pair in pairwise(keys)):
        words = words[: next((at for at, key in enumerate(keys) if key in _LENS), 0)]
    found: list[str] = []
    phrase: list[str] = []
    link, owner = "", None  # the preposition before the phrase, and the place before that
    for word in [*words, "&"]:
        key = _key(word) or word
        if key not in _PREPOSITIONS:
            phrase.append(word)
            continue
        if link == "with":
            break
        place = _place(phrase)
        if place and link == "of" and owner in _POSITIONS:
            found[-1] = place
        elif place and not (link == "of" and owner):
            found.append(place)
        phrase, link, owner = [], key, place
    return found


def _place(words: list[str]) -> str | None:
    """Return the place of one phrase: its last place word and what qualifies it, or None."""
    words = _without_owner(words)
    keys = [key for at, word in enumerate(words, 1) for key in _subwords(word, at == len(words))]
    for end in range(len(keys) - 1, -1, -1):
        head = place_of(keys[end])
        if head:
            break
    else:
        return None
    start = end
    while start > 0 and qualifier_of(keys[start - 1]):
        start -= 1
    if start > 0 and keys[start] == "class" and keys[start - 1] in {"first", "second", "third"}:
        start -= 1
    elif 0 < start < end and keys[start] in _STREETS:  # it belongs to the name before it
        start += 1
    return " ".join([*(qualifier_of(key) or key for key in keys[start:end]), head])


def _without_owner(words: list[str]) -> list[str]:
    """Return what comes after the last possessor; of a wrong plural (SUV'S), the plural."""
    owners = [at for at, word in enumerate(words) if _is_owner(word)]
    if not owners:
        return words
    last = owners[-1]
    if last == len(words) - 1 and place_of(_key(words[last]).partition("'")[0]):
        return [*_without_owner(words[:last]), words[last].partition("'")[0]]
    return words[last + 1 :]


def _subwords(word: str, is_last: bool) -> list[str]:
    """Return the words of a hyphened word; itself where it is known, or a name before others."""
    key = _key(word)
    if "-" not in key or place_of(key) or (qualifier_of(key) and not is_last):
        return [key]
    words = key.split("-")
    is_name = any(len(word) > 1 and not qualifier_of(word) for word in words)
    return [key] if is_name and not is_last else words


@lru_cache(maxsize=1 << 16)
def _is_owner(word: str) -> bool:
    return _OWNER.search(word) is not None


@lru_cache(maxsize=1 << 16)
def _key(word: str) -> str:
    """Return a word in lower case without the signs around it."""
    return _AROUND.sub("", word).lower()
