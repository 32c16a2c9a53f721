"""Splits of a data set that share no film, and what splits made elsewhere share."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from types import MappingProxyType

import numpy as np

from mastershot.core.errors import DatasetError, SettingError
from mastershot.datasets.movieclip import clip_of_video
from mastershot.datasets.tables.records import LabelledShot

MOVIECLIP_RATIOS: Mapping[str, float] = MappingProxyType({"train": 0.7, "val": 0.2, "test": 0.1})
"""Shares of films, as released: 2,451, 697 and 344 of 3,492."""


@dataclass(frozen=True)
class SplitOverlap:
    """What two splits share, in distinct clips and films.

    Attributes:
        splits: Names of the two.
        num_clips: Clips in both.
        num_films: Films in both.
        clips_of: Number of clips of each.
        films_of: Number of films of each.
    """

    splits: tuple[str, str]
    num_clips: int
    num_films: int
    clips_of: tuple[int, int]
    films_of: tuple[int, int]


def split_by_film(
    shots: Sequence[LabelledShot],
    film_of_clip: Mapping[str, str] | None = None,
    *,
    ratios: Mapping[str, float] = MOVIECLIP_RATIOS,
    seed: int = 0,
) -> dict[str, tuple[LabelledShot, ...]]:
    """Return the shots of each split; no film is in two of them.

    Films are shuffled by their ids and the seed alone, and cut at the ratios, each split's share
    of the films. Shots keep their order within a split. If ``film_of_clip`` is not given, every
    clip is a film of its own.

    Raises:
        SettingError: The ratios are not positive numbers with sum 1.
        DatasetError: A clip's film is not known.
    """
    require_ratios(ratios)
    videos = {shot.video for shot in shots}
    film_of_video = {video: _film_of(video, film_of_clip) for video in videos}
    films = sorted(set(film_of_video.values()), key=lambda film: seeded_key(seed, film))
    ends = np.rint(np.cumsum([0.0, *ratios.values()]) * len(films)).astype(int).tolist()
    split_of = {
        film: name
        for name, (first, end) in zip(ratios, pairwise(ends), strict=True)
        for film in films[first:end]
    }
    splits: dict[str, list[LabelledShot]] = {name: [] for name in ratios}
    for shot in shots:
        splits[split_of[film_of_video[shot.video]]].append(shot)
    return {name: tuple(part) for name, part in splits.items()}


def split_overlaps(
    splits: Mapping[str, Iterable[LabelledShot]], film_of_clip: Mapping[str, str] | None = None
) -> tuple[SplitOverlap, ...]:
    """Return what each two splits share, in clips and in films (METHODS A5).

    Raises:
        DatasetError: A clip's film is not known.
    """
    clips = {
        name: {clip_of_video(video) for video in {shot.video for shot in shots}}
        for name, shots in splits.items()
    }
    films = {name: {_film_of(clip, film_of_clip) for clip in clips[name]} for name in splits}
    return tuple(
        SplitOverlap(
            splits=(one, other),
            num_clips=len(clips[one] & clips[other]),
            num_films=len(films[one] & films[other]),
            clips_of=(len(clips[one]), len(clips[other])),
            films_of=(len(films[one]), len(films[other])),
        )
        for one, other in combinations(splits, 2)
    )


def seeded_key(seed: int, text: str) -> bytes:
    """Return a key that sorts texts in a random order, the same on every machine."""
    data = f"{seed}\n{text}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(data, digest_size=16).digest()


def _film_of(video: str, film_of_clip: Mapping[str, str] | None) -> str:
    clip = clip_of_video(video)
    if film_of_clip is None:
        return clip
    if clip not in film_of_clip:
        raise DatasetError(
            f"the film of clip {clip!r} is not known, so splits by film cannot be made or checked; "
            "name it in the table of clips"
        )
    return film_of_clip[clip]


def require_ratios(ratios: Mapping[str, float]) -> None:
    """Raise `SettingError` unless the shares are above 0 and sum to 1."""
    if not all(0 < ratio <= 1 for ratio in ratios.values()) or abs(sum(ratios.values()) - 1) > 1e-6:
        found = ", ".join(f"{name} {ratio:g}" for name, ratio in ratios.items())
        raise SettingError(f"split ratios should be above 0 with sum 1, not {found}")
