"""Damaged films, made with a seed out of small whole ones."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 25
NUM_FRAMES = 120
# Container, codec and options of each whole film.
SOURCES = {
    "h264.mp4": ("mp4", "libx264", {"g": "40", "bf": "2"}),
    "h264.mkv": ("matroska", "libx264", {"g": "40", "bf": "2"}),
    "h264.ts": ("mpegts", "libx264", {"g": "40", "bf": "2"}),
    "mpeg2.vob": ("vob", "mpeg2video", {"g": "12", "bf": "2"}),
    "mpeg4.avi": ("avi", "mpeg4", {"g": "25", "bf": "1"}),
    "h264.flv": ("flv", "libx264", {"g": "40", "bf": "2"}),
}
# What is done to its bytes; a header is spared, since a film without one is just refused.
KINDS = ("flip a bit", "flip bits", "zero", "drop", "repeat", "splice")
_SPARED_BYTES = 1500


@dataclass(frozen=True)
class Mutation:
    """A damaged film: how it was made, and its bytes."""

    name: str
    data: bytes


def write_source(path: Path, container: str, codec: str, options: dict[str, str]) -> None:
    """Write a whole film of moving blocks that cuts every 30 frames."""
    rng = np.random.default_rng(len(codec))
    # The same bytes each time: no random ids, no threads; an MP4 film with its index in front.
    same = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if container == "mp4" else {})
    with av.open(str(path), "w", format=container, options=same) as target:
        stream = target.add_stream(codec, rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.thread_count = 1
        blocks = rng.integers(0, 256, (30, 40, 3), np.uint8)
        for index in range(NUM_FRAMES):
            if index % 30 == 0:
                blocks = rng.integers(0, 256, blocks.shape, np.uint8)
            row = index % 30 // 2
            image = blocks[row : row + 8, :12].repeat(8, axis=0).repeat(8, axis=1)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))


def mutations(source: Path, *, count: int) -> Iterator[Mutation]:
    """Yield damaged copies of a film, every kind in turn, the same ones each time."""
    data = source.read_bytes()
    for seed in range(count):
        kind = KINDS[seed % len(KINDS)]
        changed = _mutated(data, kind, random.Random(f"{source.name} {seed}"))
        yield Mutation(f"{source.stem}-{seed:02}-{kind.replace(' ', '-')}{source.suffix}", changed)


def _mutated(data: bytes, kind: str, rng: random.Random) -> bytes:
    changed = bytearray(data)
    length = min(rng.choice([17, 188, 1880, len(data) // 8]), len(data) // 4)
    place = rng.randrange(_SPARED_BYTES, len(data) - length)
    if kind in {"flip a bit", "flip bits"}:
        for _ in range(1 if kind == "flip a bit" else rng.randrange(2, 30)):
            changed[rng.randrange(_SPARED_BYTES, len(data))] ^= 1 << rng.randrange(8)
    elif kind == "zero":
        changed[place : place + length] = bytes(length)
    elif kind == "drop":
        del changed[place : place + length]
    elif kind == "repeat":
        changed[place:place] = changed[place : place + length]
    else:
        changed = changed[:place] + changed[rng.randrange(_SPARED_BYTES, len(data)) :]
    return bytes(changed)
