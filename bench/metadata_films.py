"""The scenes and similar films that `metadata_wins.py` learns from, and LVU's clips to probe on.

A shot, a scene and similar films are as that script says; films are those of `real_library.py`,
also without MovieLens.
"""
# S shots, N films, WIDTH numbers a shot

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mastershot.core.similarity import SimilarityTable, table_of
from mastershot.datasets.lvu import movies_of
from mastershot.datasets.movieclip import HUMAN_VERIFIED, read_release
from mastershot.datasets.tables.similarity_table import write_similarity
from mastershot.datasets.tmdb import read_tmdb
from mastershot.encoders.text import SENTENCE_MODEL, SentenceEncoder
from mastershot.mining.co_watch import CoWatch
from mastershot.mining.similarity import (
    CloseSynopses,
    RandomMovies,
    SameGenre,
    combine,
    without_held_out,
)
from mastershot.store.shot_arrays import write_movie
from real_library import CO_WATCH, NUM_CANDIDATES, NUM_SIMILAR, RealFilms, read_films

RUN, SLOTS, WIDTH = 4, 16, 150 + 384
BILLED = 10  # Of a film's cast, so many of the first.
SEEDS = (0, 1, 2, 3, 4)
COMBINED = {"keywords": 1.0, "cast": 1.0, "genre": 0.5}


def make(data: Path, out: Path) -> None:
    """Write all that runs share: scenes, similar films, LVU's clips; print what there is."""
    real = read_films(data)
    films, counts = films_of(real)
    shots = shot_labels(data)
    scale = scale_of(real, films)
    rows = {clip: shot_rows(shots[clip], real.features[clip], *scale) for clip in shots}
    lengths, sizes = [], {}
    for film in films:
        own = [rows[clip] for clip in real.clips[film]]
        runs = runs_of(own, RUN)
        lengths += map(len, runs)
        sizes[film] = len(runs)
        pairs = runs_of(own, 2) if len(own) >= 4 else []
        write_movie(out / "scenes", film, np.concatenate([slots(one) for one in (*runs, *pairs)]))
        means = np.stack([one.mean(0) for one in runs])
        write_movie(out / "means", film, means / np.linalg.norm(means, axis=1, keepdims=True))
    counts |= {"scenes": len(lengths), "shots a scene, median": float(np.median(lengths))}
    tasks = {
        name: {
            split: [(c.clip, c.target if c.label is None else c.label) for c in own
                    if c.clip in rows]
            for split, own in task.splits.items()
        }
        for name, task in real.tasks.items()
    }  # fmt: skip
    clips = sorted({clip for task in tasks.values() for own in task.values() for clip, _ in own})
    np.savez(
        out / "clips.npz", items=np.array(clips), scenes=np.stack([slots(rows[c]) for c in clips]),
        shares=np.stack([real.labels[c] for c in clips]).astype(np.float32),
        vectors=np.stack([real.features[c].mean(0) for c in clips]).astype(np.float32),
    )  # fmt: skip
    for seed in SEEDS:
        for measure, table in similar_films(real, data, films, seed).items():
            write_similarity(out / f"similar-{measure}-{seed}.parquet", table)
            if seed == 0:
                without = len(films) - len(set(table.movie.tolist()))
                counts[f"similar by {measure}: rows, films without"] = [len(table), without]
    about = {"counts": counts, "sizes": sizes, "tasks": tasks}
    (out / "about.json").write_text(json.dumps(about), "utf-8")
    for name, value in counts.items():
        print(f"{name}: {value}")


