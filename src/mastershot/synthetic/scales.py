"""Drawn shots at the five scales, laid out as MovieShots is: one person, seen from near or far."""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import ImageArray
from mastershot.core.errors import OutputError
from mastershot.core.movie import SCALES
from mastershot.media.write import write_frames
from mastershot.synthetic.canvas import Window
from mastershot.synthetic.figures import paint_figure
from mastershot.synthetic.places import PLACES, draw_place, paint_place

SPLITS = ("train", "val", "test")
ANNOTATIONS, CLIPS = "v1_split_trailer.json", "trailer"
WIDTH_PX, HEIGHT_PX, FRAME_RATE = 128, 72, Fraction(24)
FACE = 0.11
"""Height of the middle of a face, in persons, from the crown."""
SHOWN = {"ECS": (0.05, 0.09), "CS": (0.2, 0.32), "MS": (0.5, 0.68), "FS": (1.1, 1.35),
         "LS": (2.6, 4.0)}  # fmt: skip
"""How much height is in view at each scale, in persons, from least to most."""


def draw_scale_shots(folder: Path, *, num_trailers: int = 12, seed: int = 0) -> None:
    """Draw trailers of five shots of 12 to 36 frames, one a scale, and their annotations.

    Two thirds of the trailers are for training, the rest for validation and test in turn. What is
    drawn follows from the seed; the annotations are written last.

    Raises:
        OutputError: The folder cannot be written.
    """
    marks: dict[str, dict[str, dict[str, object]]] = {split: {} for split in SPLITS}
    try:
        for trailer in range(num_trailers):
            split = SPLITS[(0, 0, 1 + trailer // 3 % 2)[trailer % 3]]
            name = f"drawn{trailer:03}"
            (folder / CLIPS / name).mkdir(parents=True, exist_ok=True)
            for place, scale in enumerate(SCALES):
                frames = _frames(scale, np.random.default_rng([seed, trailer, place]))
                write_frames(folder / CLIPS / name / f"shot_{place:04}.mp4", frames, FRAME_RATE)
                mark = {"scale": {"label": scale, "value": place}}
                marks[split].setdefault(name, {})[f"{place:04}"] = mark
        (folder / ANNOTATIONS).write_text(json.dumps(marks), "utf-8")
    except OSError as error:
        raise OutputError(f"shots cannot be drawn into {folder}: {error.strerror}") from error


def _frames(scale: str, rng: np.random.Generator) -> Iterator[ImageArray]:
    """Return the frames of one shot of a person who talks, RGB, shape (H, W, 3)."""
    shown = rng.uniform(*SHOWN[scale])
    aspect = WIDTH_PX / HEIGHT_PX
    middle = FACE if shown < 1 else 0.5  # Near, the face is in the middle; far, the person.
    left = rng.uniform(-0.6, -0.4) * shown * aspect
    window = Window(left, middle - 0.5 * shown, shown * aspect, shown)
    place = draw_place(sorted(PLACES)[rng.integers(len(PLACES))], rng)
    height = rng.uniform(0.25, 0.35) if shown < 1 else rng.uniform(0.8, 1.0)
    behind = Window(rng.uniform(0, 1), rng.uniform(0, 1 - height), height * aspect, height)
    backdrop = paint_place(place, behind, width_px=WIDTH_PX, height_px=HEIGHT_PX)
    actor, images = int(rng.integers(2**31)), []
    for pose in (0, 1):
        figure = paint_figure(actor, window, height_px=HEIGHT_PX, pose=pose)
        mixed = np.clip(figure[:3] + backdrop * (1 - figure[3] / 255), 0, 255).astype(np.uint8)
        images.append(np.ascontiguousarray(mixed.transpose(1, 2, 0)))
    for frame in range(int(rng.integers(12, 37))):
        yield images[frame // 5 % 2]
