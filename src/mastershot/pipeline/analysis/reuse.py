"""What of an earlier run is still valid, and what is made anew because it is not."""

from dataclasses import replace

from mastershot.core.lanes import Interval
from mastershot.core.protocols import FeatureStore
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import MadeBy, Timeline
from mastershot.pipeline.analysis.annotate import annotate
from mastershot.pipeline.analysis.decode_pass import Decoded
from mastershot.pipeline.analysis.plan import LoadedPlan
from mastershot.pipeline.analysis.stored import has_vectors


def timeline_without_decoding(
    previous: Timeline | None, made: MadeBy, loaded: LoadedPlan, store: FeatureStore
) -> Timeline | None:
    """Return the timeline of a film, or None if the film must be decoded for it.

    That is the previous one itself where making it again would change nothing; else one with scenes
    and labels made anew, where the earlier run's shots would be the same and have their vectors.
    """
    if previous is None or is_current(previous, made, loaded, store):
        return previous
    if (
        previous.made_by.version != made.version
        or not _same("reading", "shots", before=previous, now=made)
        or not _sampled_alike(previous.made_by, made)
        or not _heard_alike(previous, made)
        or not has_vectors(previous.shots, loaded.encoders, store, loaded.clip_space)
    ):
        return None
    shots = tuple(
        replace(
            shot,
            labels=None,
            kept=(),
            borrowed=(),
            scale=None,
            scale_by=None,
            people=None,
            setting=None,
            time_of_day=None,
        )
        for shot in previous.shots
    )
    if "frames" not in made.steps:
        shots = tuple(replace(shot, sampled_frames=()) for shot in shots)
    audio = previous.audio
    if "sound" not in made.steps:
        shots, audio = tuple(replace(shot, sound=None) for shot in shots), None
    decoded = Decoded(previous.movie, shots, previous.damaged, previous.notes, audio)
    return replace(annotate(decoded, made, loaded, store), marks=previous.marks)


def is_current(previous: Timeline, made: MadeBy, loaded: LoadedPlan, store: FeatureStore) -> bool:
    """Return True if making the timeline again would change nothing.

    Where labels are asked for and their encoder is not available, labels made earlier stay.
    """
    before = previous.made_by
    if "labels" in loaded.plan.steps and loaded.taxonomy is None and "labels" in before.steps:
        return _heard_alike(previous, made) and _same("reading", "shots", before=previous, now=made)
    if (before.version, before.steps) != (made.version, made.steps):
        return False
    return has_vectors(previous.shots, loaded.encoders, store, loaded.clip_space)


def plan_of_decoding(
    previous: Timeline | None, made: MadeBy, loaded: LoadedPlan, store: FeatureStore
) -> LoadedPlan:
    """Return the plan for the decoding pass: of clips whose features are all stored none is made.

    They are where the earlier run found the same shots and left the features of each.
    """
    space = loaded.clip_space
    if (
        previous is None
        or space is None
        or previous.made_by.version != made.version
        or not _same("reading", "shots", before=previous, now=made)
        or not has_vectors(previous.shots, (), store, space)
    ):
        return loaded
    return replace(loaded, recogniser=None)


def read_differently(previous: Timeline | None, made: MadeBy) -> bool:
    """Return True if an earlier run may have read other frames, or other times of them."""
    return previous is not None and not _same("reading", before=previous, now=made)


def with_reading_note(timeline: Timeline, previous: Timeline | None) -> Timeline:
    """Return the timeline with a note, if an earlier run found other frames or other times."""
    if previous is None or not read_differently(previous, timeline.made_by):
        return timeline
    old, new = previous.movie, timeline.movie
    starts = {shot.span.first_frame: shot.span.start_pts for shot in timeline.shots}
    if (old.num_frames, old.end_pts) == (new.num_frames, new.end_pts) and all(
        starts.get(shot.span.first_frame, shot.span.start_pts) == shot.span.start_pts
        for shot in previous.shots
    ):
        return timeline
    found, before = (f"{m.num_frames:,} frames, {m.duration_s:.2f} s" for m in (new, old))
    what = f"{found}, instead of {before}" if found != before else f"the same {found}, other times"
    note = f"analysed anew, because it is read otherwise than before: {what}"
    return replace(timeline, notes=(*timeline.notes, note))


def with_lanes(timeline: Timeline, previous: Timeline, times: FrameTimes) -> Timeline:
    """Return the timeline with the lanes of an earlier one, frame by their times.

    What a person brought in stays where it was in the film, if frames are counted otherwise now.
    An interval that lies wholly beyond the film is moved to its last frame.
    """

    def moved(interval: Interval) -> Interval:
        start, end = times.frame_at(interval.span.start), times.frame_at(interval.span.end)
        first = min(start, times.num_frames - 1)
        return replace(interval, span=times.span(first, max(first + 1, end)))

    lanes = previous.lanes
    if read_differently(previous, timeline.made_by):
        lanes = tuple(replace(one, intervals=tuple(map(moved, one.intervals))) for one in lanes)
    return replace(timeline, lanes=lanes)


def _sampled_alike(before: MadeBy, now: MadeBy) -> bool:
    """Return True if the frames that are now needed of each shot, if any are, are the earlier ones.

    Whether they have vectors in the spaces that are now needed is another question.
    """
    if "frames" not in now.steps:
        return True
    frames = before.steps.get("frames", {})
    return bool(frames.get("sampling") == now.steps["frames"]["sampling"])


def _heard_alike(before: Timeline, now: MadeBy) -> bool:
    """Return True if the sounds that are now asked for, if any are, are the earlier ones."""
    return "sound" not in now.steps or _same("sound", before=before, now=now)


def _same(*steps: str, before: Timeline, now: MadeBy) -> bool:
    return all(before.made_by.steps.get(step) == now.steps.get(step) for step in steps)
