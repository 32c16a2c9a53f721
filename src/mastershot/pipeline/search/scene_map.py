"""A library's scenes, or films, on a map."""
# N points, W width of a vector

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar, get_args

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import LibraryError, SettingError
from mastershot.core.movie import shot_id
from mastershot.exports.pages.search import Point, write_map
from mastershot.mining.layout import lay_out
from mastershot.pipeline.search.vectors import SceneSource, left_out
from mastershot.store.library import Library, LibraryMovie

Kind = Literal["scenes", "films"]
KINDS = get_args(Kind)
MOST_POINTS = 20_000
"""More take UMAP minutes and a browser's patience, and hide each other."""

T = TypeVar("T")
_GRID = (12, 11)
"""Cells of the map, each of which shows one picture, so that pictures do not hide each other."""


def draw_scene_map(source: SceneSource, path: Path, *, of: Kind = "scenes") -> int:
    """Write a map of a library as one HTML page, and return how many points it has.

    Points are scenes as the library divides films, or films by the mean of their scenes. Of more
    than `MOST_POINTS` an even choice is drawn, with a note on the page.

    Raises:
        SettingError: Points are of another kind.
        MiningError: UMAP is not installed, or there are too few scenes for a map.
        LibraryError: The library cannot be read.
        EncoderError: The encoder gives no finite vector.
        OutputError: The page cannot be written.
    """
    if of not in KINDS:
        raise SettingError(f"a map of {of!r} is unknown; use {' or '.join(KINDS)}")
    store = source.store
    problems: list[str] = []
    movies = store.movies()

    def found() -> Iterator[tuple[FloatArray, tuple[Point, str]]]:
        for movie in movies:
            try:
                scenes = source.scenes(movie)
            except LibraryError as error:
                problems.append(str(error))
                continue
            vectors = scenes if of == "scenes" else scenes.mean(axis=0, keepdims=True)
            yield from zip(vectors, _unplaced(store, movie, of), strict=True)

    drawn, num_found = _even_choice(found())
    xy = lay_out(
        np.stack([vector for vector, _ in drawn]) if drawn else np.empty((0, 1), np.float32)
    )
    points = list(_placed(store, [point for _, point in drawn], xy))
    shown = f"{len(points):,} {of}"
    if len(points) < num_found:
        shown = f"{len(points):,} of {num_found:,} {of}, evenly chosen"
    facts = (shown, f"vectors of {source.space.model}", source.view.name)
    notes = left_out("on the map", problems, len(movies))
    write_map(points, path, title=f"Library {store.path.name}", facts=facts, notes=notes)
    return len(points)


def _even_choice(found: Iterable[T]) -> tuple[list[T], int]:
    """Return at most `MOST_POINTS`, every so many of all, and how many there are."""
    kept: list[T] = []
    step, number = 1, 0
    for number, one in enumerate(found, start=1):
        if (number - 1) % step == 0:
            kept.append(one)
        if len(kept) > MOST_POINTS:
            kept, step = kept[::2], 2 * step
    return kept, number


def _unplaced(store: Library, movie: LibraryMovie, of: Kind) -> Iterator[tuple[Point, str]]:
    """Yield the points of a film at (0, 0), each with the id of its middle shot."""
    timeline = store.timeline(movie.id)
    scenes = timeline.scenes or ()
    labels = [
        next((label.name for label in scene.labels or () if not label.unsure), None)
        for scene in scenes
    ]
    if of == "films":
        named = [label for label in labels if label is not None]
        best = max(named, key=named.count) if named else None
        start_s, middle = timeline.shots[0].span.start_s, len(timeline.shots) // 2
        yield Point(0, 0, movie.path, start_s, best), shot_id(movie.id, middle)
        return
    for scene, label in zip(scenes, labels, strict=True):
        middle = (scene.first_shot + scene.end_shot) // 2
        yield Point(0, 0, movie.path, scene.span.start_s, label), shot_id(movie.id, middle)


def _placed(store: Library, points: Sequence[tuple[Point, str]], xy: FloatArray) -> Iterator[Point]:
    """Yield the points in their places, those with pictures last, so that no dot hides one."""
    cells = np.minimum((xy * _GRID).astype(int), np.array(_GRID) - 1)
    pictured: dict[tuple[int, int], Point] = {}
    for (point, shot), (x, y), cell in zip(points, xy.tolist(), cells.tolist(), strict=True):
        placed = replace(point, x=x, y=y)
        if tuple(cell) in pictured:
            yield placed
        else:
            pictured[tuple(cell)] = replace(placed, picture=store.thumb(shot))
    yield from pictured.values()
