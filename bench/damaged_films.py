"""Damaged films read with 1, 2, 4 and 8 threads: do frames, times, cuts and pixels agree?

The films are those of `tests/factories/mutations.py`: small whole films in six containers, each
damaged in many ways with a seed. Beside it stands FFmpeg's own way with threads, PyAV's plain loop.

    python bench/damaged_films.py [--count 60]
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av

from mastershot.core.errors import MediaError
from mastershot.media.video import Film, open_video
from mastershot.pipeline.analysis.decode_pass import decode_film
from mastershot.pipeline.analysis.plan import Plan, prepare

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.factories.mutations import SOURCES, mutations, write_source

THREADS = (1, 2, 4, 8)
LOADED = prepare(Plan(steps=("shots",)))


def digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def ours(path: Path, threads: int) -> tuple[list[int], list[str], list[int]]:
    """Return times, digests of the pixels, and first frames of the shots."""
    film = open_video(path, threads=threads)
    frames = [(frame.pts, digest(frame.points_bgr().tobytes())) for frame in film.frames()]
    shots = decode_film(Film(film.file, threads=threads), LOADED).shots
    cuts = [shot.span.first_frame for shot in shots]
    return [pts for pts, _ in frames], [pixels for _, pixels in frames], cuts


def plain(path: Path, threads: int) -> list[str]:
    """Return digests of the pixels of PyAV's plain loop, which passes over errors."""
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "AUTO", threads
        packets = container.demux(stream)
        while True:
            try:
                found += [digest(frame.to_ndarray().tobytes()) for frame in next(packets).decode()]
            except (StopIteration, av.error.EOFError, IndexError):
                return found
            except av.FFmpegError:
                continue


def show(name: str, values: Sequence[object]) -> None:
    print(f"{name:10}" + "".join(f"{value!s:>21}" for value in values), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=60)
    arguments = parser.parse_args()
    names = ("refused", "times agree", "cuts agree", "pixels agree", "PyAV's pixels agree")
    show("", ["films", *names])
    totals = [0] * (1 + len(names))
    with tempfile.TemporaryDirectory() as folder:
        for source in SOURCES:
            path = Path(folder) / source
            write_source(path, *SOURCES[source])
            row = [0] * (1 + len(names))
            for mutation in mutations(path, count=arguments.count):
                damaged = Path(folder) / f"damaged{path.suffix}"
                damaged.write_bytes(mutation.data)
                row[0] += 1
                try:
                    reads = [ours(damaged, threads) for threads in THREADS]
                except MediaError:
                    row[1] += 1
                    continue
                times, pixels, cuts = zip(*reads, strict=True)
                alone = [plain(damaged, threads) for threads in THREADS]
                for place, values in enumerate((times, cuts, pixels, alone), start=2):
                    row[place] += all(value == values[0] for value in values[1:])
            show(source, row)
            totals = [total + value for total, value in zip(totals, row, strict=True)]
    show("all", totals)


if __name__ == "__main__":
    main()
