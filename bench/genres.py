"""One epoch of collaborative gating at the size of MMX-Trailer-20, on synthetic arrays.

    python bench/genres.py [--precision bf16-mixed] [--gating pairs] [--trailers 8803] [--data DIR]

8,803 trailers of 36 clips with 4 experts of the paper's widths (location 2,048, audio 4 pieces of
128, motion 1,024, image 2,048), 3.6 GB in half precision, are written once (kept in ``--data``);
then an epoch is trained as `mastershot run genres/gated` trains it, with 200 trailers more for
validation. Printed are its seconds, those of them that reading batches takes, and the peak memory.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from mastershot.datasets.genres.table import Expert, Trailer, write_genre_dataset
from mastershot.training.genres.inputs import GenreInputs
from mastershot.training.genres.settings import GenreNetworkSettings, GenreRecipe
from mastershot.training.genres.train import train_genres

EXPERTS = (
    Expert("location", 2048),
    Expert("audio", 128, pieces=4),
    Expert("motion", 1024),
    Expert("image", 2048),
)
GENRES = [f"genre {index}" for index in range(20)]
CLIPS, OTHERS = 36, 200


def write(folder: Path, num_trailers: int) -> None:
    """Write the data set; each trailer's vectors are drawn by its number."""
    trailers = [
        Trailer(f"t{index:05}", "", None, _split(index), (GENRES[index % 20],), CLIPS)
        for index in range(num_trailers + OTHERS)
    ]

    def vectors(trailer: Trailer) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(int(trailer.id[1:]))
        return {one.name: rng.standard_normal((CLIPS, *one.shape), np.float32) for one in EXPERTS}

    write_genre_dataset(
        folder, trailers, vectors, name="synthetic", genres=GENRES, experts=EXPERTS, made_by={}
    )


def _split(index: int) -> str:
    return "train" if index >= OTHERS else ("val", "test")[index % 2]


def measure(folder: Path, options: argparse.Namespace) -> None:
    recipe = GenreRecipe(
        data=str(folder), network=GenreNetworkSettings(gating=options.gating), duplicates="keep"
    )
    training = replace(recipe.training, epochs=1, precision=options.precision)
    recipe = replace(recipe, training=training, fine=replace(recipe.fine, epochs=0))
    read_s: list[float] = []
    steps: list[float] = []
    batch_of = GenreInputs.batch

    def timed(self: GenreInputs, trailers: list[int]) -> object:
        start = time.monotonic()
        made = batch_of(self, trailers)
        read_s.append(time.monotonic() - start)
        return made

    GenreInputs.batch = timed  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as run:
        train_genres(recipe, Path(run) / "run", lambda *_: steps.append(time.monotonic()))
    # The first step is not counted, nor is validation, which comes after the last.
    each_s = (steps[-1] - steps[0]) / (len(steps) - 1)
    peak_mb = _peak_mb()
    print(
        f"gating {options.gating}, {options.precision}: an epoch of {len(steps)} steps takes "
        f"{each_s * len(steps):.0f} s, of which reading batches {sum(read_s[: len(steps)]):.0f} s; "
        f"peak memory {peak_mb:,.0f} MB"
    )


def _peak_mb() -> float:
    """Return the most memory this program has had; getrusage counts what started it, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--precision", default="bf16-mixed", choices=["bf16-mixed", "32-true"])
    parser.add_argument("--gating", default="pairs", choices=["pairs", "mean", "none"])
    parser.add_argument("--trailers", type=int, default=8803)
    parser.add_argument(
        "--data", type=Path, help="folder of the arrays, written if it is not there"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or Path(folder)
        if not (data / "dataset").is_dir():
            write(data / "dataset", options.trailers)
        measure(data, options)


if __name__ == "__main__":
    main()
