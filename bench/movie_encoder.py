"""Training steps of the movie encoder against the paper's path, in one run.

The paper's path encodes all shots, multiplies all of one film with all of the other and averages
windows of that matrix. Ours averages windows first. Both have the paper's sizes (512 numbers a
shot, 1,024 shots), the same weights, dropout, and give the same logits. Times are processor
seconds, by default of one thread, which others' work on the machine disturbs least, and memory that
is freed is kept for reuse, as `training/engine/trainer.py` has it. Peak memory is that of a
process of its own, features included, above what it held before them.

    python bench/movie_encoder.py [--pairs 16] [--runs 5] [--threads 1]
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, cross_entropy, dropout, max_pool2d, pad, relu

from mastershot.models.movie_encoder import MovieEncoder, MovieSettings
from mastershot.training.engine.trainer import keep_freed_memory
from timing import median_ratio

PAPER = MovieSettings()


def literal(encoder: MovieEncoder, one: list[Tensor], other: list[Tensor]) -> Tensor:
    """Return the logits of pairs by the paper's path."""
    matrix = encoded(encoder, one) @ encoded(encoder, other).mT
    scenes = avg_pool2d(matrix[:, None], PAPER.kernel, PAPER.stride)
    return encoder.verdict(max_pool2d(scenes, PAPER.kernel, PAPER.stride).flatten(1))


def encoded(encoder: MovieEncoder, films: list[Tensor]) -> Tensor:
    """Return films as padded matrices; a film that needs no padding is not copied for it."""
    lengths = torch.tensor([len(film) for film in films])
    shots = torch.stack([pad(film, (0, 0, 0, PAPER.num_shots - len(film))) for film in films])
    hidden = dropout(relu(encoder.first(shots)), PAPER.dropout, encoder.training)
    shots = encoder.last(hidden)
    if (lengths < PAPER.num_shots).any():
        shots = shots * (torch.arange(PAPER.num_shots) < lengths[:, None])[..., None]
    return shots


def ours(encoder: MovieEncoder, one: list[Tensor], other: list[Tensor]) -> Tensor:
    return encoder(one, other)


PATHS: dict[str, Callable[[MovieEncoder, list[Tensor], list[Tensor]], Tensor]] = {
    "literal": literal,
    "ours": ours,
}


def films_of(count: int, shortest: int) -> list[Tensor]:
    """Return random films of the shortest length to 1,024 shots."""
    lengths = torch.randint(shortest, PAPER.num_shots + 1, (count,)).tolist()
    return [torch.randn(length, PAPER.num_inputs) for length in lengths]


def step(name: str, encoder: MovieEncoder, films: list[Tensor]) -> None:
    half = len(films) // 2
    encoder.zero_grad()
    logits = PATHS[name](encoder, films[:half], films[half:])
    cross_entropy(logits, torch.arange(half) % 2).backward()


def shots_stage(name: str, one: Tensor, other: Tensor) -> Tensor:
    """Return the mean similarities of all windows, from encoded shots."""
    if name == "literal":
        return avg_pool2d((one @ other.mT)[:, None], PAPER.kernel, PAPER.stride)[:, 0]
    blocks = [
        shots.view(len(shots), -1, PAPER.stride, PAPER.width).sum(2) for shots in (one, other)
    ]
    one, other = ((x[:, 1:] + x[:, :-1]) / PAPER.kernel for x in blocks)
    return one @ other.mT


def stage_step(name: str, one: Tensor, other: Tensor, grad: Tensor) -> None:
    one.grad = other.grad = None
    shots_stage(name, one, other).backward(grad)


def timed(work: Callable[[str], None], runs: int) -> dict[str, list[float]]:
    """Return seconds of both paths, in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in PATHS}
    for run in range(runs + 1):
        for name, taken in seconds.items():
            started_s = time.process_time()
            work(name)
            if run:  # The first warms up.
                taken.append(time.process_time() - started_s)
    return seconds


def say(title: str, seconds: dict[str, list[float]]) -> None:
    literal_s, ours_s = (statistics.median(seconds[name]) for name in ("literal", "ours"))
    ratio = median_ratio(seconds["literal"], seconds["ours"])
    print(f"{title:34} literal {literal_s:7.3f} s   ours {ours_s:7.3f} s   {ratio:5.1f} x faster")


def peak_mb(name: str, pairs: int) -> float:
    """Return by how much the features and one step raise this process's peak."""
    torch.manual_seed(0)
    encoder = MovieEncoder(PAPER)
    step(name, encoder, films_of(2, 40))
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step(name, encoder, films_of(2 * pairs, PAPER.num_shots))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024


def say_peaks(pairs: int) -> None:
    peaks = {}
    for name in PATHS:
        command = [sys.executable, __file__, "--peak", name, "--pairs", str(pairs)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peaks[name] = float(done.stdout)
    print(
        f"{'peak, films of 1,024 shots':34} literal {peaks['literal']:6.0f} MB   "
        f"ours {peaks['ours']:6.0f} MB   {peaks['literal'] / peaks['ours']:5.1f} x less"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peak", choices=PATHS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    if asked.peak:
        print(peak_mb(asked.peak, asked.pairs))
        return
    say_peaks(asked.pairs)  # First: a process starts with the peak of the one that started it.
    keep_freed_memory()
    torch.manual_seed(0)
    encoder = MovieEncoder(PAPER).eval()
    films = films_of(2 * asked.pairs, 300)
    with torch.inference_mode():
        one, other = (path(encoder, films[::2], films[1::2]) for path in PATHS.values())
    print(
        f"{asked.pairs} pairs, {torch.get_num_threads()} threads; logits differ by at most "
        f"{float((one - other).abs().max()):.1e}"
    )
    encoder.train()
    say("step, films of 300 to 1,024 shots", timed(lambda n: step(n, encoder, films), asked.runs))
    films = films_of(2 * asked.pairs, PAPER.num_shots)
    say("step, films of 1,024 shots", timed(lambda n: step(n, encoder, films), asked.runs))
    shape = (asked.pairs, PAPER.num_shots, PAPER.width)
    shots = [torch.randn(shape, requires_grad=True) for _ in range(2)]
    grad = torch.randn(asked.pairs, PAPER.num_windows, PAPER.num_windows)
    say("matrix of shots alone", timed(lambda n: stage_step(n, *shots, grad), asked.runs))


if __name__ == "__main__":
    main()
