"""How close the camera is, from the faces and persons of a shot's sampled frames (METHODS E).

The scales are those of MovieShots (Rao et al., ECCV 2020). The heights of faces that divide them
are the project's starting values, kept as they are; what is said of persons without a face was
chosen on bench/data/shot_scales.csv, where bench/shot_scale_rule.py measures the rule.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.movie import SCALES, People
from mastershot.core.people import Sighting, heights

_MEDIAN_SHARE = 0.5  # of the probability; the rest is by shares of frames


@dataclass(frozen=True)
class ScaleRule:
    """Where one scale ends and the next begins; heights are shares of the frame's.

    Attributes:
        extreme_face: A face from this height on is an extreme close-up.
        cut_face: So is one from this height on that the frame's upper or lower edge cuts.
        close_face: A face from this height on is a close-up.
        medium_face: A face from this height on is a medium shot, if its body is not whole.
        full_face: A face from this height on is a full shot; a smaller one a long shot.
        whole_body: A body is whole from so many heights of its face on.
        whole_ratio: Without a face, a body is whole from this ratio of height to width on.
        full_body: A whole body from this height on is a full shot, a smaller one a long shot.
        medium_body: A body that is not whole is a medium shot from this height on.
        small_body: From this height on it is a full shot, a smaller one a long shot.
        part_ratio: A body that is cut above and below is a close-up up to this ratio.
    """

    extreme_face: float = 0.65
    cut_face: float = 0.45
    close_face: float = 0.28
    medium_face: float = 0.10
    full_face: float = 0.045
    whole_body: float = 6.5
    whole_ratio: float = 2.1
    full_body: float = 0.4
    medium_body: float = 0.5
    small_body: float = 0.32
    part_ratio: float = 1.2


SCALE_RULE = ScaleRule()
_EDGE = 0.02  # nearer to an edge of the frame than this, a box is cut by it


def people_seen(sightings: Sequence[Sighting]) -> People:
    """Return the people of some frames: the most seen in one of them, the tallest in any."""
    faces = [heights(one.faces).max(initial=0) for one in sightings]
    persons = [heights(one.persons).max(initial=0) for one in sightings]
    return People(
        faces=max(one.num_faces for one in sightings),
        persons=max(one.num_persons for one in sightings),
        tallest_face=float(max(faces)),
        tallest_person=float(max(persons)),
    )


def people_of_parts(one: People, other: People) -> People:
    """Return the people of a shot from those of two parts of it."""
    parts = zip(astuple(one), astuple(other), strict=True)
    return People(*(max(values) for values in parts))


def scale_votes(
    sightings: Sequence[Sighting], aspect: float, rule: ScaleRule = SCALE_RULE
) -> IntArray:
    """Return how many of some frames are of each of `SCALES`, shape (5,).

    Frames without anybody are of none. ``aspect`` is a frame's width over its height, as shown.
    """
    found = [scale_of_frame(one, aspect, rule) for one in sightings]
    places = [SCALES.index(scale) for scale in found if scale is not None]
    return np.bincount(places, minlength=len(SCALES)).astype(np.int64)


def scale_of_votes(votes: IntArray) -> dict[str, float] | None:
    """Return how likely each of `SCALES` is for a shot; None where nobody is seen in any frame.

    Half goes to the median of its frames' scales, of two the closer, and half to the scales by
    their shares of frames.
    """
    total = int(votes.sum())
    if not total:
        return None
    shares = (1 - _MEDIAN_SHARE) * votes / total
    shares[np.searchsorted(np.cumsum(votes), (total + 1) // 2)] += _MEDIAN_SHARE
    return dict(zip(SCALES, shares.tolist(), strict=True))


def scale_of_frame(sighting: Sighting, aspect: float, rule: ScaleRule = SCALE_RULE) -> str | None:
    """Return the scale of one frame; None where nobody is seen, which is not a long shot."""
    if len(sighting.faces):
        return _scale_by_face(sighting.faces[0], sighting.persons, rule)
    if len(sighting.persons):
        return _scale_by_person(sighting.persons[0], aspect, rule)
    return None


def _scale_by_face(face: FloatArray, persons: FloatArray, rule: ScaleRule) -> str:
    height = face[3] - face[1]
    if height >= rule.extreme_face or (height >= rule.cut_face and _is_cut(face)):
        return "ECS"
    if height >= rule.close_face:
        return "CS"
    if height >= rule.medium_face:
        return "FS" if _body_height(face, persons) >= rule.whole_body * height else "MS"
    return "FS" if height >= rule.full_face else "LS"


def _scale_by_person(person: FloatArray, aspect: float, rule: ScaleRule) -> str:
    left, top, right, bottom = person[:4]
    height, ratio = bottom - top, (bottom - top) / max((right - left) * aspect, 1e-6)
    if ratio >= rule.whole_ratio:
        return "FS" if height >= rule.full_body else "LS"
    if ratio <= rule.part_ratio and top < _EDGE and bottom > 1 - _EDGE:
        return "CS"
    if height >= rule.medium_body:
        return "MS"
    return "FS" if height >= rule.small_body else "LS"


def _body_height(face: FloatArray, persons: FloatArray) -> float:
    """Return the height of the surest person that holds the middle of a face; 0 without one."""
    across, down = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
    left, top, right, bottom, score = persons.T
    holds = (left <= across) & (across <= right) & (top <= down) & (down <= bottom)
    if not holds.any():
        return 0.0
    return float(heights(persons)[np.argmax(np.where(holds, score, 0))])


def _is_cut(box: FloatArray) -> bool:
    return bool(box[1] < _EDGE or box[3] > 1 - _EDGE)
