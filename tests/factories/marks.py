"""Frames for tests of marks, RGB (T, 144, 256, 3): scenes, black, bars, text, letterboxes."""

from collections.abc import Sequence
from fractions import Fraction

import cv2
import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import ImageArray
from mastershot.core.time import FrameTimes
from mastershot.shots.marks.measures import FrameMeter
from mastershot.shots.marks.rules import find_marks
from mastershot.shots.marks.settings import MarkSettings

HEIGHT, WIDTH = 144, 256
LINES = ("Directed by", "Ada Lovelace", "Written by", "Charles Babbage")


def scene(num_frames: int, *, seed: int = 0, speed: int = 2) -> ImageArray:
    """Return a camera's move over drawn clouds of colour."""
    rng = np.random.default_rng(seed)
    small = rng.integers(30, 256, (18, 60, 3)).astype(np.uint8)
    wide = cv2.resize(small, (WIDTH * 3, HEIGHT), interpolation=cv2.INTER_CUBIC)
    starts = (speed * np.arange(num_frames)) % (2 * WIDTH)
    return np.stack([wide[:, start : start + WIDTH] for start in starts.tolist()])


def flat(num_frames: int, colour: int | tuple[int, int, int] = 0) -> ImageArray:
    return np.full((num_frames, HEIGHT, WIDTH, 3), colour, np.uint8)


def grained(frames: ImageArray, sigma: float, *, seed: int = 0) -> ImageArray:
    noise = np.random.default_rng(seed).normal(0, sigma, (*frames.shape[:3], 1))
    return np.clip(np.rint(frames + noise), 0, 255).astype(np.uint8)


def faded(frames: ImageArray, shares: npt.NDArray[np.float64]) -> ImageArray:
    return np.rint(frames * shares[:, None, None, None]).astype(np.uint8)


def bars(num_frames: int, kind: str) -> ImageArray:
    """Return SMPTE bars, or EBU bars of 75 or 100 %."""
    level = 255 if kind == "ebu 100" else 191
    order = [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1)]
    order += [] if kind == "smpte" else [(0, 0, 0)]
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    edges = np.linspace(0, WIDTH, len(order) + 1).round().astype(int)
    for colour, first, end in zip(order, edges[:-1], edges[1:], strict=True):
        picture[:, first:end] = np.array(colour) * level
    if kind == "smpte":
        picture[HEIGHT * 2 // 3 :] = 19
        picture[HEIGHT * 3 // 4 :, WIDTH // 6 : WIDTH // 3] = 255
    return np.repeat(picture[None], num_frames, axis=0)


def page(lines: Sequence[str], *, height: int = HEIGHT, ground: int = 0) -> ImageArray:
    """Return centred lines of text on a plain ground, RGB (height, W, 3)."""
    image = np.full((height, WIDTH, 3), ground, np.uint8)
    step = 24
    first = (height - step * len(lines)) // 2 + 16
    for index, line in enumerate(lines):
        (width, _), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 1)
        at = ((WIDTH - width) // 2, first + step * index)
        light = (20, 20, 20) if ground > 128 else (235, 235, 235)
        cv2.putText(image, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, light, 1, cv2.LINE_AA)
    return image


def card(num_frames: int, lines: Sequence[str] = LINES, *, ground: int = 0) -> ImageArray:
    return np.repeat(page(lines, ground=ground)[None], num_frames, axis=0)


def rolling(num_frames: int, *, step: int = 1) -> ImageArray:
    """Return text that rolls up, seen in every frame."""
    lines = [LINES[index % len(LINES)] for index in range(num_frames * step // 24 + 8)]
    tall = page(lines, height=24 * len(lines))
    return np.stack([tall[step * at : step * at + HEIGHT] for at in range(num_frames)])


def behind_antlers(frames: ImageArray, rows: int = 60) -> ImageArray:
    """Return frames with antlers before their upper rows: thin as letters, and taller than them."""
    made = frames.copy()
    for frame in made:
        for at in range(40, WIDTH - 40, 12):
            cv2.line(frame, (at, 4), (at + 18, rows), (220, 160, 90), 3)
            cv2.line(frame, (at + 18, 4), (at, rows), (220, 160, 90), 3)
    return made


def letterboxed(frames: ImageArray, *, rows: int = 0, columns: int = 0) -> ImageArray:
    made = frames.copy()
    if rows:
        made[:, :rows] = made[:, -rows:] = 0
    if columns:
        made[:, :, :columns] = made[:, :, -columns:] = 0
    return made


def even_times(num_frames: int, rate: Fraction = Fraction(24)) -> FrameTimes:
    return FrameTimes(np.arange(num_frames + 1), 1 / rate)


def points(frame: ImageArray) -> ImageArray:
    """Return a frame, RGB, as the shot detector sees it: every other point, BGR."""
    return np.ascontiguousarray(frame[1::2, 1::2, ::-1])


def marks_in(
    *parts: ImageArray, times: FrameTimes | None = None, settings: MarkSettings | None = None
) -> list[tuple[str, int, int]]:
    """Return kind, first frame and end of the marks of a film of these parts."""
    settings = settings or MarkSettings()
    frames = np.concatenate(parts)
    times = times or even_times(len(frames))
    rate = len(frames) / float((times.pts[-1] - times.pts[0]) * times.time_base)
    meter = FrameMeter(settings, rate)
    for frame in frames:
        meter.add(points(frame))
    return [
        (mark.kind, mark.span.first_frame, mark.span.end_frame)
        for mark in find_marks(meter.measures(), times, settings)
    ]
