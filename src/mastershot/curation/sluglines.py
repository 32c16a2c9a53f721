"""Scene headings: inside or outside, the places they name, and the time of day (METHODS A1)."""

import re
from dataclasses import dataclass
from functools import lru_cache

from mastershot.curation.cleaning import clean
from mastershot.curation.moments import Moment, clock_moments, moment_at_end, moment_at_start
from mastershot.curation.places import is_plain, key_of, places_in, places_seen
from mastershot.curation.vocabulary import place_of, qualifier_of, words_of

_WORD = (
    r"(?:(?:INT|EXT)(?:ERIOR)?|EST(?:AB)?(?!-)|I\.? ?/ ?E|E\.? ?/ ?I)"
    r"(?=[\s.:,;/\\&\-\u2013\u2014]|$)"
)
_BETWEEN = r"(?:[\s./\\&+,\-]|\b(?:AND|OR|TO)\b)*"
_SETTING = re.compile(rf"(?<![^\W_]){_WORD}(?:{_BETWEEN}{_WORD})*[\s.:,;/\\&\-]*", re.I)
_SETTING_WORDS = re.compile(r"INT|EXT|\bI\b|\bE\b")
_MARK = re.compile(r"[^\w\s,]")
# What may precede the setting: scene numbers (12, A12, 12-A, (12), SCENE 12), revision marks.
_NUMBER = re.compile(
    r"(?:(?i:SCENE|SC)|\(\d+[A-Z]?\)|[A-Za-z]{0,3}[^A-Za-z(]+[A-Za-z]{0,3}[^A-Za-z(]*[A-Za-z]?|[A-Z])[^\w(]*"
)
_PLAIN_NUMBER = re.compile(r"\W*(?:\d+[A-Z]?\W*)?", re.I)
_LATER_SETTING = re.compile(r"(?:^|[-/&,.;:(])\s*(INT|EXT)(?:\.|(?=\s))", re.I)
_BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]?")
_BREAK = re.compile(
    r"--+|(?:^|\s)-|-(?:[\s.]|$)|[/\\,;+|]|:(?!\d)(?<!CU:)(?<!POV:)(?<!SHOT:)|\.(?=\s|$)|(?<=\w\w\w)\.(?=\w\w\w)|\.{2,}|\t|\s{3,}"
)
_PRODUCTION = frozenset({"unit", "studio", "stage"})  # in brackets: (SECOND UNIT), (STAGE 5)
_TIMES = frozenset({"day", "night", "morning", "afternoon", "evening", "dusk"})
_SPOKEN = words_of("spoken")
# Of a telephone, or of a flat: "Ext. 204, please", "Int. 5, scala B", "ext 12 at the office".
_EXTENSION = re.compile(r"\d[\w-]*\s*(?:[,;:.?!\u2026]|$|(?:at|in|on|for|of|and|or)\b)")
_END_OF_PLACE = re.compile(r"\s-+\s|\s?[\u2012-\u2015]\s?|\.\s")
_AROUND_WORDS = '.,;:!()"\u2026'
_FIRST_WORD = re.compile(r"[^\W\d_]*")
_AFTER_EST = words_of("after est")
_MAX_LENGTH = 1000  # the longest of 59,159 real headings has 288 characters


@dataclass(frozen=True)
class Heading:
    """One scene heading.

    Attributes:
        setting: ``INT``, ``EXT``, ``INT/EXT``, or None where the heading does not say.
        places: Lower case and singular, without names, numbers and possessors, in written order.
        time_of_day: Upper case as written (``LATE NIGHT``, ``MOMENTS LATER``, ``9:02 AM``), or
            None.
        text: The heading as written, without the blanks around it.
        line: Its line in the script, counted from 1.
    """

    setting: str | None
    places: list[str]
    time_of_day: str | None
    text: str
    line: int


def parse_heading(text: str, *, line: int = 1, forced: bool = False) -> Heading | None:
    """Return one line read as a scene heading, or None where it is not one.

    The line is as in the script, with scene numbers, revision marks and quotes. A forced one is a
    heading even without a setting (Fountain's ``.PLACE``).
    """
    raw, text = text.strip(), text[:_MAX_LENGTH]
    found = _SETTING.search(text)
    if found and not all(map(_NUMBER.fullmatch, text[: found.start()].split())):
        found = None
    if found is None and not forced:
        return None
    settings = set(_SETTING_WORDS.findall(found.group().upper())) if found else set()
    rest = clean(text[found.end() :] if found else text)
    settings |= {match[1].upper() for match in _LATER_SETTING.finditer(rest)}
    moment, places = _read(_LATER_SETTING.sub(" / ", rest))
    if found and not forced and _is_prose(found, is_named=bool(places or moment)):
        return None
    return Heading(
        setting=_setting(settings),
        places=list(dict.fromkeys(places)),
        time_of_day=moment.text if moment else None,
        text=raw,
        line=line,
    )


