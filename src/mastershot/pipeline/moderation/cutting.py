"""Kept scores to moderation intervals by a policy: in an analysis, and anew without a network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mastershot.core.errors import TimelineError
from mastershot.core.files import written_whole
from mastershot.core.lanes import EvidenceSource, ModerationCoverage, ModerationInterval
from mastershot.core.protocols import FeatureStore
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.exports.moderation import write_moderation_csv
from mastershot.exports.pages.report import write_report
from mastershot.exports.tables import write_shots_csv
from mastershot.labelling.moderation.intervals import EVIDENCE_FOLDER, by_start, cut_intervals
from mastershot.labelling.moderation.policy import ClassRule, Policy, load_policy
from mastershot.pipeline.analysis.workspace import changing_results
from mastershot.pipeline.edits import timeline_file
from mastershot.pipeline.moderation.detectors import Detector, Moderation
from mastershot.pipeline.moderation.pictures import write_evidence
from mastershot.pipeline.moderation.scores import keep_scores, listened_s, read_samples
from mastershot.store.features import FolderFeatures
from mastershot.store.frames import frame_times_of

STEP = "moderation"
HOW = "`mastershot analyze FILM --steps shots,labels,scenes,scale,people,headings,sound,moderation`"
"""The command that makes the scores."""

_WHOLE_S = 1.0
_SOURCES: Mapping[EvidenceSource, tuple[str, ...]] = {
    "seen": ("seen", "words"),
    "heard": ("heard",),
}


@dataclass(frozen=True)
class Moderated:
    """What a policy finds in a film.

    Attributes:
        intervals: What is to be reviewed, by start.
        coverage: What was looked and listened for.
    """

    intervals: tuple[ModerationInterval, ...]
    coverage: tuple[ModerationCoverage, ...]


def moderate(
    timeline: Timeline, moderation: Moderation, store: FeatureStore, times: FrameTimes
) -> Timeline:
    """Return the timeline with what the policy of an analysis finds, its scores kept."""
    keep_scores(moderation, timeline.shots, store)
    found = apply_policy(timeline, moderation.policy, moderation.detectors, store, times)
    return replace(timeline, moderation=found.intervals, moderation_coverage=found.coverage)


def apply_policy(
    timeline: Timeline,
    policy: Policy,
    detectors: Sequence[Detector],
    store: FeatureStore,
    times: FrameTimes,
) -> Moderated:
    """Return what a policy finds in kept scores; nothing is decoded and no network runs.

    Raises:
        TimelineError: Scores that the timeline names are not kept.
    """
    heard_s = listened_s(store)
    try:
        if heard_s is None and any(one.unit == "window" for one in detectors):
            raise KeyError("those of its sound are missing")
        used = [one for one in detectors if one.unit != "window" or heard_s]
        scored = [(one, *read_samples(one, timeline.shots, times, store)) for one in used]
    except KeyError as error:
        raise TimelineError(
            f"the scores of moderation of {timeline.movie.path} are not all kept "
            f"({error.args[0]}); {HOW} computes them"
        ) from error
    intervals: list[ModerationInterval] = []
    for rule in policy.classes:
        for detector, samples, rows in scored:
            if detector.kind in rule.thresholds and detector.finds(rule):
                intervals += cut_intervals(
                    samples,
                    detector.scores(rows, rule),
                    rule,
                    threshold=rule.thresholds[detector.kind],
                    found_by=(detector.source, detector.model),
                    movie_id=timeline.movie.id,
                    shots=timeline.shots,
                )
    coverage = [
        _coverage(timeline, rule, source, detectors, heard_s)
        for rule in policy.classes
        for source, kinds in _SOURCES.items()
        if any(kind in rule.thresholds for kind in kinds)
    ]
    return Moderated(by_start(intervals), tuple(coverage))


def _coverage(
    timeline: Timeline,
    rule: ClassRule,
    source: EvidenceSource,
    detectors: Sequence[Detector],
    heard_s: float | None,
) -> ModerationCoverage:
    models = tuple(
        one.model
        for one in detectors
        if one.source == source and one.kind in rule.thresholds and one.finds(rule)
    )
    if source == "seen":
        if models:
            return ModerationCoverage(rule.name, source, "covered", models)
        why = "no detector of it was used; --moderation-model names one"
        return ModerationCoverage(rule.name, source, "not covered", (), why)
    if not rule.sounds:
        why = "no sound stands for it"
    elif not timeline.movie.has_audio:
        why = "the film has no sound"
    elif not models:
        why = "step sound did not run"
    elif not heard_s:
        why = "the film's sound could not be read"
    else:
        length_s = timeline.movie.duration_s
        part = f"{heard_s:.1f} s of {length_s:.1f} s have sound that could be read"
        is_whole = heard_s >= length_s - _WHOLE_S
        return ModerationCoverage(rule.name, source, "covered", models, "" if is_whole else part)
    return ModerationCoverage(rule.name, source, "not covered", (), why)


def kept_detectors(timeline: Timeline) -> list[Detector]:
    """Return the detectors whose scores a timeline names.

    Raises:
        TimelineError: It names none, or describes them wrongly.
    """
    made = timeline.made_by.steps.get(STEP, {})
    if timeline.moderation is None or not isinstance(made.get("detectors"), list):
        raise TimelineError(
            f"the timeline of {timeline.movie.path} has no scores of moderation; {HOW} computes "
            "them"
        )
    return [Detector.of(one) for one in made["detectors"]]


def own_classes(timeline: Timeline) -> list[str]:
    """Return the classes that the detectors of a timeline find; a policy may name them."""
    found = [
        name for one in kept_detectors(timeline) if one.unit != "window" for name in one.outputs
    ]
    return [name for name in dict.fromkeys(found) if name != "none"]


def with_policy(
    timeline: Timeline, policy: str | Path, store: FeatureStore, times: FrameTimes
) -> Timeline:
    """Return a timeline whose moderation follows another policy, from its kept scores.

    Raises:
        SettingError: The policy is not usable.
        TimelineError: The timeline has no scores of moderation, or they are not kept.
    """
    detectors = kept_detectors(timeline)
    rules = load_policy(policy, classes=own_classes(timeline))
    found = apply_policy(timeline, rules, detectors, store, times)
    steps = dict(timeline.made_by.steps)
    steps[STEP] = steps[STEP] | {"policy": rules.made()}
    return replace(
        timeline,
        made_by=replace(timeline.made_by, steps=steps),
        moderation=found.intervals,
        moderation_coverage=found.coverage,
    )


def tune_moderation(path: str | Path, policy: str | Path, *, write: bool = False) -> Timeline:
    """Return a film's timeline by another policy; with ``write``, put it and its pages in place.

    Args:
        path: The film's ``timeline.json``, or its folder, where the scores are.
        policy: Name or file of the policy.
        write: Whether the timeline, the report and the tables are written anew.

    Raises:
        OutputError: A file cannot be written, or a run is at work on the same film.
        MastershotError: The policy is not usable, or the timeline has no scores.
    """
    file = timeline_file(path)
    if not write:
        return _tuned(file, policy)
    folder = file.parent
    with changing_results(folder, Timeline.load(file).movie):
        timeline = _tuned(file, policy)
        write_evidence(timeline, folder / EVIDENCE_FOLDER)
        write_moderation_csv(timeline, folder / "moderation.csv")
        write_shots_csv(timeline, folder / "shots.csv")
        write_report(timeline, folder / "report.html", thumbs=folder / "thumbs")
        with written_whole(file) as out:
            out.write(timeline.to_json())
    return timeline


def _tuned(file: Path, policy: str | Path) -> Timeline:
    timeline, folder = Timeline.load(file), file.parent
    store = FolderFeatures(folder / "features")
    return with_policy(timeline, policy, store, frame_times_of(timeline, folder))
