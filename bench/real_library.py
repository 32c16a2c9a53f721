"""The real films that `real_metadata.py` learns from, as shots' features, scenes and similarity.

A shot is one that MovieCLIP released labels of (train, val and test; those verified by people are
left out: most are of pieces of clips). Its feature is the mean MiniLM vector of its labels. A scene
is a clip: its labelled shots in order, 3 at the median, so scenes differ in length.
"""
# S shots of a clip, N films, 384 numbers a feature

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from mastershot.core.protocols import MovieSimilarity
from mastershot.core.similarity import SimilarityTable
from mastershot.datasets.condensed_movies import CondensedMovies, read_condensed_movies
from mastershot.datasets.lvu import CLASSIFICATION, LvuTask, movies_of, read_lvu
from mastershot.datasets.movieclip import HUMAN_VERIFIED, read_release
from mastershot.datasets.movielens import MovieLens, read_movielens
from mastershot.datasets.tables.similarity_table import read_similarity, write_similarity
from mastershot.datasets.tmdb import read_tmdb
from mastershot.encoders.text import SENTENCE_MODEL, SentenceEncoder
from mastershot.mining.co_watch import CoWatch
from mastershot.mining.settings import CoWatchSettings
from mastershot.mining.similarity import (
    CloseSynopses,
    RandomMovies,
    SameGenre,
    combine,
    without_held_out,
)
from mastershot.store.shot_arrays import write_movie

FOLDER = Path(__file__).parent / "films" / "real_metadata"
SLOTS = 9  # Shots a scene at most; of more, so many evenly spaced ones.
NUM_SIMILAR = 3
NUM_CANDIDATES = 10  # What each measure names before they are combined.
WEIGHTS = {"cowatch": 1.0, "synopsis": 1.0, "genre": 0.5}
# Any later film of the same viewer: with the default, the next five, few films have a neighbour.
CO_WATCH = CoWatchSettings(next_items=0, min_viewers=2)

_SHOT_NUMBER = re.compile(r"-Scene-(\d+)\.")


@dataclass(frozen=True, eq=False)
class RealFilms:
    """Real films: what their shots show, and what is known of them.

    Attributes:
        features: Of each labelled clip its shots in order, float32 (S, 384).
        labels: Of each labelled clip how often it carries each of the 150 labels, as shares.
        condensed: Condensed Movies' metadata.
        clips: Of each film its labelled clips, in the order of the film.
        lens: MovieLens' films and ratings.
        tasks: LVU's tasks.
        films: Films to learn from: labelled, in MovieLens, and outside LVU's validation and test.
        counts: How many there are of what.
        overviews: Synopses by film.
    """

    features: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    condensed: CondensedMovies
    clips: dict[str, list[str]]
    lens: MovieLens
    tasks: dict[str, LvuTask]
    films: tuple[str, ...]
    counts: dict[str, object]
    overviews: dict[str, str]


def read_films(data: Path) -> RealFilms:
    """Return the films of a folder with MovieCLIP, Condensed Movies, MovieLens, TMDb and LVU."""
    features, labels, num_shots = _labelled_clips(data)
    condensed = read_condensed_movies(data / "condensed_movies")
    lens, tasks = read_movielens(data / "movielens"), read_lvu(data / "lvu")
    film_of, clips = condensed.film_of_clip, {}
    for clip in sorted(features, key=lambda clip: condensed.clips[clip].number):
        clips.setdefault(film_of[clip], []).append(clip)
    known = [film for film in sorted(clips) if film in lens.movies]
    guarded = without_held_out(known, movies_of(tasks))
    held_clips = {c.clip for t in tasks.values() for s in ("val", "test") for c in t.splits[s]}
    by_clip = {film_of[clip] for clip in held_clips if clip in film_of}
    films = tuple(film for film in guarded.movies if film not in by_clip)
    tmdb = read_tmdb(data / "tmdb5000" / "movies.csv")
    found = {film: tmdb.get(lens.movies[film].tmdb_id or -1) for film in films}
    overviews = {film: row.overview for film, row in found.items() if row and row.overview}
    lengths = [len(features[clip]) for film in films for clip in clips[film]]
    counts = {
        "labelled shots": num_shots, "labelled clips": len(features),
        "labelled films": len(clips), "of them in MovieLens": len(known),
        "left out: in LVU's validation or test": len(guarded.excluded),
        "left out: a clip of theirs is": len(guarded.movies) - len(films),
        "films to learn from": len(films), "their clips": len(lengths),
        "their shots": int(np.sum(lengths)),
        "shots a clip, median": float(np.median(lengths)),
        f"clips of more than {SLOTS} shots": int(np.sum(np.array(lengths) > SLOTS)),
        "films with genres": sum(bool(condensed.movies[film].genres) for film in films),
        "films with an overview": len(overviews),
        "LVU clips with labels (train, val, test)": {
            name: [sum(c.clip in features for c in own) for own in tasks[name].splits.values()]
            for name in CLASSIFICATION
        },
        "LVU test clips whose label is missing (\\N), kept": sum(
            c.is_missing and c.clip in features for t in tasks.values() for c in t.splits["test"]
        ),
    }  # fmt: skip
    return RealFilms(features, labels, condensed, clips, lens, tasks, films, counts, overviews)


