"""YAMNet: which of 521 sounds is heard in a second (Plakal and Ellis, TensorFlow models, 2019).

It runs on its original runtime, LiteRT. The file's weights have 8 bits, and the runtime rounds what
flows between its layers to 8 bits, too, each time anew: differences of 1e-7 flip some roundings,
which the next layers amplify, so that the same arithmetic done by another library (torch, in the
same roundings) differs by up to 0.015 in a score; bench/yamnet_parity.py measures it.
"""
# W windows, C classes

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from threading import Lock
from typing import Any, Final

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.detectors.packaged import YAMNET

WINDOW_SAMPLES: Final = 15_600
"""What the network hears at once: 0.975 s at 16 kHz."""

HOP_SAMPLES: Final = 7_800
"""From one window to the next: half a window, 0.4875 s."""

EMBEDDING_WIDTH: Final = 1_024
"""Width of what the last layer sees of a window."""

_EMBEDDING = "yamnet_frames/global_average_pooling2d/Mean"
_CLASSES_FILE = YAMNET.path.with_name("yamnet_classes.txt")
_REDIRECTING = Lock()


@cache
def sound_classes() -> tuple[str, ...]:
    """Return the names of the classes in the order of the network's scores.

    Raises:
        EncoderError: Their file is missing or damaged.
    """
    try:
        names = tuple(_CLASSES_FILE.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise EncoderError(
            f"{_CLASSES_FILE} cannot be read: {error}; {YAMNET.way_forward}"
        ) from error
    if len(names) != 521 or len(set(names)) != len(names):
        raise EncoderError(
            f"{_CLASSES_FILE} does not name the 521 classes of sound; {YAMNET.way_forward}"
        )
    return names


class SoundClassifier:
    """Scores the sounds of windows; its file is checked at once, and loaded when first used.

    Attributes:
        classes: Names of the classes, C = 521.
    """

    def __init__(self) -> None:
        """Check the packaged file.

        Raises:
            EncoderError: It is missing or damaged.
        """
        self._file = YAMNET.read()
        self.classes = sound_classes()

    def made(self) -> dict[str, Any]:
        """Return what a timeline keeps of the network."""
        return {"network": YAMNET.alias, "weights_hash": YAMNET.weights_hash}

    def scores(self, windows: FloatArray | Sequence[FloatArray]) -> FloatArray:
        """Return the probability of each class in each window, float32 (W, C); they do not sum up.

        Args:
            windows: Mono sound at 16 kHz, full scale 1, float32 (W, `WINDOW_SAMPLES`).

        Raises:
            EncoderError: The runtime is missing, or cannot load the network.
        """
        scores = np.empty((len(windows), len(self.classes)), np.float32)
        interpreter, (sound, found) = self._loaded
        for row, window in zip(scores, windows, strict=True):
            interpreter.set_tensor(sound, np.asarray(window, np.float32)[None])
            interpreter.invoke()
            row[:] = interpreter.get_tensor(found)[0]
        return scores

    def embeddings(self, windows: FloatArray | Sequence[FloatArray]) -> FloatArray:
        """Return what the last layer sees of each window, float32 (W, `EMBEDDING_WIDTH`).

        Args:
            windows: As `scores` takes them.

        Raises:
            EncoderError: The runtime is missing, or cannot load the network.
        """
        rows = np.empty((len(windows), EMBEDDING_WIDTH), np.float32)
        interpreter, sound, found = self._with_all_tensors
        for row, window in zip(rows, windows, strict=True):
            interpreter.set_tensor(sound, np.asarray(window, np.float32)[None])
            interpreter.invoke()
            row[:] = interpreter.get_tensor(found)[0]
        return rows

    @cached_property
    def _with_all_tensors(self) -> tuple[Any, int, int]:
        """An interpreter that keeps what flows between layers, its input and the embedding."""
        interpreter = self._interpreter(experimental_preserve_all_tensors=True)
        found = [
            one["index"]
            for one in interpreter.get_tensor_details()
            if one["name"] == _EMBEDDING and tuple(one["shape"]) == (1, EMBEDDING_WIDTH)
        ]
        if len(found) != 1:
            raise EncoderError(f"{YAMNET.path} has no layer {_EMBEDDING} of {EMBEDDING_WIDTH}")
        return interpreter, interpreter.get_input_details()[0]["index"], found[0]

    @cached_property
    def _loaded(self) -> tuple[Any, tuple[int, int]]:
        interpreter = self._interpreter()
        found = interpreter.get_output_details()[0]
        if tuple(found["shape"]) != (1, len(self.classes)):
            raise EncoderError(f"{YAMNET.path} is not the network of {len(self.classes)} classes")
        return interpreter, (interpreter.get_input_details()[0]["index"], found["index"])

    def _interpreter(self, **options: bool) -> Any:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise EncoderError(
                f"the runtime of {YAMNET.alias} cannot be loaded ({error}); `pip install "
                "ai-edge-litert` brings it, or leave out step sound"
            ) from error
        # What it warns of is the memory of all tensors: of one window, about 10 MB.
        with _quiet(), warnings.catch_warnings(action="ignore"):
            # One thread: as fast for one window, and the decoder has the other cores.
            interpreter = Interpreter(model_content=self._file, num_threads=1, **options)
            interpreter.allocate_tensors()
        return interpreter


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the runtime's own line about itself, which is not Python's, off standard error.

    One thread at a time: of two that overlap, the second would take the first one's nowhere for
    standard error, and leave it there.
    """
    with _REDIRECTING:
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
