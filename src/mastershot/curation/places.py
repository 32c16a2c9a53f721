"""Which places the words of a scene heading name (METHODS A1)."""

import re
from functools import lru_cache
from itertools import pairwise

from mastershot.curation.vocabulary import place_of, qualifier_of, words_of

_AROUND = re.compile(r"^\W+|\W+$")
_OWNER = re.compile(r"(?:'S|S')\W*$", re.I)
_PREPOSITIONS = words_of("prepositions")
_POSITIONS = words_of("positions")
_CAMERA = words_of("camera")
_LENS = words_of("lens")
_SHOTS = words_of("shots")
_ANGLES = {(lens, on) for lens in _LENS for on in ("on", "up")}
_STREETS = words_of("streets")
_ROOMS = words_of("rooms")
_NO_PLACES = {tuple(name.split("-")) for name in words_of("no places")}
_NAMED = {tuple(name.split("-")) for name in words_of("named places")}


def places_in(words: list[str]) -> list[str]:
    """Return the places that one part of a heading names, split at prepositions."""
    found: list[str] = []
    phrase: list[str] = []
    link, owner = "", None  # the preposition before the phrase, and the place before that
    for word in [*_without_camera(words), "and"]:
        key = key_of(word) or word
        if key == "&" and not (phrase and place_of(key_of(phrase[-1]))):
            continue  # ARTS & CRAFTS CABIN
        is_new = bool(phrase) and _starts_another(key_of(phrase[-1]), key)
        if key not in _PREPOSITIONS and not is_new:
            phrase.append(word)
            continue
        if link == "with":
            break
        place = _place(phrase)
        if place and link == "of" and owner in _POSITIONS:
            found[-1] = place
        elif place and not (link == "of" and owner):
            found.append(place)
        phrase, link, owner = [word] if is_new else [], key, place
    return found


def _starts_another(key: str, following: str) -> bool:
    """Return whether a new place starts after a room: KITCHEN HOLMES HOUSE, but not HOTEL LOBBY."""
    if following in _PREPOSITIONS or place_of(following) or qualifier_of(following):
        return False
    return place_of(key) in _ROOMS


def places_seen(words: list[str]) -> list[str]:
    """Return the places in the camera's view: VIEW OF THE VILLAGE, FULL SHOT STREET."""
    keys = [key_of(word) for word in words]
    camera = [at for at in range(len(keys)) if _is_camera(keys, at)]
    return places_in(words[camera[-1] + 1 :]) if camera else []


def _is_camera(keys: list[str], at: int) -> bool:
    """Return whether a word is one of the camera; a view is not where a place follows."""
    if keys[at] == "view":
        return at + 1 == len(keys) or keys[at + 1] in _PREPOSITIONS
    return keys[at] in _CAMERA or (at > 0 and (keys[at - 1], keys[at]) in _ANGLES)


def _without_camera(words: list[str]) -> list[str]:
    """Return the words before those of the camera: TAXI CLOSE SHOT, but not HELICOPTER SHOT."""
    keys = [key_of(word) for word in words]
    start = next((at for at in range(len(keys)) if _is_camera(keys, at)), None)
    if start is None:
        return words
    start += keys[start] in _LENS
    end = start
    while end > 0 and (keys[end - 1] in _LENS or keys[end - 1] in _SHOTS):
        end -= 1
    return words[:end] if end < start else []


def _place(words: list[str]) -> str | None:
    """Return the place of one phrase: its last place word and what qualifies it, or None."""
    words = _without_owner(words)
    keys = [key for at, word in enumerate(words, 1) for key in _subwords(word, at == len(words))]
    keys = _without_names(keys)
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
    elif 0 < start < end and keys[start] in _STREETS and keys[start + 1] != "hall":
        start += 1  # it belongs to the name before it
    return " ".join([*(qualifier_of(key) or key for key in keys[start:end]), head])


def _without_names(keys: list[str]) -> list[str]:
    """Return the words with nothing for those of a name of common words: LEFT BANK, WALL STREET."""
    if [key for key in keys if not key.isdigit()] == ["spring"]:  # the season, or its year
        return []
    for at, pair in enumerate(pairwise(keys)):
        if pair in _NO_PLACES:
            keys = [*keys[:at], "", "", *keys[at + 2 :]]
        elif pair in _NAMED:
            keys = [*keys[:at], "", *keys[at + 1 :]]
    return keys


def _without_owner(words: list[str]) -> list[str]:
    """Return what comes after the last possessor; of a wrong plural (SUV'S), the plural."""
    owners = [at for at, word in enumerate(words) if _is_owner(word)]
    if not owners:
        return words
    last = owners[-1]
    if last == len(words) - 1 and place_of(key_of(words[last]).partition("'")[0]):
        return [*_without_owner(words[:last]), words[last].partition("'")[0]]
    return words[last + 1 :]


def _subwords(word: str, is_last: bool) -> list[str]:
    """Return the words of a hyphened word; itself where it is known, or a name before others."""
    key = key_of(word)
    if "-" not in key or place_of(key) or (qualifier_of(key) and not is_last):
        return [key]
    words = key.split("-")
    is_name = any(len(word) > 1 and not qualifier_of(word) for word in words)
    return [key] if is_name and not is_last else words


@lru_cache(maxsize=1 << 16)
def _is_owner(word: str) -> bool:
    return _OWNER.search(word) is not None


@lru_cache(maxsize=1 << 16)
def key_of(word: str) -> str:
    """Return a word in lower case without the punctuation around it."""
    return _AROUND.sub("", word).lower()


def is_plain(word: str) -> bool:
    """Return whether a word is a known one that may stand for a place where none is named."""
    key = key_of(word)
    return qualifier_of(key) is not None and key not in _POSITIONS
