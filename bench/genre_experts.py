"""Genres of real films by single experts, pairs, naive concatenation and gating (METHODS C3).

    python bench/genre_experts.py make DATA OUT            the data set, from Condensed Movies
    python bench/genre_experts.py run OUT [--seeds 0 1 2] [--only NAME …]
    python bench/genre_experts.py table OUT
    python bench/genre_experts.py tune OUT                 learning rates, chosen on validation

The films are those of Condensed Movies with a genre, its clips in film order are their clips, and
its own split is theirs, by film. Nothing is seen: ``places`` are the shares of MovieCLIP's labels
among a clip's shots (square roots), ``words`` the MiniLM vector of its description, ``rhythm`` its
length and number of shots, ``cast`` the film's actors (latent semantic analysis of actors, fitted
on training films; the same for each clip). Settings are those of the recipe
genres/condensed-movies, which was committed before the first run.
"""

import argparse
import json
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from mastershot.datasets.condensed_movies import CondensedClip, read_condensed_movies
from mastershot.datasets.genres.table import Expert, Trailer, write_genre_dataset
from mastershot.datasets.movieclip import HUMAN_VERIFIED, number_of_shot, read_release
from mastershot.datasets.tables.tag_scores import read_tag_scores
from mastershot.encoders.text import SENTENCE_WIDTH, SentenceEncoder
from mastershot.evaluation.genres import choose_thresholds, genre_figures
from mastershot.recipes.load import load_recipe
from mastershot.training.genres.train import train_genres

EXPERTS = ("places", "words", "rhythm", "cast")
CAST_WIDTH, LEAST_FILMS = 64, 20
RUNS = {
    **{name: ((name,), "none") for name in EXPERTS},
    **{f"{one}+{other}": ((one, other), "pairs") for one, other in combinations(EXPERTS, 2)},
    "naive concat": (EXPERTS, "none"),
    "gated": (EXPERTS, "pairs"),
    "gated, mean of others": (EXPERTS, "mean"),
}
FUSIONS = ("naive concat", "gated", "gated, mean of others")
RATES = (3e-4, 1e-3, 3e-3, 1e-2)
"""Learning rates that `tune` chooses from; 1e-3 is the recipe's."""


def make(data: Path, out: Path) -> None:
    condensed = read_condensed_movies(data / "condensed_movies")
    clips_of: dict[str, list[CondensedClip]] = defaultdict(list)
    for clip in condensed.clips.values():
        clips_of[clip.imdb_id].append(clip)
    for clips in clips_of.values():
        clips.sort(key=lambda clip: (clip.number, clip.id))
    counts = Counter(
        genre for film in condensed.movies.values() if film.split == "train"
        for genre in film.genres
    )  # fmt: skip
    genres = sorted(name for name, count in counts.items() if count >= LEAST_FILMS)
    trailers = [
        Trailer(film.imdb_id, film.title, film.year, film.split,
                tuple(name for name in film.genres if name in genres),
                len(clips_of[film.imdb_id]))
        for film in condensed.movies.values()
        if set(film.genres) & set(genres) and clips_of.get(film.imdb_id)
    ]  # fmt: skip
    places, shots = _shots(data)
    words = _words([clip for one in trailers for clip in clips_of[one.id]], out)
    cast = _cast(condensed.movies, [one.id for one in trailers])
    num_labels = len(next(iter(places.values())))

    def vectors_of(film: Trailer) -> dict[str, np.ndarray]:
        clips = clips_of[film.id]
        found = {
            "places": [places.get(clip.id, np.full(num_labels, np.nan)) for clip in clips],
            "words": [words.get(clip.id, np.full(SENTENCE_WIDTH, np.nan)) for clip in clips],
            "rhythm": [_rhythm(clip, shots.get(clip.id)) for clip in clips],
            "cast": [cast[film.id] for _ in clips],
        }
        return {name: np.stack(rows).astype(np.float32) for name, rows in found.items()}

    experts = [
        Expert("places", num_labels, made_by={"labels": "MovieCLIP, shares of shots, square root"}),
        Expert("words", SENTENCE_WIDTH, made_by={"encoder": "all-MiniLM-L6-v2"}),
        Expert("rhythm", 3, made_by={"of": "duration, labelled shots, seconds a shot; logarithms"}),
        Expert("cast", CAST_WIDTH, made_by={"of": "actors, latent semantic analysis"}),
    ]
    written = write_genre_dataset(
        out / "dataset", trailers, vectors_of, name="Condensed Movies", genres=genres,
        experts=experts, made_by={"from": "Condensed Movies and MovieCLIP, metadata and labels"},
    )  # fmt: skip
    sizes = {split: len(written.split(split)) for split in ("train", "val", "test")}
    print(f"{len(trailers)} films, {int(written.starts[-1])} clips, {len(genres)} genres, {sizes}")
    for name in EXPERTS:
        there = sum(
            int(np.isfinite(written.vectors(name, place)).all(axis=1).sum())
            for place in range(len(trailers))
        )
        print(f"{name}: {there} clips")
    # Words for the names of sub-genres: what is said of a film's clips, and its places.
    labels = read_release(data / "movieclip").index.labels
    rows = ["id,text\n"]
    for film in trailers:
        said = [clip.description or "" for clip in clips_of[film.id]]
        seen = Counter()
        for clip in clips_of[film.id]:
            if clip.id in places:
                seen.update(dict(zip(labels, np.square(places[clip.id]).tolist(), strict=True)))
        said += [name for name, share in seen.most_common(10) if share > 0.2]
        text = " ".join(said).replace('"', "'")
        rows.append(f'{film.id},"{text}"\n')
    (out / "dataset" / "words.csv").write_text("".join(rows), "utf-8")


