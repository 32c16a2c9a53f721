"""Drawn films with known truth: the frames, the sound and the file of a planned film."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from math import pi
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.media.write import Encoding, Sound, write_frames
from mastershot.synthetic.places import PLACES
from mastershot.synthetic.plan import FilmPlan, Setup
from mastershot.synthetic.stage import GRAIN, Stage, build_stage, shoot

SOUND_RATE_HZ = 16_000
GRAIN_PLAY = 64
"""Film grain is drawn once, this many pixels larger than the frame, and shifted every frame."""


def write_film(plan: FilmPlan, path: str | Path, encoding: Encoding | None = None) -> None:
    """Draw a film into a file, which appears only when it is complete.

    Raises:
        OutputError: The file cannot be written.
    """
    sound = Sound(SOUND_RATE_HZ, draw_sound(plan))
    rate = plan.picture.frame_rate
    write_frames(path, draw_frames(plan), rate, sound=sound, encoding=encoding)


def draw_frames(plan: FilmPlan) -> Iterator[ImageArray]:
    """Return the film's frames one by one, RGB, shape (H, W, 3), the same for the same plan."""
    height, width = plan.picture.height_px, plan.picture.width_px
    stage_of = lru_cache(maxsize=3)(lambda setup: build_stage(setup, plan.picture))
    rng = np.random.default_rng(plan.seed)
    levels = rng.normal(GRAIN / 2, GRAIN / 4, (height + GRAIN_PLAY, width + GRAIN_PLAY, 1))
    grain = np.clip(levels, 0, GRAIN).astype(np.uint8).repeat(3, axis=2)
    for ordinal in range(plan.num_frames):
        top, left = rng.integers(GRAIN_PLAY, size=2)
        clean = _clean_frame(plan, ordinal, stage_of)
        yield clean + grain[top : top + height, left : left + width]


def draw_sound(plan: FilmPlan) -> Iterator[FloatArray]:
    """Return the film's sound in pieces of 10 s or less, mono, at SOUND_RATE_HZ, in [-1, 1].

    Each kind of place has a hum and a wind of its own.
    """
    samples = [round(start / plan.picture.frame_rate * SOUND_RATE_HZ) for start in plan.starts]
    for shot, start, end in zip(plan.shots, samples, samples[1:], strict=False):
        number = sorted(PLACES).index(shot.setup.place.kind)
        hum_hz, wind_hz = 55 * 2 ** (number / 4), 300 * 1.3**number
        swell_hz = 0.1 + 0.07 * (number % 5)
        for first in range(start, end, 10 * SOUND_RATE_HZ):
            time_s = np.arange(first, min(end, first + 10 * SOUND_RATE_HZ)) / SOUND_RATE_HZ
            rng = np.random.default_rng([plan.seed, first])
            hum = np.sin(2 * pi * hum_hz * time_s) + 0.4 * np.sin(6 * pi * hum_hz * time_s)
            pitch_hz = np.fft.rfftfreq(len(time_s), 1 / SOUND_RATE_HZ)
            hiss = np.fft.rfft(rng.normal(size=len(time_s)))
            wind = np.fft.irfft(hiss / (1 + (pitch_hz / wind_hz) ** 2), len(time_s))
            swell = 1 + 0.5 * np.sin(2 * pi * swell_hz * time_s)
            level = 0.06 * hum + 0.08 * swell * wind / (wind.std() + 1e-9)
            yield np.clip(level, -1, 1).astype(np.float32)


def _clean_frame(plan: FilmPlan, ordinal: int, stage_of: Callable[[Setup], Stage]) -> ImageArray:
    """Return a frame before its grain, from its shot or from two across a transition."""
    index = int(np.searchsorted(plan.starts, ordinal, side="right")) - 1

    def draw(shot: int) -> ImageArray:
        frame = ordinal - plan.starts[shot]
        return shoot(plan.shots[shot], frame, stage_of(plan.shots[shot].setup), plan.picture)

    for into in range(index, min(index + 2, len(plan.shots))):
        change = plan.transitions[into]
        if change.start_frame <= ordinal < change.end_frame:
            share = (ordinal - change.start_frame + 0.5) / (change.end_frame - change.start_frame)
            if change.kind == "dissolve":
                return _mix(draw(into - 1), draw(into), share)
            image = draw(index)
            return _mix(np.zeros_like(image), image, max(0.0, 1.25 * abs(2 * share - 1) - 0.25))
    return draw(index)


def _mix(one: ImageArray, other: ImageArray, share: float) -> ImageArray:
    weight = round(256 * share)
    mixed = one.astype(np.uint16) * (256 - weight) + other.astype(np.uint16) * weight
    blend: ImageArray = (mixed >> 8).astype(np.uint8)
    return blend
