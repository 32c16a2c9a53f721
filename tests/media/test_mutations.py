"""Damaged films by the hundred: no unforeseen error, no hang, no silent shift of what follows."""

import time
from itertools import pairwise
from pathlib import Path

import av
import pytest
from tests.factories.mutations import SOURCES, Mutation, mutations, write_source

from mastershot.core.errors import MediaError
from mastershot.media.clock import BestEffort
from mastershot.media.video import open_video

MAX_S = 20.0


def plainly_decoded(path: Path) -> list[int]:
    """Return FFmpeg's best effort at each frame's timestamp, decoded with one thread."""
    best_effort, times = BestEffort(), []
    with av.open(str(path)) as container:
        container.flags &= ~av.container.Flags.gen_pts.value
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
                frames = packet.decode() if packet.size or packet.dts is None else []
            except (StopIteration, av.error.EOFError, IndexError):
                return [time for time in times if time is not None]
            except av.FFmpegError:
                continue
            times += [best_effort(frame.pts, frame.dts) for frame in frames]


def problems(mutation: Mutation, path: Path) -> list[str]:
    """Return what is wrong with how a damaged film is read."""
    path.write_bytes(mutation.data)
    started_s = time.monotonic()
    reads = []
    for threads in (1, 4):
        film = open_video(path, threads=threads)
        try:
            reads.append(([frame.pts for frame in film.frames()], film.damaged, film.notes()))
        except MediaError as error:
            reads.append(str(error))
    found = []
    if time.monotonic() - started_s > MAX_S:
        found.append(f"took {time.monotonic() - started_s:.1f} s")
    if reads[0] != reads[1]:
        found.append("is read otherwise with four threads")
    if isinstance(reads[0], str):
        return found
    (pts, _, notes), expected = reads[0], plainly_decoded(path)
    if len(pts) < len(expected):
        found.append(f"{len(pts)} frames instead of {len(expected)}")
    if any(after <= before for before, after in pairwise(pts)):
        found.append("times do not rise")
    step = film._clock.step
    if not notes and abs((pts[-1] - pts[0]) - (expected[-1] - expected[0])) > 2 * step:
        found.append(f"shifted by {((pts[-1] - pts[0]) - (expected[-1] - expected[0])) / step:.0f}")
    return found


def check(source: str, folder: Path, count: int) -> None:
    path = folder / source
    write_source(path, *SOURCES[source])
    wrong, num_read = [], 0
    for mutation in mutations(path, count=count):
        try:
            found = problems(mutation, folder / f"damaged{path.suffix}")
            num_read += 1
        except MediaError:  # One sentence, from `probe`.
            continue
        wrong += [f"{mutation.name} {problem}" for problem in found]
    assert wrong == []
    assert num_read > count // 3  # Else the damage went into headers alone.


@pytest.mark.parametrize("source", SOURCES)
def test_some_damaged_films_are_read_or_refused(source: str, tmp_path: Path) -> None:
    check(source, tmp_path, count=6)


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_hundreds_of_damaged_films_are_read_or_refused(source: str, tmp_path: Path) -> None:
    check(source, tmp_path, count=60)