def _shots(data: Path) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Return the square roots of the shares of labels of each clip's shots, and how many shots."""
    release = read_release(data / "movieclip")
    named = [name for name in release.splits if name != HUMAN_VERIFIED]
    classes: dict[str, list[int]] = defaultdict(list)
    number, count = Counter(), Counter()
    for shot in (shot for name in named for shot in release.splits[name]):
        classes[shot.video] += shot.classes
        count[shot.video] += 1
        number[shot.video] = max(number[shot.video], 1 + (number_of_shot(shot.file) or 0))
    size = len(release.index)
    places = {
        video: np.sqrt(np.bincount(own, minlength=size) / count[video])
        for video, own in classes.items()
    }
    return places, dict(number)


def _words(clips: Iterable[CondensedClip], out: Path) -> dict[str, np.ndarray]:
    said = {clip.id: clip.description for clip in clips if clip.description}
    kept = out / "words.npy"
    if not kept.is_file():
        out.mkdir(parents=True, exist_ok=True)
        np.save(kept, SentenceEncoder().encode_texts(list(said.values())).astype(np.float16))
    vectors = np.load(kept)
    assert len(vectors) == len(said), f"{kept} is of other clips; remove it"
    return dict(zip(said, vectors.astype(np.float32), strict=True))


def _rhythm(clip: CondensedClip, num_shots: int | None) -> np.ndarray:
    """Return logarithms of seconds, shots, and seconds a shot; NaN where one is not known."""
    if clip.duration_s is None or clip.duration_s <= 0 or num_shots is None:
        return np.full(3, np.nan)
    seconds, shots = math.log(clip.duration_s), math.log(num_shots)
    return np.array([seconds, shots, seconds - shots])


def _cast(movies: dict, ids: list[str]) -> dict[str, np.ndarray]:
    """Return each film's place in the space of actors; NaN for a film without known ones."""
    trained = [id for id in ids if movies[id].split == "train"]
    seen = Counter(actor for id in trained for actor in movies[id].cast)
    column = {actor: at for at, actor in enumerate(a for a, n in seen.items() if n > 1)}
    cells = [
        (row, column[actor]) for row, id in enumerate(ids) for actor in movies[id].cast
        if actor in column
    ]  # fmt: skip
    rows, columns = np.array(cells).T
    matrix = csr_matrix((np.ones(len(rows)), (rows, columns)), (len(ids), len(column)))
    is_trained = np.array([movies[id].split == "train" for id in ids])
    weigh = TfidfTransformer().fit(matrix[is_trained])
    svd = TruncatedSVD(CAST_WIDTH, random_state=0).fit(weigh.transform(matrix[is_trained]))
    found = svd.transform(weigh.transform(matrix))
    found[np.asarray(matrix.sum(axis=1))[:, 0] == 0] = np.nan
    return dict(zip(ids, found, strict=True))