def _labelled_clips(data: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], int]:
    release = read_release(data / "movieclip")
    path = FOLDER / "label_vectors.npy"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        np.save(path, SentenceEncoder().encode_texts(list(release.index.labels)))
    vectors = np.load(path)
    named = [name for name in release.splits if name != HUMAN_VERIFIED]
    shots = [shot for name in named for shot in release.splits[name]]
    shots.sort(key=lambda shot: (shot.video, int(_SHOT_NUMBER.search(shot.file)[1])))
    features, labels = {}, {}
    for clip, group in groupby(shots, key=lambda shot: shot.video):
        classes = [list(shot.classes) for shot in group]
        features[clip] = np.stack([vectors[own].mean(0) for own in classes])
        labels[clip] = np.bincount(np.concatenate(classes), minlength=len(vectors)) / len(classes)
    return features, labels, len(shots)


def scene_of(features: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return a clip's shots, standardised, in a fixed number of slots; empty ones hold zeros."""
    if len(features) > SLOTS:
        features = features[np.linspace(0, len(features) - 1, SLOTS).round().astype(int)]
    scene = np.zeros((SLOTS, features.shape[1]), np.float32)
    scene[: len(features)] = (features - mean) / deviation
    return scene


def write_films(real: RealFilms) -> tuple[np.ndarray, np.ndarray]:
    """Write the films' scenes (``scenes``: 9 rows a clip) and their means (``clips``: one row).

    Returns the mean and deviation of the films' shots, which everything is standardised by.
    """
    clips = {film: real.clips[film] for film in real.films}
    everything = np.concatenate([real.features[c] for own in clips.values() for c in own])
    mean, deviation = everything.mean(0), everything.std(0) + 1e-5
    for name in ("scenes", "clips"):
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
    for film, own in clips.items():
        if (FOLDER / "clips" / f"{film}.npy").exists():
            continue
        scenes = [scene_of(real.features[clip], mean, deviation) for clip in own]
        write_movie(FOLDER / "scenes", film, np.concatenate(scenes))
        means = np.stack([(real.features[clip].mean(0) - mean) / deviation for clip in own])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        write_movie(FOLDER / "clips", film, means.astype(np.float32))
    return mean, deviation


def similar_films(real: RealFilms, measures: Mapping[str, float], seed: int) -> Path:
    """Return the file of similar films by some measures, each with what it counts; or at random."""
    name = "+".join(measures) or "random"
    path = FOLDER / f"similar-{name}-{seed}.parquet"
    if not path.exists():
        if measures:
            tables = {measure: _ranked(real, measure, seed) for measure in measures}
            table = combine(tables, measures, num_similar=NUM_SIMILAR)
        else:
            table = RandomMovies(seed).similar(real.films, num_similar=NUM_SIMILAR)
        write_similarity(path, table)
        print(f"{path.stem}: {len(table)} rows, {len(table.without_neighbours)} films without")
    return path


def _ranked(real: RealFilms, measure: str, seed: int) -> SimilarityTable:
    """Return what one measure ranks; genre is drawn by the seed, the others are made once."""
    if measure == "genre":
        genres = {film: real.condensed.movies[film].genres for film in real.films}
        return SameGenre(genres, seed).similar(real.films, num_similar=NUM_CANDIDATES)
    path = FOLDER / f"ranked-{measure}.parquet"
    if path.exists():
        return read_similarity(path)
    if measure == "cowatch":
        similarity: MovieSimilarity = CoWatch(real.lens.log, CO_WATCH)
    else:
        vectors = SentenceEncoder().encode_texts(list(real.overviews.values()))
        similarity = CloseSynopses(tuple(real.overviews), vectors, {"encoder": SENTENCE_MODEL})
    table = similarity.similar(real.films, num_similar=NUM_CANDIDATES)
    write_similarity(path, table)
    print(f"{path.stem}: {len(table)} rows, {len(table.without_neighbours)} films without")
    return table
