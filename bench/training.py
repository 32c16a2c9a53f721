"""How fast recognisers train: our trainer beside the bare step, the decoder beside both.

python bench/training.py                               # every network, at a debug size
python bench/training.py --paper --steps 3 i3d_r50     # at the paper's size
python bench/training.py --film FILM --workers 2       # clips decoded on the fly
python bench/training.py --gpu                         # the paper's sizes in bfloat16

The bare step is the same network's forward and backward pass and optimiser step on a normalised
batch in memory. Ours reads uint8 clips from memory, and is what `mastershot run` does: batches,
augmentation, loss, optimiser, schedule, figures. Both take turns, step by step, so that a drift of
the machine touches both alike; the overhead is the median of the ratios.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from mastershot.media.clips import Clip
from mastershot.media.video import open_video
from mastershot.models.recognisers.build import (
    RECOGNISERS,
    RecogniserRow,
    build_recogniser,
    normalise_clips,
)
from mastershot.training.engine.trainer import fit
from mastershot.training.tagging.batches import TaggingBatches, read_inputs, truth_of
from mastershot.training.tagging.clips import ClipSize, FilmClips, ReadClips
from mastershot.training.tagging.module import TaggingModule, optimizer_of
from mastershot.training.tagging.settings import ClipSettings, TaggingTrainingSettings
from mastershot.training.tagging.shots import TaggedShot
from mastershot.training.tagging.vectors import ReadVectors

NUM_CLASSES, INPUT_WIDTH = 150, 768
WARM_UP = 3
SPAN_S = 3.0
# Dense bfloat16 operations a second, by the makers' data sheets.
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12}


@dataclass(frozen=True)
class Size:
    """Shares of a network, its clip, and the batch."""

    width: float
    depth: float
    frames: int
    size_px: int
    batch_size: int


@dataclass(frozen=True)
class InMemory:
    """Shots that are read from memory: clips, or vectors of frames."""

    clips: np.ndarray | None
    vectors: np.ndarray | None

    def read(self, rows: Sequence[int]) -> ReadClips | ReadVectors:
        found = np.arange(len(rows))
        if self.clips is not None:
            return ReadClips(self.clips[list(rows)], found, {})
        return ReadVectors([self.vectors[row] for row in rows], found, {})


def size_of(row: RecogniserRow, *, paper: bool, batch_size: int) -> Size:
    if paper:
        return Size(1, 1, row.frames, row.size_px, batch_size)
    return Size(0.25, 0.5, row.frames if row.reads == "vectors" else min(8, row.frames),
                min(64, row.size_px), batch_size)  # fmt: skip


def network_of(row: RecogniserRow, size: Size) -> nn.Module:
    torch.manual_seed(0)
    return build_recogniser(
        row.name, num_classes=NUM_CLASSES, width=size.width, depth=size.depth, frames=size.frames,
        size_px=size.size_px or None, input_width=INPUT_WIDTH,
    )  # fmt: skip


def in_memory(row: RecogniserRow, size: Size, count: int) -> InMemory:
    rng = np.random.default_rng(0)
    if row.reads == "vectors":
        shape = (count, size.frames, INPUT_WIDTH)
        return InMemory(None, rng.normal(size=shape).astype(np.float32))
    shape = (count, size.frames, size.size_px, size.size_px, 3)
    return InMemory(rng.integers(0, 256, shape, np.uint8), None)


def shots_of(count: int) -> list[TaggedShot]:
    return [TaggedShot("clip", f"{i}.mp4", (i % NUM_CLASSES,)) for i in range(count)]


def bare_inputs(row: RecogniserRow, source: InMemory, rows: list[int]) -> tuple[Tensor, ...]:
    inputs, _, _ = read_inputs(source, rows)
    if row.reads == "vectors":
        return inputs
    return (normalise_clips(inputs[0].float(), row),)  # As training lays it out.


def step_seconds(row: RecogniserRow, size: Size, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the seconds of our steps and, of the same network, of the bare steps between them.

    A row a step: by the clock, and of processor time, which others on the machine touch less.
    """
    settings = TaggingTrainingSettings(batch_size=size.batch_size, learning_rate=1e-4)
    source, shots = in_memory(row, size, 2 * size.batch_size), shots_of(2 * size.batch_size)
    batches = TaggingBatches(shots, source, NUM_CLASSES, settings)
    module = TaggingModule(
        network_of(row, size), row, settings, ClipSettings(),
        positive_weights=torch.ones(NUM_CLASSES), steps_per_epoch=batches.steps_per_epoch,
    )  # fmt: skip
    bare = deepcopy(module.network)
    optimizer = optimizer_of(bare.parameters(), settings)
    rows = list(range(size.batch_size))
    inputs = bare_inputs(row, source, rows)
    truth = truth_of([shots[place] for place in rows], NUM_CLASSES)
    ours_s, bare_s, began = [], [], [now()]

    def on_step(*_: object) -> None:
        ended = now()
        loss = binary_cross_entropy_with_logits(bare(*inputs), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        ours_s.append(ended - began[0])
        bare_s.append(now() - ended)
        began[0] = now()

    with tempfile.TemporaryDirectory() as folder:
        fit(
            module, DataLoader(batches, batch_size=None), folder=Path(folder),
            steps=WARM_UP + steps, save_every=WARM_UP + steps + 1, on_step=on_step,
            accelerator="cpu",
        )  # fmt: skip
    return np.stack(ours_s[WARM_UP:]), np.stack(bare_s[WARM_UP:])


def now() -> np.ndarray:
    return np.array([time.perf_counter(), time.process_time()])


def print_overheads(names: Sequence[str], *, paper: bool, batch_size: int, steps: int) -> None:
    print("| network | size | bare, shots/s | ours, shots/s | overhead | in processor time |")
    print("|---|---|---|---|---|---|")
    for row in (RECOGNISERS[name] for name in names):
        size = size_of(row, paper=paper, batch_size=batch_size)
        ours_s, bare_s = step_seconds(row, size, steps)
        wall, processor = np.median(ours_s / bare_s, axis=0) - 1
        bare, ours = (size.batch_size / np.median(one[:, 0]) for one in (bare_s, ours_s))
        shown = f"{size.batch_size} × {size.frames} × {size.size_px or INPUT_WIDTH}"
        print(f"| {row.name} | {shown} | {bare:.3g} | {ours:.3g} | {wall:+.1%} | "
              f"{processor:+.1%} |", flush=True)  # fmt: skip


def print_decoding(film: Path, *, workers: int, batch_size: int, batches: int) -> None:
    """Print how fast workers decode clips of a film, of every size that a network reads."""
    video = open_video(film, threads=1)
    began = time.perf_counter()
    count = sum(1 for _ in video.frames())
    passes_s, movie = time.perf_counter() - began, video.movie()
    span_frames = SPAN_S * float(movie.frame_rate)
    print(f"\n{film.name}, {movie.width_px} × {movie.height_px}: one pass with one thread decodes "
          f"{count / passes_s:.0f} frames/s, {count / passes_s / span_frames:.3g} spans of "
          f"{SPAN_S:g} s a second")  # fmt: skip
    starts = np.random.default_rng(0).uniform(0, movie.duration_s - SPAN_S, 256)
    offset = float(movie.start_pts * movie.time_base)
    shots = [TaggedShot(film.stem, f"{i}.mp4", (0,), Clip(film, offset + s, offset + s + SPAN_S))
             for i, s in enumerate(starts.tolist())]  # fmt: skip
    settings = TaggingTrainingSettings(batch_size=batch_size)
    print(f"| clips of | {workers} workers, shots/s |\n|---|---|")
    sizes = {(r.frames, r.size_px) for r in RECOGNISERS.values() if r.reads == "clips"}
    for frames, size_px in sorted({(8, 64), *sizes}):
        source = FilmClips(shots, ClipSize(frames, size_px))
        loader = iter(DataLoader(
            TaggingBatches(shots, source, 1, settings), batch_size=None, num_workers=workers,
            multiprocessing_context="forkserver" if workers else None,
        ))  # fmt: skip
        for _ in range(1 + 2 * workers):  # What is read ahead while the workers start.
            next(loader)
        began = time.perf_counter()
        for _ in range(batches):
            assert not next(loader).problems
        rate = batches * batch_size / (time.perf_counter() - began)
        print(f"| {frames} × {size_px}² | {rate:.3g} |", flush=True)
        del loader


def print_gpu(names: Sequence[str], *, device: str, batch_size: int, steps: int) -> None:
    """Print how fast networks of the papers' sizes train in bfloat16, and the share of the peak."""
    kind = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    peak = next((value for name, value in PEAKS.items() if name in kind), None)
    print(f"\n{kind}, bfloat16\n| network | size | shots/s | share of peak |\n|---|---|---|---|")
    for row in (RECOGNISERS[name] for name in names):
        size = size_of(row, paper=True, batch_size=batch_size)
        inputs = bare_inputs(row, in_memory(row, size, batch_size), list(range(batch_size)))
        network, truth = network_of(row, size).to(device), torch.zeros(batch_size, NUM_CLASSES)
        inputs, truth = tuple(one.to(device) for one in inputs), truth.to(device)
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)

        def step(network=network, inputs=inputs, truth=truth, optimizer=optimizer) -> float:
            with torch.autocast(device, torch.bfloat16):
                logits = network(*inputs)
            loss = binary_cross_entropy_with_logits(logits.float(), truth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return float(loss.detach())  # Waits for the device.

        with FlopCounterMode(display=False) as counter:
            step()
        for _ in range(WARM_UP):
            step()
        began = time.perf_counter()
        for _ in range(steps):
            step()
        step_s = (time.perf_counter() - began) / steps
        share = f"{counter.get_total_flops() / step_s / peak:.1%}" if peak else "unknown"
        shown = f"{batch_size} × {size.frames} × {size.size_px or INPUT_WIDTH}"
        print(f"| {row.name} | {shown} | {batch_size / step_s:.4g} | {share} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", nargs="*", default=[*RECOGNISERS])
    parser.add_argument("--paper", action="store_true", help="at the papers' sizes")
    parser.add_argument("--gpu", action="store_true", help="the papers' sizes in bfloat16")
    parser.add_argument("--film", type=Path, help="clips of this film, decoded by workers")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    sizes = {"batch_size": options.batch_size, "steps": options.steps}
    if options.gpu:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        print_gpu(options.network, device=device, **sizes)
    elif options.film:
        print_decoding(options.film, workers=options.workers, batch_size=options.batch_size,
                       batches=options.steps)  # fmt: skip
    else:
        print_overheads(options.network, paper=options.paper, **sizes)


if __name__ == "__main__":
    main()
