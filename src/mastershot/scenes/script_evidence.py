"""What the shots of a film say of the scenes of its script: places, inside or outside, words.

Every function returns the logarithm of how much likelier a shot is in a scene than anywhere in the
film, shape (S, F): what an alignment counts. Zero where nothing is known.
"""
# S scenes of the script, F shots, L labels, C cues, V words

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mastershot.core.embeddings import IntArray

Doubles: TypeAlias = NDArray[np.float64]

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_UNIFORM = 0.1


@dataclass(frozen=True)
class EvidenceWeights:
    """How far what is seen and heard is believed.

    Weights are below one because the shots of a scene are alike, and err alike. The values were
    chosen on ten of twenty scripts by `bench/align.py`.

    Attributes:
        place: Of the labels of one shot.
        blind: Share of shots whose labels say nothing of their place.
        setting: Of inside or outside in one shot.
        time_of_day: Of day or night in one shot.
        words: Of one cue of subtitles.
        most_words: The most that one cue may count, in nats.
        quoted: How much of a scene's subtitles is in the script's words; the rest is any words.
    """

    place: float = 0.4
    blind: float = 0.3
    setting: float = 0.3
    time_of_day: float = 0.3
    words: float = 0.5
    most_words: float = 6.0
    quoted: float = 0.5


def place_evidence(
    wanted: Doubles, seen: Doubles, lengths_s: Doubles, weights: EvidenceWeights
) -> Doubles:
    """Return what labels say.

    Args:
        wanted: What part of a scene's shots each label would name, rows that sum to 1, or to 0
            where nothing is known, shape (S, L).
        seen: How likely each label is in a shot, rows that sum to 1, or to 0 likewise, (F, L).
        lengths_s: How long the shots are, shape (F,).
    """
    known = seen.sum(axis=1) > 0
    if not known.any():
        return np.zeros((len(wanted), len(seen)))
    usual = np.average(seen[known], axis=0, weights=np.maximum(lengths_s[known], 1e-3))
    usual = (1 - _UNIFORM) * usual + _UNIFORM / seen.shape[1]
    ratio = wanted @ (seen / usual).T
    evidence = weights.place * np.log(weights.blind + (1 - weights.blind) * ratio)
    evidence[:, ~known] = 0
    evidence[wanted.sum(axis=1) == 0] = 0
    return np.asarray(evidence)


def state_evidence(wanted: IntArray, likely: Doubles, weight: float) -> Doubles:
    """Return what one of two states says, such as inside or outside.

    Args:
        wanted: 1 where a scene is in the state, -1 where it is in the other, 0 where either.
        likely: How likely a shot is in the state, 0.5 where nothing is known, shape (F,).
        weight: How far it is believed.
    """
    usual = float(np.clip(likely.mean(), 0.1, 0.9)) if len(likely) else 0.5
    inside = np.log(np.maximum(likely, 0.02) / usual)
    outside = np.log(np.maximum(1 - likely, 0.02) / (1 - usual))
    inside[likely == 0.5] = outside[likely == 0.5] = 0
    either = np.zeros_like(inside)
    return weight * np.stack([either, inside, outside])[wanted]


def words_of_text(text: str) -> list[str]:
    """Return the words of a text in lower case, without numbers and punctuation."""
    return [word.replace("\u2019", "'") for word in _WORD.findall(text.lower())]


def word_evidence(
    texts: Sequence[str], cues: Sequence[tuple[int, str]], num_shots: int, weights: EvidenceWeights
) -> tuple[Doubles, float]:
    """Return what subtitles say, and what share of their words the script has.

    A scene speaks as a mixture of its own words in the script and of the script's as a whole (a
    unigram language model, smoothed as by Jelinek and Mercer); pairs of words count like words.

    Args:
        texts: What the script writes of each scene.
        cues: The shot that each cue is heard in, and its text.
        num_shots: F.
    """
    spoken = [(shot, words_of_text(text)) for shot, text in cues]
    spoken = [(shot, words) for shot, words in spoken if words]
    evidence = np.zeros((len(texts), num_shots))
    column: dict[str, int] = {}
    heard = [[column.setdefault(w, len(column)) for w in (*words, *_pairs(words))]
             for _, words in spoken]  # fmt: skip
    written = [words_of_text(text) for text in texts]
    counts = [_counts(words, column) for words in written]
    usual = np.zeros(len(column))
    for columns, numbers in counts:
        usual[columns] += numbers
    singles = [word for _, words in spoken for word in words]
    known = sum(usual[column[word]] > 0 for word in singles) / max(len(singles), 1)
    usual /= max(sum(max(len(words), 1) for words in written), 1)
    if not spoken:
        return evidence, 0.0
    every, starts = np.concatenate(heard), np.cumsum([0, *map(len, heard[:-1])])
    shots, most = np.array([shot for shot, _ in spoken]), weights.most_words
    for row, (words, (columns, numbers)) in enumerate(zip(written, counts, strict=True)):
        share = np.where(usual > 0, 0.0, 1.0)
        share[columns] = numbers / max(len(words), 1) / usual[columns]
        gains = np.log(1 - weights.quoted + weights.quoted * share)
        found = np.clip(np.add.reduceat(gains[every], starts), -most, most)
        np.add.at(evidence[row], shots, weights.words * found)
    return evidence, float(known)


def _counts(words: Sequence[str], column: Mapping[str, int]) -> tuple[IntArray, Doubles]:
    """Return the columns of the words and pairs of a text that are heard, and their numbers."""
    found = Counter(column[word] for word in (*words, *_pairs(words)) if word in column)
    return np.array([*found], np.int64), np.array([*found.values()], np.float64)


def _pairs(words: Sequence[str]) -> list[str]:
    return [f"{one} {other}" for one, other in pairwise(words)]
