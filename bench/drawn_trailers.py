"""Drawn trailers whose genres need several experts: the design, then pictures and sound.

A genre is where a trailer plays, what is heard and how the camera moves, all in the same clip
(`GENRES`). Those are its *live* clips. The others are *montage*: the camera drifts, and place and
sound are the opposite of a live clip's. So over a whole trailer places are balanced, and so are
sounds; motion alone says which clips count, and a trailer of two genres is read right only by what
is seen and heard in one clip. Photographs of places are the pictures; all sounds are computed.
"""
# T frames of a clip, H × W pixels

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.media.write import Sound, write_frames

PLACES = {
    "home": ("bathroom", "bedroom", "corridor", "dining_room", "kitchen", "laundromat",
             "living_room", "lobby", "office", "staircase"),
    "wild": ("badlands", "canyon", "coast", "desert-sand", "iceberg", "mountain", "river",
             "rock_arch", "swamp", "valley"),
}  # fmt: skip
"""Classes of photographs of each group of places."""
SOUNDS = ("gunfire", "music")
LIVE_MOTIONS, DRIFT = ("hand-held", "zooms"), "drift"
SPLITS = {"train": 0.6, "val": 0.14, "test": 0.26}


@dataclass(frozen=True)
class DrawnSettings:
    """How trailers are drawn; fixed before any was.

    Attributes:
        trailers: How many.
        clips: Of a trailer.
        live: How many of those are live; they are dealt out to its genres in turn.
        two_genres: Share of trailers of two genres; the others have one.
        clip_s: Shortest and longest clip.
        stray: Share of clips, live or not, whose place and sound are drawn at random.
        silent: Share of trailers without a sound track.
        width_px: Width of a frame.
        height_px: Height of a frame.
        rate_hz: Frames a second.
        seed: Fixes all of it.
    """

    trailers: int = 270
    clips: int = 18
    live: int = 9
    two_genres: float = 0.5
    clip_s: tuple[float, float] = (0.9, 1.3)
    stray: float = 0.05
    silent: float = 0.15
    width_px: int = 256
    height_px: int = 144
    rate_hz: int = 12
    seed: int = 7


SETTINGS = DrawnSettings()
GENRES = {
    f"{place} {sound} {motion}": (place, sound, motion)
    for place, sound, motion in product(PLACES, SOUNDS, LIVE_MOTIONS)
}
"""What the live clips of each genre are: place, sound, motion."""


@dataclass(frozen=True)
class Clip:
    """One clip: what is seen, heard and done, and the seed of its details."""

    place: str
    sound: str
    motion: str
    num_frames: int
    photograph: int
    seed: int


@dataclass(frozen=True)
class DrawnTrailer:
    """A planned trailer, and with it its truth.

    Attributes:
        id: Its name.
        split: Which photographs it shows, and what it is for.
        genres: One or two of `GENRES`.
        clips: In order.
        is_silent: Whether it has no sound track.
    """

    id: str
    split: str
    genres: tuple[str, ...]
    clips: tuple[Clip, ...]
    is_silent: bool


def cells_of(genre: str) -> Counter[tuple[str, str, str]]:
    """Return how many clips of a trailer of one genre are of each place, sound and motion."""
    place, sound, motion = GENRES[genre]
    montage = (_other(PLACES, place), _other(SOUNDS, sound), DRIFT)
    return Counter({(place, sound, motion): SETTINGS.live, montage: SETTINGS.clips - SETTINGS.live})


def best_accuracy(attributes: Sequence[int]) -> float:
    """Return how often the genre can at best be named by some attributes, each counted by itself.

    That is of trailers of one genre without stray clips, all genres equally often, where it is
    known how many clips have which place (0), sound (1) and motion (2), but not in which clips
    they meet.
    """
    seen = {
        tuple(tuple(sorted(_counts(cells_of(genre), one).items())) for one in attributes)
        for genre in GENRES
    }
    return len(seen) / len(GENRES)


