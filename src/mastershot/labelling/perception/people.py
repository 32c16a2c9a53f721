"""How close the camera is, from the faces and persons of a shot's sampled frames (METHODS E).

The scales are those of MovieShots (Rao et al., ECCV 2020). The heights of faces that divide them
are the project's starting values, kept as they are; what is said of persons without a face was
chosen on bench/data/shot_scales.csv, where bench/shot_scale_rule.py measures the rule.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.movie import SCALES, People
from mastershot.core.people import Sighting, heights

_MEDIAN_SHARE = 0.5  # of the probability; the rest is by shares of frames


@dataclass(frozen=True)
class ScaleRule:
    """Where one scale ends and the next begins; heights are shares of the picture's.

    Attributes:
        extreme_face: A face from this height on is an extreme close-up: a part of the head.
        cut_face: So is one from this height on that the picture's upper or lower edge cuts.
        close_face: A face from this height on is a close-up, if no more than the bust is seen.
        bust: What is seen of a person up to here, from the forehead down, in heights of the face.
        medium_face: A face from this height on is a medium shot, if its body is not whole.
        full_face: A face from this height on is a full shot; a smaller one a long shot.
        whole_body: A body is whole from so many heights of its face on.
        nearer_body: A person whose face is not seen is the subject, not the tallest face, from
            so many heights of that face on.
        whole_ratio: Without a face, a body is whole from this ratio of height to width on.
        full_body: A whole body from this height on is a full shot, a smaller one a long shot.
        medium_body: A body that is not whole is a medium shot from this height on.
        small_body: From this height on it is a full shot, a smaller one a long shot.
        part_ratio: A body that is cut above and below is a close-up up to this ratio.
        sure_score: A body as tall as the picture, without a face, needs this score.
    """

    extreme_face: float = 0.85
    cut_face: float = 0.65
    close_face: float = 0.28
    bust: float = 2.5
    medium_face: float = 0.10
    full_face: float = 0.045
    whole_body: float = 6.5
    nearer_body: float = 8.0
    whole_ratio: float = 2.1
    full_body: float = 0.4
    medium_body: float = 0.5
    small_body: float = 0.32
    part_ratio: float = 1.2
    sure_score: float = 0.55


SCALE_RULE = ScaleRule()
_EDGE = 0.02  # nearer to an edge of the picture than this, a box is cut by it
_NEAR_EDGE = 0.04  # nearer than this to both, it is as tall as the picture


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
    faces, persons = sighting.faces, sighting.persons
    aspect /= sighting.picture
    if not len(faces):
        return _scale_by_person(persons[0], aspect, rule) if len(persons) else None
    faceless = persons[~_holds(persons, faces).any(axis=1)]
    if len(faceless) and heights(faceless)[0] >= rule.nearer_body * heights(faces)[0]:
        return _scale_by_person(faceless[0], aspect, rule)
    return _scale_by_face(faces[:1], persons, rule)


def _scale_by_face(face: FloatArray, persons: FloatArray, rule: ScaleRule) -> str:
    height, top = float(heights(face)[0]), float(face[0, 1])
    if height >= rule.extreme_face or (height >= rule.cut_face and _is_cut(face[0])):
        return "ECS"
    if height >= rule.close_face:
        return "CS" if 1 - top <= rule.bust * height else "MS"
    if height >= rule.medium_face:
        return "FS" if _body_height(face, persons) >= rule.whole_body * height else "MS"
    return "FS" if height >= rule.full_face else "LS"


def _scale_by_person(person: FloatArray, aspect: float, rule: ScaleRule) -> str | None:
    left, top, right, bottom, score = person
    height, ratio = bottom - top, (bottom - top) / max((right - left) * aspect, 1e-6)
    if top < _NEAR_EDGE and bottom > 1 - _NEAR_EDGE and score < rule.sure_score:
        return None
    if ratio >= rule.whole_ratio:
        return "FS" if height >= rule.full_body else "LS"
    if ratio <= rule.part_ratio and top < _EDGE and bottom > 1 - _EDGE:
        return "CS"
    if height >= rule.medium_body:
        return "MS"
    return "FS" if height >= rule.small_body else "LS"


def _body_height(face: FloatArray, persons: FloatArray) -> float:
    """Return the height of the surest person that holds a face, (1, 5); 0 without one."""
    bodies = persons[_holds(persons, face)[:, 0]]
    return float(heights(bodies)[np.argmax(bodies[:, 4])]) if len(bodies) else 0.0


def _holds(persons: FloatArray, faces: FloatArray) -> npt.NDArray[np.bool_]:
    """Return whether each person's box holds the middle of each face, shape (persons, faces)."""
    across, down = (faces[:, 0] + faces[:, 2]) / 2, (faces[:, 1] + faces[:, 3]) / 2
    left, top, right, bottom = persons[:, :4, None].transpose(1, 0, 2)
    held: npt.NDArray[np.bool_] = (
        (left <= across) & (across <= right) & (top <= down) & (down <= bottom)
    )
    return held


def _is_cut(box: FloatArray) -> bool:
    return bool(box[1] < _EDGE or box[3] > 1 - _EDGE)
