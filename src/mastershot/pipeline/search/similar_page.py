"""The page that shows why scenes are similar: their shots in rows above each other."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path

from mastershot.exports.pages.search import Head, Pair, Side, Still, write_pairs_page
from mastershot.media.sampling import uniform_frames
from mastershot.pipeline.search.similar import FoundScene, Similar, SimilarScenes
from mastershot.store.library import Library

MAX_STILLS = 18
"""Shots of a scene that are shown; of a longer scene, so many at even distances."""


def write_similar_page(store: Library, found: Sequence[Similar], path: Path) -> None:
    """Write what was found as one HTML page, the results of several views beside each other.

    Raises:
        OutputError: The page cannot be written.
        LibraryError: A picture cannot be read.
    """
    notes = dict.fromkeys(note for one in found for note in one.notes)
    vectors = dict.fromkeys(f"vectors of {one.space.model}" for one in found)
    views, first = tuple(one.view for one in found), found[0].rows[0].scene
    facts = (f"library {store.path.name}", *vectors, *(views if len(views) == 1 else ()))
    timeline = lru_cache(maxsize=32)(store.timeline)

    def side(scene: FoundScene) -> Side:
        shots = timeline(scene.movie_id).shots
        shown = uniform_frames(scene.first_shot, scene.end_shot, MAX_STILLS)
        stills = (Still(shots[i].span.start_s, store.thumb(shots[i].id)) for i in shown)
        return Side(scene.path, scene.start_s, scene.end_s, _shots_named(scene), tuple(stills))

    by_rank = zip_longest(*((_pair(row, side) for row in one.rows) for one in found))
    query = None if first.scene_id is None else side(first)
    write_pairs_page(by_rank, path, Head(found[0].title, views, facts, tuple(notes), query))


def _pair(row: SimilarScenes, side: Callable[[FoundScene], Side]) -> Pair:
    reasons = tuple(
        (label.name, f"{label.num_shots} and {label.num_other_shots} shots") for label in row.shared
    )
    shown = (row.scene, row.other) if row.scene.scene_id is None else (row.other,)
    return Pair(row.ranked_by, row.score_note, tuple(side(scene) for scene in shown), reasons)


def _shots_named(scene: FoundScene) -> str:
    last = scene.end_shot - 1
    shots = f"shots {scene.first_shot}–{last}" if last > scene.first_shot else f"shot {last}"
    if scene.end_shot - scene.first_shot > MAX_STILLS:
        shots += f", {MAX_STILLS} of them shown"
    return shots if scene.scene_id is None else f"{scene.scene_id}, {shots}"
