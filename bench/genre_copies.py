"""How well copies of trailers are told from other trailers, by cosines of their mean vectors.

Cuts 4 s pieces of the films of DATA (see CONTRIBUTING.md), compresses each again at two thirds of
its size, and lets the experts location, image and motion see both: python bench/genre_copies.py
DATA OUT. Needs ffmpeg.
"""

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np

from mastershot.datasets.genres.duplicates import mean_vector
from mastershot.datasets.genres.listing import ListedTrailer
from mastershot.pipeline.experts.catalogue import ExpertSettings, load_experts
from mastershot.pipeline.genres.build import BuildSettings, build_genres
from mastershot.shots.settings import ShotSettings

BLACK = {"sintel_000_000", "sintel_074_074", "sintel_339_339"}
THRESHOLDS = (0.9995, 0.995, 0.99, 0.98, 0.97, 0.95)


def pieces(data: Path) -> list[tuple[str, Path, int]]:
    """Return name, film and start in seconds of every piece."""
    found = [(path.stem, path, 0) for path in sorted((data / "films" / "sintel").glob("*.mp4"))]
    bunny = data / "films" / "big_buck_bunny_480p_30s.mp4"
    found += [(f"bbb{start}", bunny, start) for start in range(0, 30, 5)]
    return found + [(name, data / "films" / f"{name}.mp4", 0) for name in ("chaplin", "nasa")]


def encode(source: Path, target: Path, start_s: int, width_px: int, quality: int) -> None:
    """Write 4 s of a film at a width and a quality of x264."""
    command = ["ffmpeg", "-v", "error", "-y", "-ss", str(start_s), "-i", str(source), "-t", "4",
               "-an", "-vf", f"scale={width_px}:-2", "-crf", str(quality), str(target)]  # fmt: skip
    subprocess.run(command, check=True)


def main(data: Path, out: Path) -> None:
    """Make the pieces and print how many copies and others lie above each threshold."""
    films = out / "films"
    films.mkdir(parents=True, exist_ok=True)
    listed = []
    for name, film, start_s in pieces(data):
        encode(film, films / f"{name}_a.mp4", start_s, 320, 20)
        encode(films / f"{name}_a.mp4", films / f"{name}_b.mp4", 0, 214, 34)
        listed += [ListedTrailer(f"{name}_{n}", f"{name}_{n}.mp4", ("any",)) for n in "ab"]
    experts = load_experts(ExpertSettings(("location", "image", "motion")))
    settings = BuildSettings("copies", ShotSettings("content"))
    dataset = build_genres(films, listed, experts, out / "dataset", settings).dataset
    names = [one.id[:-2] for one in dataset.trailers]
    kept = [place for place, name in enumerate(names) if name not in BLACK]
    pairs = np.array(list(combinations(kept, 2)))
    copy = np.array([names[one] == names[other] for one, other in pairs])
    print(f"{copy.sum()} copies, {(~copy).sum()} pairs of others")
    cosines = {}
    for expert in dataset.experts:
        rows = np.stack([mean_vector(dataset.vectors(expert, n)) for n in range(len(names))])
        spread = (rows - rows.mean(axis=0)) / np.maximum(rows.std(axis=0), 1e-9)
        for kind, vectors in (("as they are", rows), ("standardised", spread)):
            unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
            cosines[expert, kind] = (unit[pairs[:, 0]] * unit[pairs[:, 1]]).sum(axis=1)
    for kind in ("as they are", "standardised"):
        every = [cosines[expert, kind] for expert in dataset.experts]
        cosines["all", kind] = np.min(every, axis=0)
    for (expert, kind), values in cosines.items():
        counts = ", ".join(
            f"{t:g}: {(values[copy] > t).sum()} and {(values[~copy] > t).sum()}" for t in THRESHOLDS
        )
        print(f"{expert}, {kind}: copies and others above {counts}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
