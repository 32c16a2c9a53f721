"""Moderation on a film's report: what was found, why, and what was not looked for."""

from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.lanes import Evidence, ModerationCoverage, ModerationInterval
from mastershot.core.movie import Shot
from mastershot.core.timeline import Timeline
from mastershot.exports.moderation import finding_text, policy_name
from mastershot.labelling.moderation.intervals import evidence_name, shown_evidence

MOST_SHOWN = 200
"""Of more intervals the gravest are shown; the timeline and the table have all."""


@dataclass(frozen=True)
class ShownInterval:
    """An interval on a page.

    Attributes:
        interval: The interval.
        shots: Indices of its first and last shot; None where it touches none.
        frames: The evidence that is shown in pictures.
    """

    interval: ModerationInterval
    shots: tuple[int, int] | None
    frames: tuple[Evidence, ...]


@dataclass(frozen=True)
class ModerationPart:
    """What a report shows of moderation.

    Attributes:
        policy: Name of the policy.
        rows: Each class and source of it, with what was found, in words.
        intervals: What is to be reviewed, by start.
        num_hidden: How many more intervals there are.
        picture: Returns the picture of a piece of evidence as JPEG, or None.
    """

    policy: str
    rows: tuple[tuple[ModerationCoverage, str], ...]
    intervals: tuple[ShownInterval, ...]
    num_hidden: int
    picture: Callable[[Evidence], bytes | None]


def moderation_part(
    timeline: Timeline, evidence: Path, shot_picture: Callable[[Shot], bytes | None]
) -> ModerationPart | None:
    """Return what a report shows of moderation; None where the step did not run.

    Args:
        timeline: The film.
        evidence: Folder of the pictures of evidence. Where one is missing, that of its shot is
            shown.
        shot_picture: Returns the picture of a shot.
    """
    if timeline.moderation is None:
        return None
    index_of = {shot.id: index for index, shot in enumerate(timeline.shots)}
    starts = [shot.span.first_frame for shot in timeline.shots]

    def picture(sample: Evidence) -> bytes | None:
        if sample.frame is None:
            return None
        with suppress(OSError):
            return (evidence / evidence_name(sample.frame)).read_bytes()
        return shot_picture(timeline.shots[max(0, bisect_right(starts, sample.frame) - 1)])

    gravest = sorted(timeline.moderation, key=lambda one: (-one.severity, -one.score))[:MOST_SHOWN]
    shown = []
    for one in sorted(gravest, key=lambda one: (one.start_s, -one.severity)):
        places = [index_of[shot] for shot in one.shots if shot in index_of]
        ends = (places[0], places[-1]) if places else None
        shown.append(ShownInterval(one, ends, tuple(shown_evidence(one))))
    coverage = timeline.moderation_coverage or ()
    return ModerationPart(
        policy=policy_name(timeline),
        rows=tuple((row, finding_text(timeline, row)) for row in coverage),
        intervals=tuple(shown),
        num_hidden=len(timeline.moderation) - len(shown),
        picture=picture,
    )