def run(out: Path, seeds: list[int], only: list[str] | None) -> None:
    base = load_recipe("genres/condensed-movies", [f"data={out}"]).settings
    for name, (experts, gating) in RUNS.items():
        if only and name not in only:
            continue
        for seed in seeds:
            recipe = replace(
                base, experts=experts, network=replace(base.network, gating=gating),
                training=replace(base.training, seed=seed),
                fine=replace(base.fine, seed=seed,
                             epochs=base.fine.epochs if name == "gated" else 0),
            )  # fmt: skip
            started = time.monotonic()
            model = train_genres(recipe, folder_of(out, name, seed))
            test = json.loads((model / "genres.json").read_text())["figures"]["test"]
            print(f"{name:22} seed {seed}: F1 {test['f1']['value']:.3f}, AU(PRC) "
                  f"{test['auprc_weighted']['value']:.3f}, {time.monotonic() - started:.0f} s",
                  flush=True)  # fmt: skip


def tune(out: Path, seeds: list[int]) -> None:
    """Choose each fusion's learning rate on validation films; then print its test figures."""
    base = load_recipe("genres/condensed-movies", [f"data={out}"]).settings
    for name in FUSIONS:
        gating = RUNS[name][1]

        def figures(
            rate: float, seed: int, name: str = name, gating: str = gating
        ) -> tuple[float, float, float]:
            recipe = replace(
                base, experts=(), network=replace(base.network, gating=gating),
                training=replace(base.training, seed=seed, learning_rate=rate),
                fine=replace(base.fine, epochs=0),
            )  # fmt: skip
            model = train_genres(recipe, folder_of(out, f"{name} at {rate:g}", seed))
            card = json.loads((model / "genres.json").read_text())["figures"]
            val, test = card["val"]["auprc_weighted"]["value"], card["test"]
            return val, test["f1"]["value"], test["auprc_weighted"]["value"]

        found = {rate: figures(rate, 0)[0] for rate in RATES}
        best = max(found, key=lambda rate: found[rate])
        said = ", ".join(f"{rate:g} {value:.3f}" for rate, value in found.items())
        print(f"{name}: validation AU(PRC) by learning rate, seed 0: {said}", flush=True)
        _, f1, auprc = np.array([figures(best, seed) for seed in seeds]).T
        print(f"{name} at {best:g}, {len(seeds)} seeds: test F1 {f1.mean():.3f} ± {f1.std():.3f}, "
              f"AU(PRC) {auprc.mean():.3f} ± {auprc.std():.3f}", flush=True)  # fmt: skip


def folder_of(out: Path, name: str, seed: int) -> Path:
    return out / "runs" / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"


def table(out: Path) -> None:
    print(
        "| experts | P | R | F1 | AU(PRC) micro | macro | weighted |\n|---|---|---|---|---|---|---|"
    )
    for name in RUNS:
        rows, scores = [], []
        for path in sorted((out / "runs").glob(f"{folder_of(out, name, 0).name[:-2]}-[0-9]*")):
            if not (path / "model").is_dir():
                continue
            val, test = (read_tag_scores(path / "scores" / f"{one}.npz") for one in ("val", "test"))
            thresholds = choose_thresholds(val.scores, val.truth)
            rows.append(genre_figures(test.scores, test.truth, thresholds, test.classes))
            scores.append((val, test))
        if not rows:
            continue
        cells = []
        for figure in ("precision", "recall", "f1", "auprc_micro", "auprc_macro", "auprc_weighted"):
            values = [getattr(one, figure).value for one in rows]
            low = np.mean([getattr(one, figure).interval.low for one in rows])
            high = np.mean([getattr(one, figure).interval.high for one in rows])
            cells.append(f"{np.mean(values):.3f} ± {np.std(values):.3f} [{low:.3f}, {high:.3f}]")
        print(f"| {name} ({len(rows)} seeds) | {' | '.join(cells)} |")
    print(f"| every genre | | | {rows[0].all_positive_f1:.3f} | | | |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("make", "run", "table", "tune"):
        one = commands.add_parser(name)
        if name == "make":
            one.add_argument("data", type=Path)
        one.add_argument("out", type=Path)
        if name in ("run", "tune"):
            one.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
        if name == "run":
            one.add_argument("--only", nargs="*")
    options = parser.parse_args()
    if options.command == "make":
        make(options.data, options.out)
    elif options.command == "run":
        run(options.out, options.seeds, options.only)
    elif options.command == "tune":
        tune(options.out, options.seeds)
    else:
        table(options.out)


if __name__ == "__main__":
    sys.exit(main())