def _is_prose(found: re.Match[str], *, is_named: bool) -> bool:
    """Return whether a line that starts like a heading is prose, of any language.

    EST is French (C'est, Est-ce), east and a time zone, too; interior and exterior qualify things;
    "ext." is a telephone's, "int" the rest of a hyphenated word. Such a line is a heading if it is
    written like one, and names a place or a time.
    """
    setting, rest = found.group(), found.string[found.end() :]
    says_where = _SETTING_WORDS.search(setting.upper()) is not None
    is_marked = _MARK.search(setting) is not None
    if says_where and "ERIOR" not in setting.upper():
        has_words = "INT" in setting.upper() or "EXT" in setting.upper()  # else I/E
        if not (has_words and setting.isupper()) and _is_spoken(rest):
            return True
        if is_named or setting.isupper():
            return False
        return not any(map(str.isalpha, rest)) or (setting.islower() and not is_marked)
    if not says_where and not is_marked and _FIRST_WORD.findall(rest)[0].lower() in _AFTER_EST:
        return True
    is_alone = _PLAIN_NUMBER.fullmatch(found.string[: found.start()]) is not None
    if not (setting.isupper() if says_where else is_alone) or rest.rstrip().endswith(("?", "!")):
        return True
    if is_marked and setting.isupper() and rest.isupper():  # EST. PARIS
        return False
    return not (is_named and (is_marked or rest.isupper()))


def _is_spoken(rest: str) -> bool:
    """Return whether what follows "Int." or "I/E" is a sentence and no place."""
    place = _END_OF_PLACE.split(rest.replace("\u2019", "'"), maxsplit=1)[0]
    if "?" in place:
        return True
    if not place or place.isupper():
        return False
    words = [word.strip(_AROUND_WORDS) for word in place.split()]
    return (
        (len(place) == len(rest) and _EXTENSION.match(place) is not None)
        or words[0] == "I"
        or any(word in _SPOKEN or word.startswith("I'") for word in words)
    )


def _setting(words: set[str]) -> str | None:
    return "/".join(name for name in ("INT", "EXT") if words & {name, name[0]}) or None


def _read(rest: str) -> tuple[Moment | None, list[str]]:
    """Return the time and the places of a heading without its setting."""
    rest, moments = clock_moments(rest)
    asides = _BRACKETS.findall(rest)
    parts = [part.strip() for part in _BREAK.split(_BRACKETS.sub(" ", rest) if asides else rest)]
    places: list[str] = []
    first: tuple[str, ...] = ()
    unsure: list[Moment] = []
    for part in parts:
        words, moment, is_sure, found = _read_part(part)
        places += found
        first = first or words
        if moment:
            (moments if is_sure else unsure).append(moment)
    moments += unsure
    moments += filter(None, (moment_at_end(aside.split())[0] for aside in asides))
    if not places:
        places = next(filter(None, (places_seen(part.split()) for part in parts)), [])
    if not places:
        inner = [part for aside in asides for part in _BREAK.split(aside)]
        places = [place for part in inner for place in places_in(part.split())]
        places = [place for place in places if place not in _PRODUCTION]
    if not places and first and all(map(is_plain, first)):
        places = [" ".join(map(key_of, first))]
    return min(moments, key=lambda moment: moment.rank, default=None), places


@lru_cache(maxsize=1 << 14)
def _read_part(part: str) -> tuple[tuple[str, ...], Moment | None, bool, tuple[str, ...]]:
    """Return a part's words but for its time, that time, whether it is sure, and its places."""
    moment, words = _moment_and_rest(part.split())
    words = [word for word in words if key_of(word) or word == "&"]
    places = places_in(words)
    is_sure = moment is not None
    if not moment and (not places or not _names_a_room(words)):
        moment = moment_at_start(words)
    return tuple(words), moment, is_sure, tuple(places)


def _names_a_room(words: list[str]) -> bool:
    """Return whether words with a place in them do not start with a time: NIGHT CLUB, SUNSET INN.

    But DAY AT THE CLUB does.
    """
    keys = [key_of(word) for word in words[:2]]
    return keys[0] not in _TIMES or qualifier_of(keys[1]) is not None


def _moment_and_rest(words: list[str]) -> tuple[Moment | None, list[str]]:
    """Return the time at the end of a part, or after its place: KITCHEN NIGHT RAIN."""
    moment, rest = moment_at_end(words)
    places = [at for at, word in enumerate(words) if place_of(key_of(word))]
    if moment or not places:
        return moment, rest
    for end in range(len(words) - 1, places[-1] + 1, -1):
        moment, rest = moment_at_end(words[:end])
        if moment and moment.rank == 0:
            return moment, rest
    return None, words