def _counts(cells: Counter[tuple[str, str, str]], attribute: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for cell, count in cells.items():
        counts[cell[attribute]] += count
    return counts


def plan_trailers(
    photographs: dict[str, dict[str, list[int]]], settings: DrawnSettings = SETTINGS
) -> list[DrawnTrailer]:
    """Return the trailers, the same for the same settings and photographs.

    Args:
        photographs: Of each split and each place, which it may show.
        settings: How they are drawn.
    """
    trailers = []
    for place_of, (split, share) in enumerate(SPLITS.items()):
        rng = np.random.default_rng([settings.seed, place_of])
        names = list(GENRES)
        for number in range(round(share * settings.trailers)):
            first = names[number % len(names)]
            others = [name for name in names if name != first]
            second = [str(rng.choice(others))] if rng.random() < settings.two_genres else []
            genres = (first, *second)
            trailers.append(
                DrawnTrailer(f"{split}-{number:03}", split, genres,
                             _clips(genres, photographs[split], rng, settings),
                             bool(rng.random() < settings.silent))
            )  # fmt: skip
    return trailers


def _clips(
    genres: tuple[str, ...], photographs: dict[str, list[int]], rng: np.random.Generator,
    settings: DrawnSettings,
) -> tuple[Clip, ...]:  # fmt: skip
    clips = []
    for number in range(settings.clips):
        place, sound, motion = GENRES[genres[number % len(genres)]]
        if number >= settings.live:
            place, sound, motion = _other(PLACES, place), _other(SOUNDS, sound), DRIFT
        if rng.random() < settings.stray:
            place, sound = str(rng.choice(list(PLACES))), str(rng.choice(SOUNDS))
        frames = round(float(rng.uniform(*settings.clip_s)) * settings.rate_hz)
        shown = int(rng.choice(photographs[place]))
        clips.append(Clip(place, sound, motion, frames, shown, int(rng.integers(2**31))))
    return tuple(clips[place] for place in rng.permutation(len(clips)))


def _other(names: Sequence[str] | dict[str, tuple[str, ...]], name: str) -> str:
    return next(one for one in names if one != name)


def read_photographs(data: Path) -> list[tuple[str, bytes]]:
    """Return class and JPEG of the photographs that no shipped network was taught on."""
    shards = [data / "frames" / "photographs" / f"photographs-0{one}.parquet" for one in (6, 7)]
    tables = [pq.read_table(shard, columns=["class", "jpeg"]) for shard in shards]
    return [
        (one, jpeg)
        for table in tables
        for one, jpeg in zip(table["class"].to_pylist(), table["jpeg"].to_pylist(), strict=True)
    ]


def deal_photographs(
    classes: Sequence[str], settings: DrawnSettings = SETTINGS
) -> dict[str, dict[str, list[int]]]:
    """Return which photographs, by their number, each split may show of each place; none twice."""
    dealt: dict[str, dict[str, list[int]]] = {split: {} for split in SPLITS}
    for group, (place, members) in enumerate(PLACES.items()):
        own = [number for number, one in enumerate(classes) if one in members]
        order = np.random.default_rng([settings.seed, 100 + group]).permutation(own).tolist()
        ends = np.rint(np.cumsum([0, *SPLITS.values()]) * len(order)).astype(int)
        for split, first, end in zip(SPLITS, ends, ends[1:], strict=False):
            dealt[split][place] = order[first:end]
    return dealt


def write_trailer(trailer: DrawnTrailer, photographs: Sequence[bytes], path: Path) -> None:
    """Encode a trailer, pictures and sound, as MP4."""
    sound = None if trailer.is_silent else Sound(SOUND_RATE_HZ, _sounds(trailer.clips))
    pictures = (
        frame for clip in trailer.clips for frame in draw_clip(clip, photographs[clip.photograph])
    )
    write_frames(path, pictures, Fraction(SETTINGS.rate_hz), sound=sound)


def draw_clip(clip: Clip, jpeg: bytes) -> Iterator[ImageArray]:
    """Yield the frames of a clip, RGB (H, W, 3): a camera moves over a photograph."""
    photograph = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
    height, width = SETTINGS.height_px, SETTINGS.width_px
    # Photographs were squeezed to squares; most were 4:3.
    large = cv2.resize(photograph, (320, 240), interpolation=cv2.INTER_CUBIC)
    for x, y, shown in camera_path(clip):
        view = shown * 320 / width  # pixels of the photograph for one of the frame
        left = x * (320 - 1 - view * (width - 1))
        top = y * (240 - 1 - view * (height - 1))
        matrix = np.array([[view, 0, left], [0, view, top]], np.float32)
        yield cv2.warpAffine(large, matrix, (width, height),
                             flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)  # fmt: skip


def camera_path(clip: Clip) -> FloatArray:
    """Return where the camera is, right and down in [0, 1], and its share of the width, (T, 3)."""
    rng, count = np.random.default_rng([clip.seed, 1]), clip.num_frames
    time = np.linspace(0, 1, count)
    path = np.empty((count, 3), np.float32)
    if clip.motion == "hand-held":
        steps = rng.normal(0, 0.09, (count, 2))
        swing = np.zeros((count, 2))
        for at in range(1, count):
            swing[at] = 0.75 * swing[at - 1] + steps[at]
        path[:, :2] = np.clip(rng.uniform(0.35, 0.65, 2) + swing, 0, 1)
        path[:, 2] = 0.78
    elif clip.motion == "zooms":
        beat = np.abs((time * rng.uniform(1.5, 2.5) + rng.uniform()) % 2 - 1)
        path[:, :2], path[:, 2] = rng.uniform(0.4, 0.6, 2), 0.55 + 0.4 * beat
    else:
        ends = rng.uniform(0.4, 0.6, 2) + np.outer((-0.1, 0.1), rng.choice((-1, 1), 2))
        path[:, :2] = ends[0] + np.outer(time, ends[1] - ends[0])
        path[:, 2] = 0.85
    return path


SOUND_RATE_HZ = 16_000
_PEAK = 0.5


def _sounds(clips: Sequence[Clip]) -> Iterator[FloatArray]:
    end, sent = 0, 0
    for clip in clips:
        end += clip.num_frames
        stop = round(end / SETTINGS.rate_hz * SOUND_RATE_HZ)
        yield draw_sound(clip, stop - sent)
        sent = stop


def draw_sound(clip: Clip, num_samples: int) -> FloatArray:
    """Return the sound of a clip, mono at `SOUND_RATE_HZ`, in [-1, 1]."""
    rng = np.random.default_rng([clip.seed, 2])
    made = (_gunfire if clip.sound == "gunfire" else _music)(num_samples, rng)
    level = _PEAK * rng.uniform(0.5, 1) / max(float(np.abs(made).max()), 1e-9)
    sound: FloatArray = (level * made).astype(np.float32)
    return sound


def _gunfire(num_samples: int, rng: np.random.Generator) -> FloatArray:
    """Shots at random times, each noise that dies away, over a little wind."""
    sound = rng.normal(0, 0.01, num_samples)
    for start in np.cumsum(rng.exponential(0.22, 40)) * SOUND_RATE_HZ - 0.1 * SOUND_RATE_HZ:
        at = max(0, int(start))
        if at >= num_samples:
            break
        time = np.arange(num_samples - at) / SOUND_RATE_HZ
        crack = rng.normal(size=len(time)) * np.exp(-time / 0.03)
        boom = np.sin(2 * np.pi * rng.uniform(60, 110) * time) * np.exp(-time / 0.08)
        sound[at:] += rng.uniform(0.6, 1) * (crack + boom)
    return sound


def _music(num_samples: int, rng: np.random.Generator) -> FloatArray:
    """Broken chords of a plucked string, major or minor."""
    sound = np.zeros(num_samples)
    root = 110 * 2 ** (int(rng.integers(0, 13)) / 12)
    chord = np.array(((0, 4, 7, 12), (0, 3, 7, 12))[int(rng.integers(2))])
    beat_s = rng.uniform(0.14, 0.24)
    for number in range(int(num_samples / SOUND_RATE_HZ / beat_s) + 1):
        at = int(number * beat_s * SOUND_RATE_HZ)
        time = np.arange(num_samples - at) / SOUND_RATE_HZ
        pitch = root * 2 ** (chord[int(rng.integers(4))] / 12)
        for harmonic in range(1, 7):
            fade = np.exp(-time * (2 + harmonic))
            sound[at:] += np.sin(2 * np.pi * harmonic * pitch * time) * fade / harmonic
    return sound
