"""ClipShots: cuts and gradual transitions of 4,039 short videos (Tang et al., ACCV 2018).

``annotations/{train,test,only_gradual}.json`` is ``{"<video>.mp4": {"transitions": [[a, b], …],
"frame_num": …}}``. Frames count from 0; ``a`` is the last frame of the old shot and ``b`` the first
of the new one. This is not documented but agreed on by the code published with it: its evaluation
takes ``b - a == 1`` for a cut and more for a gradual transition (``tools/evaluate.py`` of
Tangshitao/ClipShots), and TransNetV2's conversion takes ``a`` as the end and ``b`` as the start of
a shot. The kind of a gradual transition is not given. Of ``only_gradual`` not all cuts are
annotated, so precision on it means little. ``test.json`` as published holds 4,903 cuts and 2,301
gradual transitions of 500 videos, fewer than its readme says (5,876 and 2,422).

Pairs of which the second is not later (5 of the test set's) are neither to that evaluation; they
are left out here too, with a note.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mastershot.core.errors import DatasetError, ShotListError
from mastershot.datasets.boundaries.boundary import Boundary, BoundaryList
from mastershot.datasets.files import object_members

_WHAT = "ClipShots annotations"


def read_clipshots(path: Path, film: str) -> BoundaryList:
    """Return the boundaries of the video of a file name, or of one with its stem.

    Raises:
        ShotListError: The file is unreadable, holds no such video, or another layout for it.
    """
    others = []
    try:
        for video, value in object_members(path, what=_WHAT):
            if Path(video).stem == Path(film).stem:
                return _boundaries(value, f"{_WHAT} {path}, {video}")
            others.append(video)
    except DatasetError as error:
        raise ShotListError(str(error)) from error
    shown = ", ".join(others[:3]) or "none"
    raise ShotListError(f"{_WHAT} {path} have no video {film}; their {len(others)} are {shown} …")


def _boundaries(value: Any, name: str) -> BoundaryList:
    transitions = value.get("transitions") if isinstance(value, dict) else None
    if not isinstance(transitions, list):
        raise ShotListError(f"{name}: no list of transitions, which should be pairs of frames")
    num_frames = value.get("frame_num")
    if not _is_frame(num_frames):
        raise ShotListError(f"{name}: frame_num is {num_frames!r}, which should be a whole number")
    pairs = list(_pairs(transitions, int(num_frames), name))
    found = tuple(
        Boundary("cut" if first == last + 1 else "gradual", last + 1, first)
        for last, first in pairs
        if first > last
    )
    num_left_out = len(pairs) - len(found)
    notes = (f"{name}: {num_left_out} transitions that end before they start are left out",)
    return BoundaryList(name, found, end_frame=int(num_frames), notes=notes if num_left_out else ())


def _pairs(transitions: list[Any], num_frames: int, name: str) -> Iterator[tuple[int, int]]:
    for pair in transitions:
        if not (isinstance(pair, list) and len(pair) == 2 and all(map(_is_frame, pair))):
            raise ShotListError(f"{name}: transition {pair!r:.60} should be a pair of frames")
        last, first = map(int, pair)
        if last < 0 or first >= num_frames:
            raise ShotListError(
                f"{name}: transition {pair!r} should lie within its {num_frames} frames"
            )
        yield last, first


def _is_frame(value: Any) -> bool:
    """Return whether a value is a whole number; the release writes some as 1234.0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) < 1 << 53 and value == int(value)
