"""Faces by YuNet and persons by NanoDet-m in single frames, on ONNX Runtime.

Frames come 640 pixels wide or high at most. YuNet sees them so: faces of about ten pixels on are
found. NanoDet sees them 416 wide or high, in a map of just their shape: in the square for which it
was published, a wide film would fill half with black. The packaged file is for any shape, and
scores persons alone, with the published scores and boxes (bench/person_network.py). Where neither
finds anybody, it looks at the two to four squares that cover a wide frame, for distant persons, if
the whole frame gives any hint of one: those squares cost 1.4 to 3 times as much as all else.
Cost thus does not depend on the film's size. Black bars above and below are left out.

The networks run on one thread: the decoder has the other cores meanwhile.
"""
# H × W size of a frame, N boxes, A anchors of a map

import math
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np

from mastershot.core.embeddings import DETECTOR, EmbeddingSpace, FloatArray, ImageArray
from mastershot.core.errors import EncoderError
from mastershot.core.people import SIGHTING_WIDTH, Sighting, heights, sighting_of_boxes
from mastershot.encoders.detectors.bars import without_bars
from mastershot.encoders.detectors.packaged import NANODET, YUNET, PackagedNetwork

FRAME_PX = 640
"""Longest side of the frames that are looked at."""

MIN_FACE_SCORE = 0.7
MIN_PERSON_SCORE = 0.5
MIN_DISTANT_SCORE = 0.45
"""From which score on a detection counts; chosen on bench/data/shot_scales.csv."""

HINT_SCORE = 0.15
"""Least score of a person in the whole frame with which distant ones are looked for: 169 of 301
frames of both tables in which neither network finds anybody have one, and 18 of the 19 of them in
which distant people are found."""

MAX_DISTANT = 0.55
"""Tallest of the persons that only a part of the frame shows, as a share of its height; taller ones
would have been seen in the whole frame, and most such boxes are none (same table)."""

_REVISION = 4  # rises when boxes may come out otherwise from the same frame
_FACE_OVERLAP, _PERSON_OVERLAP = 0.3, 0.5  # above it, the weaker of two boxes is dropped
_LONG_FRAME = 1.25  # sides in this ratio or beyond are looked at in parts
_MOST_PARTS = 4  # of a frame; one that is longer still, as no film is, is seen as a whole alone
_EDGE = 0.02  # of a part: what touches its inner edge is cut
_STRIDES = (8, 16, 32)  # of both networks; their input has sides of multiples of the last
_FACE_MAPS = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox") for stride in _STRIDES]
# NanoDet-m, as published: side, BGR means and spreads, bins of a side's distance.
_LONGEST_PX = 416
_MEAN_BGR = np.array((103.53, 116.28, 123.675), np.float32)
_SPREAD_BGR = np.array((57.375, 57.12, 58.395), np.float32)
_NUM_BINS = 8


