"""Which English words name a place, which qualify one, and how each is spelt in the singular."""

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib import resources

_VOWELS = frozenset("aeiouy")


@cache
def words_of(section: str) -> frozenset[str]:
    """Return the words of one section of ``words.txt``, lower case."""
    return frozenset(_sections()[section])


@cache
def _sections() -> dict[str, list[str]]:
    text = (resources.files("mastershot.curation") / "words.txt").read_text(encoding="utf-8")
    sections: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            words = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            words += line.split()
    return sections


@lru_cache(maxsize=1 << 16)
def place_of(word: str) -> str | None:
    """Return the place that a lower-case word names, singular and spelt right, or None."""
    places, qualifiers = words_of("places"), words_of("qualifiers")
    forms = list(_singulars(word))
    for form in forms:
        if form in places or (len(form) > 7 and form.endswith(tuple(words_of("place ends")))):
            return form
    if word in qualifiers or forms[0] in qualifiers:
        return None
    compound = next((form for form in forms if _is_compound(form)), None)
    return compound or _place_spellings().right(forms[0])


@lru_cache(maxsize=1 << 16)
def qualifier_of(word: str) -> str | None:
    """Return a lower-case word as a qualifier of a place, spelt right, or None for a name."""
    for form in (word, *_singulars(word)):
        if form in _known() or _is_compound(form):
            return word
    if len(word) > 6 and word.endswith(tuple(words_of("word ends"))):
        return word
    if "-" in word and all(part in _known() for part in word.split("-")):
        return word
    if len(word) < 6:  # a poop deck is no pop deck
        return None
    return next((short for short in _undoubled(word) if short in words_of("qualifiers")), None)


def _singulars(word: str) -> Iterator[str]:
    """Yield what the singular of a word may be, the likeliest first."""
    if word in words_of("plural only") or len(word) < 4 or word.endswith(("ss", "us", "is")):
        yield word
    elif word.endswith("ies") and len(word) > 4:
        yield word[:-3] + "y"
    elif word.endswith("ves"):
        yield from (word[:-1], word[:-3] + "f", word[:-3] + "fe")
    elif word.endswith(("ches", "shes", "sses", "xes", "zes", "uses")):
        yield from (word[:-2], word[:-1])
    elif word.endswith("s"):
        yield word[:-1]
    else:
        yield word


def _is_compound(word: str) -> bool:
    ends = [end for end in words_of("compound ends") if word.endswith(end)]
    starts = [word.removesuffix(end) for end in ends]
    return any(len(start) > 2 and start in _known() for start in starts)


@cache
def _known() -> frozenset[str]:
    return words_of("places") | words_of("qualifiers")


@cache
def _place_spellings() -> "Spellings":
    return Spellings(words_of("places"))


def _undoubled(word: str) -> Iterator[str]:
    """Yield a word without one letter of a double: dinning, dining."""
    for at in range(1, len(word) - 1):
        if word[at] == word[at + 1]:
            yield word[:at] + word[at + 1 :]


class Spellings:
    """Corrects words with a letter doubled, left out or swapped, or with a wrong vowel.

    Wrong consonants and short words are not corrected: Harper would become a harbour and Carter a
    crater.
    """

    def __init__(self, words: Iterable[str], *, min_length: int = 7) -> None:
        self._min_length = min_length
        self._shortened: dict[str, set[str]] = {}
        for word in words:
            if len(word) >= min_length:
                for short in [word, *_with_one_letter_less(word)]:
                    self._shortened.setdefault(short, set()).add(word)

    def right(self, word: str) -> str | None:
        """Return the only word that this one may be a slip for, or None."""
        if len(word) < self._min_length or not word.isalpha():
            return None
        shorts = {word, *_with_one_letter_less(word)}
        meant = set().union(*(self._shortened.get(short, ()) for short in shorts))
        found = [right for right in meant if _is_slip(word, right)]
        return found[0] if len(found) == 1 else None


def _with_one_letter_less(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(1, len(word))}


def _is_slip(word: str, right: str) -> bool:
    if abs(len(word) - len(right)) == 1:
        short, long = sorted((word, right), key=len)
        return short in _with_one_letter_less(long)
    differing = [at for at, (a, b) in enumerate(zip(word, right, strict=False)) if a != b]
    if len(word) != len(right) or word[0] != right[0]:
        return False
    if len(differing) == 1:
        return {word[differing[0]], right[differing[0]]} <= _VOWELS
    if len(differing) != 2 or differing[1] != differing[0] + 1:
        return False
    first, second = differing
    return word[first] == right[second] and word[second] == right[first]
