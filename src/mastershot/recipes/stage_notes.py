"""Notes on a run of Movies2Scenes: what it left out, and how well similar films are recognised."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mastershot.core.errors import DatasetError
from mastershot.datasets.tables.similarity_table import read_similarity
from mastershot.training.engine.metrics_log import read_entries

_SIMILARITY = "similarity.parquet"
_STAGES = ("", "similarity", "movie_encoder", "pairs", "scenes")
_LISTS = {
    "unread": "films that could not be read",
    "excluded_by_leakage_guard": "films left out because LVU evaluates on them",
    "without_metadata": "films of the library that the metadata lacks",
    "named_by_start": "films that the metadata names only by the start of their name",
    "ambiguous_names": "names of the metadata that fit several films, so none of them is used",
    "without_neighbours": "films without a similar one",
    "not_in_library": "similar films that the library does not hold",
    "too_short": "films with fewer shots than a scene",
    "damaged": "films with damaged features",
}
_LEFT_OUT = {
    "num_incomplete": "lack a viewer or a film",
    "num_impossible": "are at an impossible time",
    "num_unknown": "are of films that are not in the library",
    "num_repeated": "repeat an earlier one",
}


def stage_notes(run: Path) -> tuple[str, ...]:
    """Return sentences on what was left out and how well similar films are recognised."""
    logged: dict[str, Any] = {}
    for stage in _STAGES:
        for entry in read_entries(run / stage):
            logged |= entry
    notes = [
        f"{words}: {len(logged[name]):,}, the first: {logged[name][0]}"
        for name, words in _LISTS.items()
        if logged.get(name)
    ]
    if unused := logged.get("in_metadata_only"):
        notes.append(f"films of the metadata that the library lacks: {unused:,}")
    notes += _views_left_out(run)
    if "held_out_accuracy" in logged:
        share, count = logged["held_out_accuracy"], logged.get("held_out_pairs", 0)
        notes.append(
            f"whether two films are similar is predicted correctly for {share:.1%} of "
            f"{2 * count:,} held-out pairs, half of them similar"
        )
    return tuple(notes)


def _views_left_out(run: Path) -> Iterator[str]:
    paths = (run / _SIMILARITY, run / "similarity" / _SIMILARITY)
    path = next((path for path in paths if path.exists()), None)
    try:
        made_by = {} if path is None else read_similarity(path).made_by
    except DatasetError:
        return
    for part in (made_by, *made_by.get("parts", {}).values()):
        events = part.get("events", {})
        reasons = [f"{events[name]:,} {why}" for name, why in _LEFT_OUT.items() if events.get(name)]
        if reasons:
            yield f"of {events['num_events']:,} views, left out: {', '.join(reasons)}"
        if events.get("num_out_of_order"):
            yield f"views put in order: {events['num_out_of_order']:,}"
