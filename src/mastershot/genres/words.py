"""Words that a group of trailers uses more than the rest: c-TF-IDF, and a test that it does."""
# T trailers

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from mastershot.core.embeddings import IntArray
from mastershot.genres.trailers import Words

SIGNIFICANCE = 0.05
"""Chance that a group without words of its own is given any, over all words that are tried."""
LEAST_TRAILERS = 2
"""Trailers of a group that use a word before it can be the group's."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SHORTEST = 3


@dataclass(frozen=True)
class GroupWord:
    """A word of a group.

    Attributes:
        text: The word, or a keyword of several.
        share: Share of the group's trailers that use it, of those that have words.
        rest: The same of all other trailers.
        score: Its c-TF-IDF.
    """

    text: str
    share: float
    rest: float
    score: float


def count_words(texts: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return the words of a trailer's texts, each with the largest weight of a text that has it.

    A text is running words, or keywords between ``|``, which stay whole. Stop words of English,
    digits and words of one or two letters are left out.
    """
    found: dict[str, float] = {}
    for text, weight in texts:
        for word in _keywords(text) if "|" in text else _words(text):
            found[word] = max(weight, found.get(word, 0.0))
    return {word: weight for word, weight in found.items() if weight > 0}


def distinguishing_words(
    words: Sequence[Words], labels: IntArray, num_groups: int, *, most: int = 12
) -> list[tuple[GroupWord, ...]]:
    """Return the words of each group that its trailers use more than the rest, best first.

    They are ranked by c-TF-IDF (Grootendorst 2022, equation 4), tf · log(1 + A / f): tf sums the
    word's weights over the group's trailers (once a trailer, so that no long synopsis names a
    group), f over all trailers, and A is a group's mean of all words. Kept are those that more of
    the group's trailers use than of the rest by a likelihood ratio (Dunning 1993), one-sided, at
    `SIGNIFICANCE` over the number of words that two trailers use (Bonferroni). Labels are -1
    for trailers of no group, which are part of the rest.
    """
    weights, users = _count_groups(words, labels, num_groups)
    all_weights, all_users = sum(weights, Counter[str]()), sum(users, Counter[str]())
    sizes = [0] * (num_groups + 1)
    for one, label in zip(words, labels.tolist(), strict=True):
        sizes[label] += bool(one)
    total, mean_words = sum(sizes), all_weights.total() / max(num_groups, 1)
    num_words = sum(count >= LEAST_TRAILERS for count in all_users.values())
    found = []
    for group in range(num_groups):
        size, rest = sizes[group], total - sizes[group]
        tried = [word for word, count in users[group].items() if count >= LEAST_TRAILERS]
        kept = []
        for word in tried if rest else []:
            inside = users[group][word]
            outside = all_users[word] - inside
            chance = _chance(inside, size, outside, rest)
            if chance * num_words < SIGNIFICANCE:
                score = weights[group][word] * math.log1p(mean_words / all_weights[word])
                kept.append(GroupWord(word, inside / size, outside / rest, score))
        kept.sort(key=lambda one: (-one.score, one.text))
        found.append(tuple(kept[:most]))
    return found


def _count_groups(
    words: Sequence[Words], labels: IntArray, num_groups: int
) -> tuple[list[Counter[str]], list[Counter[str]]]:
    """Return weights and number of trailers of each word, by group; the last is of no group."""
    weights: list[Counter[str]] = [Counter() for _ in range(num_groups + 1)]
    users: list[Counter[str]] = [Counter() for _ in range(num_groups + 1)]
    for one, label in zip(words, labels.tolist(), strict=True):
        weights[label].update(one)
        users[label].update(one.keys())
    return weights, users


def _chance(inside: int, size: int, outside: int, rest: int) -> float:
    """Return how likely so many uses are in a group, or more, if it used the word like the rest."""
    if inside * rest <= outside * size:
        return 1.0
    together = (inside + outside) / (size + rest)
    ratio = 0.0
    for count, number in ((inside, size), (outside, rest)):
        for part, expected in (
            (count, number * together),
            (number - count, number * (1 - together)),
        ):
            ratio += part * math.log(part / expected) if part else 0.0
    return math.erfc(math.sqrt(max(ratio, 0.0))) / 2


def _words(text: str) -> Iterable[str]:
    for match in _WORD.finditer(text.casefold().replace("’", "'")):
        word = match[0].removesuffix("'s")
        if len(word) >= _SHORTEST and word not in _stop_words() and "'" not in word:
            yield word


def _keywords(text: str) -> Iterable[str]:
    for part in text.split("|"):
        if keyword := " ".join(part.casefold().split()):
            yield keyword


@cache
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)
