"""Detectors of moderation that users install: a package names one by an entry point.

A package declares, in its ``pyproject.toml``:

    [project.entry-points."mastershot.moderation"]
    blood = "my_package:BloodDetector"

and ``--moderation-model blood`` loads it: only what the user installed and named is ever run.
"""
# T frames, C classes

import hashlib
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

import numpy as np

from mastershot.core.embeddings import DETECTOR, EmbeddingSpace, FloatArray, ImageArray
from mastershot.core.errors import EncoderError
from mastershot.core.protocols import ModerationDetector

GROUP = "mastershot.moderation"
"""The entry points that name detectors."""


class InstalledDetector:
    """An installed detector as an encoder; its vectors are its scores.

    Attributes:
        name: What it calls itself.
        classes: What it finds, in the order of its scores.
        longest_side_px: The size it wants frames scaled down to.
    """

    def __init__(self, name: str, detector: ModerationDetector) -> None:
        """Take a detector under the name that the user gave.

        Raises:
            EncoderError: It does not say what it finds, or in which version.
        """
        self.name = name
        self._detector = detector
        classes = getattr(detector, "classes", None)
        version = getattr(detector, "version", None)
        if (
            not isinstance(classes, tuple | list)
            or not classes
            or not all(isinstance(one, str) and one for one in classes)
            or len(set(classes)) < len(classes)
        ):
            raise EncoderError(
                f"moderation detector {name} should have `classes`, names of what it finds, each "
                f"once; it has {classes!r:.60}"
            )
        if not isinstance(version, str) or not version:
            raise EncoderError(
                f"moderation detector {name} should have `version`, a text that changes with its "
                f"scores; it has {version!r:.60}"
            )
        self.classes = tuple(classes)
        self.longest_side_px = int(getattr(detector, "longest_side_px", 640))
        text = f"{name}\n{version}\n{self.longest_side_px}\n{self.classes}"
        self._hash = f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:32]}"

    @property
    def space(self) -> EmbeddingSpace:
        """The space of its scores."""
        return EmbeddingSpace(f"{DETECTOR}moderation:{self.name}", self._hash, len(self.classes))

    def encode_images(self, images: ImageArray | Sequence[ImageArray]) -> FloatArray:
        """Return the score of each class for each RGB frame, shape (T, C).

        Raises:
            EncoderError: It fails, or its scores are not T rows of C numbers from 0 to 1.
        """
        frames = list(images)
        try:
            scores = np.asarray(self._detector.score_frames(frames), np.float32)
        except Exception as error:
            raise EncoderError(
                f"moderation detector {self.name} fails: {type(error).__name__}: {error}"
            ) from error
        if scores.shape != (len(frames), len(self.classes)):
            raise EncoderError(
                f"moderation detector {self.name} gives scores of shape {scores.shape} for "
                f"{len(frames)} frames; it should be {(len(frames), len(self.classes))}"
            )
        if not ((scores >= 0) & (scores <= 1)).all():
            raise EncoderError(
                f"moderation detector {self.name} gives a score outside [0, 1]; scores are "
                "probabilities"
            )
        return scores


def installed_detectors() -> dict[str, EntryPoint]:
    """Return the entry points of installed detectors, by name."""
    return {point.name: point for point in entry_points(group=GROUP)}


def load_installed(name: str) -> InstalledDetector:
    """Return an installed detector.

    Raises:
        EncoderError: None of that name is installed, or it cannot be loaded.
    """
    points = installed_detectors()
    if name not in points:
        held = ", ".join(sorted(points)) or "none"
        raise EncoderError(
            f"moderation model {name!r} is neither a folder nor an installed detector (entry point "
            f"of group {GROUP}); installed: {held}"
        )
    try:
        detector = points[name].load()()
    except Exception as error:
        raise EncoderError(
            f"moderation detector {name} ({points[name].value}) cannot be loaded: "
            f"{type(error).__name__}: {error}"
        ) from error
    return InstalledDetector(name, detector)
