"""The page that shows why scenes are similar, their shots in rows above each other."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from mastershot.core.errors import SettingError
from mastershot.core.timeline import Timeline
from mastershot.exports.similar_page import Pair, Side, Still, write_pairs_page
from mastershot.media.sampling import uniform_frames
from mastershot.pipeline.similar import FoundScene, Similar, SimilarScenes
from mastershot.store.library import Library

MAX_STILLS = 18
"""Shots of a scene that are shown; of a longer scene, so many at even distances."""


def write_similar_page(store: Library, found: Sequence[Similar], path: Path) -> None:
    """Write what was found as one HTML page, the results of several views beside each other.

    Raises:
        SettingError: Nothing was found.
        OutputError: The page cannot be written.
        LibraryError: A picture cannot be read.
    """
    if not found:
        raise SettingError("there is nothing to show")
    notes = dict.fromkeys(note for one in found for note in one.notes)
    facts = dict.fromkeys(f"vectors of {one.space.model}" for one in found)
    views = tuple(one.view for one in found)
    write_pairs_page(
        _ranks(store, found),
        path,
        title=found[0].title,
        views=views,
        facts=(f"library {store.path.name}", *facts, *(views if len(views) == 1 else ())),
        notes=tuple(notes),
    )


def _ranks(store: Library, found: Sequence[Similar]) -> Iterator[tuple[Pair | None, ...]]:
    timeline = lru_cache(maxsize=32)(store.timeline)
    for rank in range(max(len(one.rows) for one in found)):
        yield tuple(
            _pair(store, timeline, one.rows[rank]) if rank < len(one.rows) else None
            for one in found
        )


def _pair(store: Library, timeline: Callable[[str], Timeline], row: SimilarScenes) -> Pair:
    score, said = row.score, ""
    if row.film_score is not None:
        score, said = row.film_score, f"mean of {row.num_pairs} pairs; their best, {row.score:.3f}"
    sides = tuple(
        Side(
            film=scene.path,
            start_s=scene.start_s,
            end_s=scene.end_s,
            said=_shots_said(scene),
            stills=tuple(_stills(store, timeline(scene.movie_id), scene)),
        )
        for scene in (row.scene, row.other)
    )
    reasons = tuple(
        (label.name, f"{label.num_shots} and {label.num_other_shots} shots") for label in row.shared
    )
    return Pair(score, said, (sides[0], sides[1]), reasons)


def _shots_said(scene: FoundScene) -> str:
    shots = f"shots {scene.first_shot}–{scene.end_shot - 1}"
    if scene.end_shot - scene.first_shot > MAX_STILLS:
        shots += f", {MAX_STILLS} of them shown"
    return shots if scene.scene_id is None else f"{scene.scene_id}, {shots}"


def _stills(store: Library, timeline: Timeline, scene: FoundScene) -> Iterator[Still]:
    for index in uniform_frames(scene.first_shot, scene.end_shot, MAX_STILLS):
        shot = timeline.shots[index]
        yield Still(shot.span.start_s, store.thumb(shot.id))
