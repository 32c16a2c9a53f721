"""Trailers with planted sub-genres: words, genres, gates and embeddings that tell them apart."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.datasets.genres.table import Expert, Trailer, write_genre_dataset
from mastershot.genres.trailers import TrailerSet

GENRES = ("Drama", "Horror", "Comedy", "War")
EXPERTS = ("location", "image", "audio")
PLANTED = (("zombie", ("Horror",)), ("wedding", ("Comedy",)), ("trench", ("War", "Drama")))


def planted_labels(num_trailers: int = 90) -> IntArray:
    return np.arange(num_trailers) % len(PLANTED)


def planted_vectors(num_trailers: int = 90, *, noise: float = 0.2, seed: int = 0) -> FloatArray:
    """Return vectors around three centres, some 1.4 apart once their length is 1, (T, 8)."""
    generator = np.random.default_rng(seed)
    centres = np.eye(8)[planted_labels(num_trailers)]
    return (centres + noise * generator.normal(size=centres.shape)).astype(np.float32)


def planted_trailers(num_trailers: int = 90, *, titles: Sequence[str] = ()) -> TrailerSet:
    """Return trailers of three sub-genres; the audio gate is wide open for the first of them."""
    generator, labels = np.random.default_rng(1), planted_labels(num_trailers)
    truth = np.zeros((num_trailers, len(GENRES)), bool)
    words, opened = [], generator.uniform(0.4, 0.6, (num_trailers, len(EXPERTS)))
    for row, label in enumerate(labels):
        word, genres = PLANTED[label]
        truth[row, [GENRES.index(name) for name in genres]] = True
        words.append({word: 1.0, "everybody": 1.0, f"only{row}": 1.0})
    opened[labels == 0, 2] += 0.3
    return TrailerSet(
        ids=tuple(f"t{row}" for row in range(num_trailers)),
        titles=tuple(titles) or tuple(f"Film {row}" for row in range(num_trailers)),
        years=tuple(None if row == 1 else 1950 + row % 70 for row in range(num_trailers)),
        genres=GENRES,
        truth=truth,
        words=tuple(words),
        experts=EXPERTS,
        opened=opened.astype(np.float32),
        films=np.arange(num_trailers),
    )


def write_run(folder: Path, num_trailers: int = 90, **arrays: object) -> tuple[Path, Path]:
    """Write a run with embeddings and its data set, and return both folders."""
    known, dataset, run = planted_trailers(num_trailers), folder / "data", folder / "run"
    splits = ("train", "val", "test")
    rows = [
        Trailer(
            known.ids[row],
            known.titles[row],
            known.years[row],
            splits[row // 3 % 3],
            tuple(GENRES[place] for place in np.flatnonzero(known.truth[row])),
            0,
        )
        for row in range(num_trailers)
    ]
    write_genre_dataset(
        dataset, rows, lambda one: {}, name="planted", genres=GENRES,
        experts=[Expert(name, 4) for name in EXPERTS], made_by={},
    )  # fmt: skip
    lines = [f"{one},{' '.join(words)}" for one, words in zip(known.ids, known.words, strict=True)]
    (dataset / "words.csv").write_text("\n".join(["id,text", *lines, ""]))
    run.mkdir()
    made: dict[str, object] = {
        "coarse": planted_vectors(num_trailers, noise=1.0),
        "fine": planted_vectors(num_trailers),
        "opened": known.opened,
        "trailers": np.array(known.ids),
    }
    np.savez(run / "embeddings.npz", **(made | arrays))  # type: ignore[arg-type]
    return run, dataset
