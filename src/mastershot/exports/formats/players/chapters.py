"""A film's chapters: its scenes by their headings, or what else the user asked for."""

from dataclasses import dataclass
from itertools import pairwise

from mastershot.core.lanes import Interval
from mastershot.core.text import printable
from mastershot.core.time import Span
from mastershot.exports.formats.lanes import Export


@dataclass(frozen=True)
class Chapter:
    """A chapter; chapters do not overlap."""

    span: Span
    title: str


def chapters_of(export: Export) -> tuple[Chapter, ...]:
    """Return the chapters of an export, in order.

    They are the scenes, each by its heading or else its number and label, if that lane was asked
    for; else the lane of headings; else the first lane that was. One that reaches into the next
    ends where that starts; of several that start together the longest stays.
    """
    lanes = {lane.name: lane.intervals for lane in export.lanes}
    scenes = export.timeline.scenes
    if "scenes" in lanes and scenes:
        texts = {one.span: one.text for one in lanes["scenes"]}
        found = [
            Interval(scene.span, scene.heading or texts[scene.span])
            for scene in scenes
            if scene.span in texts
        ]
    else:
        found = list(lanes.get("headings") or next(iter(lanes.values()), ()))
    found.sort(key=lambda one: (one.span.first_frame, -one.span.end_frame))
    firsts = [
        one
        for place, one in enumerate(found)
        if not place or found[place - 1].span.first_frame < one.span.first_frame
    ]
    ends = [after.span.first_frame for _, after in pairwise(firsts)]
    ends = [*ends, export.times.num_frames]
    return tuple(
        Chapter(
            export.times.span(one.span.first_frame, min(one.span.end_frame, end)),
            title_of(one.text) or f"Chapter {number}",
        )
        for number, (one, end) in enumerate(zip(firsts, ends, strict=True), start=1)
    )


def title_of(text: str) -> str:
    """Return a text as one line that a player shows as it is."""
    return printable(" ".join(text.split()))