def scale_of(real: RealFilms, films: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and deviation of the films' shots."""
    pooled = np.concatenate([real.features[clip] for film in films for clip in real.clips[film]])
    return pooled.mean(0), pooled.std(0) + 1e-5


def films_of(real: RealFilms) -> tuple[list[str], dict[str, object]]:
    """Return the labelled films that LVU's validation and test sets do not hold, and counts."""
    film_of = real.condensed.film_of_clip
    held = {
        film_of[c.clip] for task in real.tasks.values() for split in ("val", "test")
        for c in task.splits[split] if c.clip in film_of
    } | movies_of(real.tasks)  # fmt: skip
    guarded = without_held_out(sorted(real.clips), held)
    counts: dict[str, object] = {
        "labelled films": len(real.clips),
        "left out: in LVU's validation or test": len(guarded.excluded),
        "films": len(guarded.movies),
        "their clips": sum(len(real.clips[film]) for film in guarded.movies),
    }
    return list(guarded.movies), counts


def shot_labels(data: Path) -> dict[str, np.ndarray]:
    """Return of each clip which of the 150 labels its shots carry, (S, 150), in film order."""
    release = read_release(data / "movieclip")
    found: dict[str, list[tuple[str, list[int]]]] = {}
    for name in release.splits:
        if name != HUMAN_VERIFIED:
            for shot in release.splits[name]:
                found.setdefault(shot.video, []).append((shot.file, list(shot.classes)))
    carried = {}
    for clip, shots in found.items():
        # Numbers are padded to three digits, and a clip with more has them longer.
        shots.sort(key=lambda shot: (len(shot[0]), shot[0]))
        carried[clip] = np.zeros((len(shots), len(release.index.labels)), np.float32)
        for row, (_, classes) in zip(carried[clip], shots, strict=True):
            row[classes] = 1
    return carried


def shot_rows(
    labels: np.ndarray, vectors: np.ndarray, mean: np.ndarray, deviation: np.ndarray
) -> np.ndarray:
    """Return a clip's shots as the encoders take them, (S, WIDTH)."""
    shares = np.sqrt(labels / labels.sum(1, keepdims=True) * vectors.shape[1])
    return np.concatenate([shares, (vectors - mean) / deviation], axis=1, dtype=np.float32)


def runs_of(clips: Sequence[np.ndarray], length: int) -> list[np.ndarray]:
    """Return the shots of every run of so many clips, or of all of them if there are fewer."""
    starts = range(max(1, len(clips) - length + 1))
    return [np.concatenate(clips[start : start + length]) for start in starts]


def slots(shots: np.ndarray) -> np.ndarray:
    """Return a scene's shots in a fixed number of slots; empty ones hold zeros."""
    if len(shots) > SLOTS:
        shots = shots[np.linspace(0, len(shots) - 1, SLOTS).round().astype(int)]
    scene = np.zeros((SLOTS, WIDTH), np.float32)
    scene[: len(shots)] = shots
    return scene


def similar_films(
    real: RealFilms, data: Path, films: Sequence[str], seed: int
) -> dict[str, SimilarityTable]:
    """Return each measure's similar films; genre and random follow from the seed."""
    known = real.condensed.movies
    tmdb = read_tmdb(data / "tmdb5000" / "movies.csv")
    found = {f: tmdb.get(real.lens.movies[f].tmdb_id or -1) for f in films if f in real.lens.movies}
    keywords = {film: row.keywords for film, row in found.items() if row and row.keywords}
    cast = {film: tuple(known[film].cast)[:BILLED] for film in films if known[film].cast}
    genres = {film: ("|".join(sorted(known[film].genres)),) for film in films if known[film].genres}

    def measured(num_similar: int) -> dict[str, SimilarityTable]:
        same_set = SameGenre(genres, seed).similar(films, num_similar=num_similar)
        by_keywords = shared(keywords, films, num_similar)
        return {
            "keywords": by_keywords, "cast": shared(cast, films, num_similar), "genre": same_set
        }  # fmt: skip

    tables = measured(NUM_SIMILAR)
    tables["keywords+cast+genre"] = combine(
        measured(NUM_CANDIDATES), COMBINED, num_similar=NUM_SIMILAR
    )
    tables["random"] = RandomMovies(seed).similar(films, num_similar=NUM_SIMILAR)
    if seed == 0 or "synopsis" not in _CACHE:
        texts = {film: row.overview for film, row in found.items() if row and row.overview}
        vectors = SentenceEncoder().encode_texts(list(texts.values()))
        close = CloseSynopses(tuple(texts), vectors, {"encoder": SENTENCE_MODEL})
        _CACHE["synopsis"] = close.similar(films, num_similar=NUM_SIMILAR)
        rated = [film for film in films if film in real.lens.movies]
        lift = CoWatch(real.lens.log, CO_WATCH)
        _CACHE["cowatch"] = lift.similar(rated, num_similar=NUM_SIMILAR)
    return tables | _CACHE


_CACHE: dict[str, SimilarityTable] = {}


def shared(
    things: Mapping[str, Sequence[str]], films: Sequence[str], num_similar: int
) -> SimilarityTable:
    """Return the films that share most of some things, rare ones counting more: TF-IDF cosine."""
    numbers = Counter(thing for own in things.values() for thing in set(own))
    column = {thing: i for i, thing in enumerate(t for t, n in numbers.items() if n > 1)}
    weights = np.zeros((len(things), len(column)), np.float32)
    for row, own in zip(weights, things.values(), strict=True):
        for thing in set(own) & column.keys():
            row[column[thing]] = np.log(len(things) / numbers[thing])
    weights /= np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-9)
    ranked = CloseSynopses(tuple(things), weights).similar(films, num_similar=num_similar)
    rows = [(film, other, score) for film, other, _, score in ranked.rows() if score > 0]
    return table_of(films, rows, {"measure": "shared, TF-IDF cosine", "films": len(things)})