class PeopleDetector:
    """Finds the faces and persons of frames; what it gives are the vectors of `Sighting`.

    Attributes:
        longest_side_px: The size it wants frames scaled down to.
    """

    longest_side_px = FRAME_PX

    def __init__(self) -> None:
        """Load the detectors.

        Raises:
            EncoderError: A file of the package is missing or damaged, or the runtime is missing.
        """
        self._face_network, self._person_network = _loaded(YUNET), _loaded(NANODET)

    @cached_property
    def space(self) -> EmbeddingSpace:
        """The space of sightings by these weights, in frames of this size."""
        scores = (MIN_FACE_SCORE, MIN_PERSON_SCORE, MIN_DISTANT_SCORE, HINT_SCORE)
        limits = (FRAME_PX, *scores, MAX_DISTANT)
        text = f"{YUNET.sha256} {NANODET.sha256} {_REVISION} {limits}"
        digest = sha256(text.encode()).hexdigest()[:32]
        return EmbeddingSpace(f"{DETECTOR}people", f"sha256:{digest}", SIGHTING_WIDTH)

    def encode_images(self, images: ImageArray | Sequence[ImageArray]) -> FloatArray:
        """Return the sighting of each frame, shape (T, `SIGHTING_WIDTH`), from RGB (H, W, 3)."""
        rows = [self.look_at(image).vector() for image in images]
        return np.stack(rows) if rows else np.empty((0, SIGHTING_WIDTH), np.float32)

    def look_at(self, image: ImageArray) -> Sighting:
        """Return the faces and persons of an RGB frame, black bars around it left out."""
        picture = without_bars(image)
        faces, hints = self.faces(picture), self.persons(picture, HINT_SCORE)
        persons = hints[hints[:, 4] >= MIN_PERSON_SCORE]
        if not len(faces) and not len(persons) and len(hints):
            persons = self.distant_persons(picture)
        return sighting_of_boxes(faces, persons, len(picture) / len(image))

    def faces(self, image: ImageArray) -> FloatArray:
        """Return the faces of an RGB frame, shape (N, 5), as shares of its sides, with scores."""
        height, width = image.shape[:2]
        across, down = _padded(width), _padded(height)
        pixels = np.zeros((1, 3, down, across), np.float32)
        for channel, plane in enumerate(pixels[0]):  # Plane by plane, faster than all at once.
            plane[:height, :width] = image[..., 2 - channel]
        maps = self._face_network.run(_FACE_MAPS, {"input": pixels})
        boxes, scores = decode_faces(maps, MIN_FACE_SCORE, across)
        return _as_shares(*_without_doubles(boxes, scores, _FACE_OVERLAP), width, height)

    def persons(
        self, image: ImageArray, min_score: float, *, longest_px: int = _LONGEST_PX
    ) -> FloatArray:
        """Return the persons of an RGB frame likewise, seen ``longest_px`` wide or high."""
        import cv2

        height, width = image.shape[:2]
        shrink = longest_px / max(height, width)
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        across, down = map(_padded, size)
        padded = np.zeros((down, across, 3), np.uint8)
        padded[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        pixels = np.empty((1, 3, down, across), np.float32)
        for channel, plane in enumerate(pixels[0]):
            np.subtract(padded[..., 2 - channel], _MEAN_BGR[channel], out=plane)
            plane /= _SPREAD_BGR[channel]
        maps = self._person_network.run(None, {"image": pixels})
        boxes, scores = decode_persons(maps, min_score)
        return _as_shares(*_without_doubles(boxes, scores, _PERSON_OVERLAP), *size)

    def distant_persons(self, image: ImageArray) -> FloatArray:
        """Return the persons likewise that the squares show which cover a frame's longer side."""
        height, width = image.shape[:2]
        side, longer = sorted((height, width))
        num_parts = math.ceil(longer / side)
        if longer < _LONG_FRAME * side or num_parts > _MOST_PARTS:
            return np.empty((0, 5), np.float32)
        found = []
        for place, start in enumerate(np.linspace(0, longer - side, num_parts).round().astype(int)):
            across = (start, 0) if width == longer else (0, start)
            part = image[across[1] : across[1] + side, across[0] : across[0] + side]
            boxes = self.persons(part, MIN_DISTANT_SCORE)
            low, high = boxes[:, (0, 2) if width == longer else (1, 3)].T
            cut = ((low < _EDGE) & (place > 0)) | ((high > 1 - _EDGE) & (place < num_parts - 1))
            boxes[:, :4] = boxes[:, :4] * side + np.tile(across, 2)
            found.append(boxes[~cut])
        joined = np.concatenate(found)
        boxes, scores = _without_doubles(joined[:, :4], joined[:, 4], _PERSON_OVERLAP)
        boxes = _as_shares(boxes, scores, width, height)
        return boxes[heights(boxes) <= MAX_DISTANT]


def decode_faces(
    maps: Sequence[FloatArray], min_score: float, width_px: int
) -> tuple[FloatArray, FloatArray]:
    """Return boxes (N, 4) in pixels of the input, and scores (N,), from YuNet's maps.

    First come, of each stride, how likely each anchor shows a face rather than anything else,
    (1, A, 1), then how likely it shows any thing, likewise, then the box, (1, A, 4): from the
    anchor to its middle, and the logarithms of its sides, in strides (Wu, Peng and Yu 2023). The
    score is the geometric mean of the two likelihoods.
    """
    boxes, scores = [], []
    for stride, face, thing, box in zip(_STRIDES, maps[:3], maps[3:6], maps[6:], strict=True):
        score = np.sqrt(np.clip(face[0, :, 0], 0, 1) * np.clip(thing[0, :, 0], 0, 1))
        found = np.flatnonzero(score >= min_score)
        row, column = np.divmod(found, width_px // stride)
        middle = (np.column_stack([column, row]) + box[0, found, :2]) * stride
        half = np.exp(box[0, found, 2:]) * stride / 2
        boxes.append(np.hstack([middle - half, middle + half]))
        scores.append(score[found])
    return np.concatenate(boxes).astype(np.float32), np.concatenate(scores)


def decode_persons(maps: Sequence[FloatArray], min_score: float) -> tuple[FloatArray, FloatArray]:
    """Return boxes (N, 4) in pixels of the input, and scores (N,), from NanoDet's three outputs.

    Each is a map of one stride, (1, 1 + 4 × 8, H, W): how likely an anchor shows a person, as a
    logit, then the distributions of its distances to the box's left, top, right and bottom; a
    distance is a distribution's mean times the stride (Li et al. 2020, Generalized Focal Loss).
    """
    boxes, scores = [], []
    for stride, (anchors,) in zip(_STRIDES, maps, strict=True):
        score = 1 / (1 + np.exp(-anchors[0]))
        row, column = np.nonzero(score >= min_score)
        across, down = (column + 0.5) * stride, (row + 0.5) * stride
        logits = anchors[1:, row, column].T.reshape(-1, 4, _NUM_BINS)
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        bins = (weights @ np.arange(_NUM_BINS)) / weights.sum(axis=2) * stride
        left, top, right, bottom = bins.T
        boxes.append(np.stack([across - left, down - top, across + right, down + bottom], axis=1))
        scores.append(score[row, column])
    return np.concatenate(boxes).astype(np.float32), np.concatenate(scores)


def _without_doubles(
    boxes: FloatArray, scores: FloatArray, overlap: float
) -> tuple[FloatArray, FloatArray]:
    """Return the boxes (N, 4) and scores (N,) that no surer one covers, surest first."""
    import cv2

    sizes = np.column_stack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]]).tolist()
    kept = cv2.dnn.NMSBoxes(sizes, scores.ravel().tolist(), 0.0, overlap)
    rows = np.asarray(kept, np.int64).reshape(-1)
    return boxes[rows], scores.ravel()[rows]


def _padded(side_px: int) -> int:
    """Return the next multiple of the networks' widest stride."""
    return math.ceil(side_px / _STRIDES[-1]) * _STRIDES[-1]


def _as_shares(boxes: FloatArray, scores: FloatArray, width: int, height: int) -> FloatArray:
    """Return boxes in pixels as shares of the frame's sides, cut at its edges, (N, 5)."""
    sides = np.array((width, height, width, height), np.float32)
    return np.column_stack([np.clip(boxes / sides, 0, 1), scores]).astype(np.float32)


def _loaded(network: PackagedNetwork) -> Any:
    try:
        from onnxruntime import InferenceSession, SessionOptions
    except ImportError as error:
        raise EncoderError(
            f"the runtime of {network.alias} cannot be loaded ({error}); `pip install onnxruntime` "
            f"brings it, or leave out step {network.step}"
        ) from error
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return InferenceSession(network.read(), options, providers=["CPUExecutionProvider"])
