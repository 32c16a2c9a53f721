"""What a film's shots and subtitles say of the scenes of a script."""
# S scenes of the script, F shots, L labels

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mastershot.core.errors import EncoderError
from mastershot.core.labels import LabelScore, load_taxonomy
from mastershot.core.timeline import Timeline
from mastershot.curation.moments import continues, day_or_night
from mastershot.curation.scripts import ScriptScene
from mastershot.curation.sluglines import Heading
from mastershot.labelling.place_labels import place_shares
from mastershot.scenes.script_evidence import (
    EvidenceWeights,
    place_evidence,
    state_evidence,
    word_evidence,
)

if TYPE_CHECKING:
    from mastershot.encoders.text import SentenceEncoder

Doubles: TypeAlias = NDArray[np.float64]

_UNLIKE_SCRIPT = 0.5
_SETTINGS = {"INT": 1, "EXT": -1}
_TIMES = {"DAY": 1, "NIGHT": -1}


def script_evidence(
    timeline: Timeline, scenes: Sequence[ScriptScene], weights: EvidenceWeights
) -> tuple[Doubles, list[str]]:
    """Return what the shots say of the scenes, (S, F), and what could not be used."""
    shots, headings = timeline.shots, [scene.heading for scene in scenes]
    evidence, notes = np.zeros((len(scenes), len(shots))), []
    if any(shot.labels for shot in shots):
        taxonomy = load_taxonomy("movieclip").labels
        named = (label.name for shot in shots for label in shot.labels or ())
        labels = tuple(dict.fromkeys((*taxonomy, *named)))
        wanted, problems = wanted_labels(headings, labels)
        notes += problems
        lengths_s = np.array([shot.span.duration_s for shot in shots])
        evidence += place_evidence(wanted, seen_labels(timeline, labels), lengths_s, weights)
    else:
        notes.append("the shots have no labels, so places were not compared")
    inside = np.array([_likely(shot.setting, "INT") for shot in shots])
    wanted_inside = np.array([_SETTINGS.get(one.setting or "", 0) for one in headings])
    evidence += state_evidence(wanted_inside, inside, weights.setting)
    by_day = np.array([_likely(shot.time_of_day, "DAY") for shot in shots])
    wanted_day = np.array([_TIMES.get(time or "", 0) for time in times_of(headings)])
    evidence += state_evidence(wanted_day, by_day, weights.time_of_day)
    spoken, problems = _spoken(timeline, scenes, weights)
    return evidence + spoken, notes + problems


def _likely(state: LabelScore | None, name: str) -> float:
    """Return how likely a state is; of one that is unsure half of what it says counts."""
    if state is None:
        return 0.5
    score = state.score if state.name == name else 1 - state.score
    return (score + 0.5) / 2 if state.unsure else score


def times_of(headings: Sequence[Heading]) -> list[str | None]:
    """Return day or night of each heading; CONTINUOUS and LATER have that of the one before."""
    times: list[str | None] = []
    for heading in headings:
        time = day_or_night(heading.time_of_day)
        carries = time is None and times and continues(heading.time_of_day)
        times.append(times[-1] if carries else time)
    return times


def wanted_labels(
    headings: Sequence[Heading], labels: tuple[str, ...]
) -> tuple[Doubles, list[str]]:
    """Return what part of each scene's shots each label would name, (S, L), and problems."""
    places = tuple(dict.fromkeys(place for heading in headings for place in heading.places))
    wanted, problems, cosines = np.zeros((len(headings), len(labels))), [], None
    if not places:
        return wanted, ["no heading of the script names a place that is known"]
    try:
        cosines = _vectors(places) @ _vectors(labels).T
    except EncoderError as error:
        problems.append(f"places were compared by their words alone: {error}")
    shares = dict(zip(places, place_shares(places, labels, cosines=cosines), strict=True))
    for row, heading in zip(wanted, headings, strict=True):
        known = [shares[place] for place in heading.places if shares[place].any()]
        if known:
            row[:] = np.mean(known, axis=0)
    return wanted, problems


@lru_cache(maxsize=8)
def _vectors(texts: tuple[str, ...]) -> Doubles:
    """Return a unit vector a text; the last ones are kept, such as those of the labels."""
    return _sentences().encode_texts(texts).astype(np.float64)


@cache
def _sentences() -> "SentenceEncoder":
    from mastershot.encoders.text import SentenceEncoder  # Costs a start where none is needed.

    return SentenceEncoder()


def seen_labels(timeline: Timeline, labels: tuple[str, ...]) -> Doubles:
    """Return how likely each label is in each shot, half of it by its scene, shape (F, L)."""
    column = {label: index for index, label in enumerate(labels)}

    def row(found: Sequence[LabelScore] | None) -> Doubles:
        scores = np.zeros(len(labels))
        if not found:
            return scores
        places = [column[one.name] for one in found if one.name in column]
        named = [one.score for one in found if one.name in column]
        # What the best labels leave is shared by those that are not stated.
        rest = max(0.0, 1 - sum(named)) / max(len(labels) - len(named), 1)
        scores[:] = rest
        scores[places] = named
        return np.asarray(scores / scores.sum())

    seen = np.stack([row(shot.labels) for shot in timeline.shots])
    for scene in timeline.scenes or ():
        if scene.labels:
            own = seen[scene.first_shot : scene.end_shot]
            own[own.any(axis=1)] = (own[own.any(axis=1)] + row(scene.labels)) / 2
    return seen


def _spoken(
    timeline: Timeline, scenes: Sequence[ScriptScene], weights: EvidenceWeights
) -> tuple[Doubles, list[str]]:
    """Return what subtitles say of the scenes, (S, F), and what could not be used of them."""
    nothing = np.zeros((len(scenes), len(timeline.shots)))
    cues = [cue for lane in timeline.lanes if lane.role == "subtitles" for cue in lane.intervals]
    if not cues:
        return nothing, ["the timeline has no subtitles, which would tell most; import them first"]
    if not any(scene.text for scene in scenes):
        return nothing, ["headings without the script's text cannot be compared with subtitles"]
    ends = [shot.span.end_frame for shot in timeline.shots]
    middles = [(cue.span.first_frame + cue.span.end_frame) // 2 for cue in cues]
    heard = np.minimum(np.searchsorted(ends, middles, side="right"), len(ends) - 1).tolist()
    spoken = list(zip(heard, (cue.text for cue in cues), strict=True))
    texts = [scene.text for scene in scenes]
    evidence, known = word_evidence(texts, spoken, len(ends), weights)
    if known < _UNLIKE_SCRIPT:
        return nothing, [
            f"the script has only {known:.0%} of the subtitles' words, so they are of another "
            "language or film, and were not used"
        ]
    return evidence, []
