"""What of an earlier run is still valid, and what is made anew because it is not."""

from collections.abc import Mapping
from dataclasses import replace

from mastershot.core.protocols import FeatureStore
from mastershot.core.timeline import Json, MadeBy, Timeline
from mastershot.pipeline.analysis.annotate import annotate, has_vectors
from mastershot.pipeline.analysis.decode_pass import Decoded
from mastershot.pipeline.analysis.plan import LoadedPlan


def timeline_without_decoding(
    previous: Timeline | None, made: MadeBy, loaded: LoadedPlan, store: FeatureStore
) -> Timeline | None:
    """Return the timeline of a film, or None if the film must be decoded for it.

    That is the previous one itself where making it again would change nothing; else one with scenes
    and labels made anew, where the earlier run's shots would be the same and have their vectors.
    """
    if previous is None or is_current(previous, made, loaded, store):
        return previous
    before, now = previous.made_by.steps, made.steps
    if (
        previous.made_by.version != made.version
        or not _same("reading", "shots", "frames", before=before, now=now)
        or not has_vectors(previous.shots, loaded.encoders, store)
    ):
        return None
    shots = tuple(
        replace(shot, labels=None, kept=(), borrowed=(), scale=None) for shot in previous.shots
    )
    decoded = Decoded(previous.movie, shots, previous.damaged, previous.notes)
    return annotate(decoded, made, loaded, store)


def is_current(previous: Timeline, made: MadeBy, loaded: LoadedPlan, store: FeatureStore) -> bool:
    """Return True if making the timeline again would change nothing.

    Where labels are asked for and their encoder is not available, labels made earlier stay.
    """
    before, now = previous.made_by.steps, made.steps
    if "labels" in loaded.plan.steps and loaded.labeller is None and "labels" in before:
        return _same("reading", "shots", before=before, now=now)
    if (previous.made_by.version, before) != (made.version, now):
        return False
    return has_vectors(previous.shots, loaded.encoders, store)


def read_differently(previous: Timeline | None, made: MadeBy) -> bool:
    """Return True if an earlier run may have read other frames, or other times of them."""
    if previous is None:
        return False
    return not _same("reading", before=previous.made_by.steps, now=made.steps)


def with_reading_note(timeline: Timeline, previous: Timeline | None) -> Timeline:
    """Return the timeline with a note, if an earlier run found other frames or other times."""
    if previous is None or not read_differently(previous, timeline.made_by):
        return timeline
    old, new, starts = previous.movie, timeline.movie, _starts(timeline)
    if (old.num_frames, old.end_pts) == (new.num_frames, new.end_pts) and all(
        starts.get(frame, pts) == pts for frame, pts in _starts(previous).items()
    ):
        return timeline
    found, before = (f"{m.num_frames:,} frames, {m.duration_s:.2f} s" for m in (new, old))
    what = f"{found}, instead of {before}" if found != before else f"the same {found}, other times"
    note = f"analysed anew, because it is read otherwise than before: {what}"
    return replace(timeline, notes=(*timeline.notes, note))


def _starts(timeline: Timeline) -> dict[int, int]:
    """Return the timestamp of each shot's first frame, by its ordinal."""
    return {shot.span.first_frame: shot.span.start_pts for shot in timeline.shots}


def _same(*steps: str, before: Mapping[str, Json], now: Mapping[str, Json]) -> bool:
    return all(before.get(step) == now.get(step) for step in steps)
