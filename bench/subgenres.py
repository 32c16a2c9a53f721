"""How long sub-genres of as many trailers as MMX-Trailer-20 has take.

    python bench/subgenres.py FOLDER [--trailers 8803] [--by kmeans|hdbscan] [--maps tsne,umap]

Embeddings are drawn: 24 groups of unit spread in 256 dimensions, with noise. Titles, genres and
words are made up. CPU time is that of all threads; the size is the page's.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np

from mastershot.datasets.genres.table import Expert, Trailer, write_genre_dataset
from mastershot.genres.clustering import ClusterSettings
from mastershot.pipeline.genres.subgenres import SubGenreRequest, report_subgenres

GROUPS, WIDTH, GENRES = 24, 256, 20
EXPERTS = ("location", "image", "motion", "audio")


def main() -> None:
    """Draw a run and its data set, and time the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trailers", type=int, default=8803)
    parser.add_argument("--by", choices=("kmeans", "hdbscan"), default="kmeans")
    parser.add_argument("--maps", default="tsne")
    chosen = parser.parse_args()
    draw_run(chosen.folder, chosen.trailers)
    settings, maps = ClusterSettings(chosen.by), tuple(chosen.maps.split(","))
    request = SubGenreRequest(chosen.folder, chosen.folder, settings, layouts=maps)
    started_s, cpu_s = time.perf_counter(), time.process_time()
    report = report_subgenres(request)
    print(f"{time.perf_counter() - started_s:.0f} s, {time.process_time() - cpu_s:.0f} s of CPU")
    print(f"page: {report.page.stat().st_size / 1e6:.2f} MB")
    print(*report.lines, sep="\n")


def draw_run(folder: Path, num_trailers: int) -> None:
    """Write embeddings and a data set whose trailers are of planted groups."""
    generator = np.random.default_rng(0)
    groups = generator.integers(0, GROUPS, num_trailers)
    trailers = [
        Trailer(
            f"tt{row:07}", f"A Made-up Film of Some Length {row}", 1930 + row % 90,
            ("train", "train", "val", "test")[row % 4],
            tuple(f"Genre {genre}" for genre in sorted({int(group) % GENRES, row % 7})), 0,
        )
        for row, group in enumerate(groups)
    ]  # fmt: skip
    write_genre_dataset(
        folder, trailers, lambda one: {}, name="drawn trailers", made_by={},
        genres=[f"Genre {genre}" for genre in range(GENRES)],
        experts=[Expert(name, 4) for name in EXPERTS],
    )  # fmt: skip
    vocabulary = np.array([f"word{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}" for n in range(676)])
    with (folder / "words.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("id", "text"))
        for trailer, group in zip(trailers, groups, strict=True):
            words = generator.choice(vocabulary, 40)
            table.writerow((trailer.id, f"group{chr(97 + group)} {' '.join(words)}"))
    centres = generator.normal(size=(GROUPS, WIDTH))
    np.savez(
        folder / "embeddings.npz",
        coarse=centres[groups] * 0.5 + generator.normal(size=(num_trailers, WIDTH)),
        fine=centres[groups] + 1.5 * generator.normal(size=(num_trailers, WIDTH)),
        opened=generator.uniform(0.3, 0.6, (num_trailers, len(EXPERTS))),
        trailers=np.array([one.id for one in trailers]),
    )


if __name__ == "__main__":
    main()
