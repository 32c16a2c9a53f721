"""What of an earlier run is still valid, and what is made anew because it is not."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from mastershot.core.lanes import Interval
from mastershot.core.protocols import FeatureStore
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Json, MadeBy, Timeline
from mastershot.pipeline.analysis.annotate import annotate
from mastershot.pipeline.analysis.decode_pass import Decoded
from mastershot.pipeline.analysis.plan import LoadedPlan
from mastershot.pipeline.analysis.stored import has_vectors

_LENT = {
    "labels": ("labels", "kept", "borrowed"),
    "scale": ("scale", "scale_by"),
    "headings": ("setting", "time_of_day"),
}
"""Steps that may need an encoder, and what a shot has of each."""


def timeline_without_decoding(
    previous: Timeline | None,
    made: MadeBy,
    loaded: LoadedPlan,
    store: FeatureStore,
    times: FrameTimes | None = None,
) -> Timeline | None:
    """Return the timeline of a film, or None if the film must be decoded for it.

    That is the previous one itself where making it again would change nothing; else one with scenes
    and labels made anew, where the earlier run's shots would be the same and have their vectors.
    ``times`` says when each of its frames is shown, where that is known exactly.
    """
    if previous is None or is_current(previous, made, loaded, store):
        return previous
    if (
        previous.made_by.version != made.version
        or not _same("reading", "shots", "marks", before=previous, now=made)
        or not _sampled_alike(previous.made_by, made)
        or not _heard_alike(previous, made)
        or not has_vectors(previous.shots, loaded.encoders, store, loaded.clip_space)
        or _lacks_windows(loaded, store)
        or not _has_expert_vectors(previous, made, loaded, store)
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
    audio, marks = previous.audio, previous.marks
    if "sound" not in made.steps:
        shots, audio = tuple(replace(shot, sound=None) for shot in shots), None
        if marks is not None:  # Silence is found in the sound.
            marks = tuple(mark for mark in marks if mark.kind != "silence")
    decoded = Decoded(
        previous.movie, shots, previous.damaged, previous.notes, audio, marks, times=times
    )
    return with_kept(annotate(decoded, made, loaded, store), previous, loaded)


def is_current(previous: Timeline, made: MadeBy, loaded: LoadedPlan, store: FeatureStore) -> bool:
    """Return True if making the timeline again would change nothing.

    Where the encoder of labels or headings is not available and an earlier run has made them, that
    run stays unless a step is asked for that it lacks, whatever the version.
    """
    before = previous.made_by
    if _lent_steps(previous, made, loaded) and _same("reading", "shots", before=previous, now=made):
        merged = _merged_steps(previous, made, loaded)
        return all(before.steps.get(name) == step for name, step in merged.items())
    if (before.version, before.steps) != (made.version, made.steps):
        return False
    if _lacks_windows(loaded, store):
        return False
    return has_vectors(previous.shots, loaded.encoders, store, loaded.clip_space)


def with_kept(timeline: Timeline, previous: Timeline | None, loaded: LoadedPlan) -> Timeline:
    """Return the timeline with what an earlier run found and this one cannot, for want of a model.

    Those are labels, headings and scales that are asked for and whose encoder is not available,
    with the scenes that they name. Where the shots or the frames that they rest on are now other
    ones they are left out, and a note says so.
    """
    made = timeline.made_by
    if previous is None or not (lent := _lent_steps(previous, made, loaded)):
        return timeline
    spans = [[shot.span for shot in one.shots] for one in (previous, timeline)]
    if spans[0] != spans[1] or not _sampled_alike(previous.made_by, made):
        note = (
            f"{' and '.join(lent)} made earlier are left out: they rest on other shots or frames, "
            "and the encoder that could make them anew is not available"
        )
        return replace(timeline, notes=tuple(dict.fromkeys((*timeline.notes, note))))
    names = ["sampled_frames", *(name for step in lent for name in _LENT[step])]
    shots = tuple(
        replace(shot, **{name: getattr(old, name) for name in names})
        for shot, old in zip(timeline.shots, previous.shots, strict=True)
    )
    scenes = timeline.scenes
    if _lends_scenes(previous, made, lent):
        scenes = previous.scenes
    made = replace(made, steps=_merged_steps(previous, made, loaded))
    return replace(timeline, made_by=made, shots=shots, scenes=scenes)


def plan_of_decoding(
    previous: Timeline | None, made: MadeBy, loaded: LoadedPlan, store: FeatureStore
) -> LoadedPlan:
    """Return the plan for the decoding pass: of clips whose features are all stored none is made.

    They are where the earlier run found the same shots and left the features of each. So it is with
    what experts of genres say.
    """
    if (
        previous is None
        or previous.made_by.version != made.version
        or not _same("reading", "shots", before=previous, now=made)
    ):
        return loaded
    space = loaded.clip_space
    if space is not None and has_vectors(previous.shots, (), store, space):
        loaded = replace(loaded, recogniser=None)
    if _has_expert_vectors(previous, made, loaded, store):
        loaded = replace(loaded, genres=None)
    return loaded


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


def _lent_steps(previous: Timeline, made: MadeBy, loaded: LoadedPlan) -> list[str]:
    """Return the steps that are asked for, lack their encoder now, and were made by then.

    A scale that people tell takes the place of none that a classifier or words told.
    """
    if not loaded.lacks_encoder:
        return []
    before, asked = previous.made_by.steps, loaded.plan.steps
    lent = [step for step in _LENT if step in asked and step in before and step not in made.steps]
    if _scale_by_people(made.steps) and "scale" in before and not _scale_by_people(before):
        lent.append("scale")
    return lent


def _scale_by_people(steps: Mapping[str, Json]) -> bool:
    return bool(steps.get("scale", {}).get("method") == "people")


def _lends_scenes(previous: Timeline, made: MadeBy, lent: Collection[str]) -> bool:
    names = {"labels", "headings"} & set(lent)
    return bool(names) and "scenes" in made.steps and previous.scenes is not None


def _merged_steps(previous: Timeline, made: MadeBy, loaded: LoadedPlan) -> dict[str, Json]:
    """Return how a timeline is made that has the lent steps of an earlier run, and its frames."""
    lent = _lent_steps(previous, made, loaded)
    before, steps = previous.made_by.steps, dict(made.steps)
    steps |= {step: before[step] for step in lent}
    if _lends_scenes(previous, made, lent):
        steps["scenes"] = before["scenes"]
    if "frames" in before:
        spaces = list(before["frames"]["spaces"])
        spaces += [one for one in steps.get("frames", {}).get("spaces", ()) if one not in spaces]
        steps["frames"] = before["frames"] | {"spaces": spaces}
    return steps


def _lacks_windows(loaded: LoadedPlan, store: FeatureStore) -> bool:
    """Return True if moderation needs scores of sound that an earlier run did not keep."""
    return loaded.moderation is not None and loaded.moderation.lacks_windows(store)


def _has_expert_vectors(
    previous: Timeline, made: MadeBy, loaded: LoadedPlan, store: FeatureStore
) -> bool:
    """Return True if what experts of genres say of the shots, if they are asked, is all stored."""
    if loaded.genres is None:
        return True
    needed = loaded.genres.needed(previous.shots, made)
    return not any(len(store.missing(space, frames)) for space, frames in needed)


def _heard_alike(before: Timeline, now: MadeBy) -> bool:
    """Return True if the sounds that are now asked for, if any are, are the earlier ones."""
    return "sound" not in now.steps or _same("sound", before=before, now=now)


def _same(*steps: str, before: Timeline, now: MadeBy) -> bool:
    return all(before.made_by.steps.get(step) == now.steps.get(step) for step in steps)
