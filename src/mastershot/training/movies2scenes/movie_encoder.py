"""The movie encoder: are two films similar, from their shots alone (METHODS B3)?"""
# B pairs of films, S shots of a film, C numbers a shot feature has

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from lightning.pytorch import LightningModule
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, IterableDataset

from mastershot import __version__
from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import DatasetError, EncoderError, MiningError, SettingError
from mastershot.core.similarity import SimilarityTable
from mastershot.datasets.tables.similarity_table import read_similarity
from mastershot.encoders.checkpoint import one_line, read_json
from mastershot.exports.drawings import draw_curves
from mastershot.mining.pairs import scene_means
from mastershot.models.movie_encoder import MovieEncoder, MovieSettings
from mastershot.store.files import write_whole
from mastershot.store.shot_arrays import ShotArrays
from mastershot.training.engine.metrics_log import MetricsLog, read_log
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.samplers import batch_places, shuffled
from mastershot.training.engine.settings import OnProgress, no_progress, under
from mastershot.training.engine.trainer import CHECKPOINT, fit, steps_done
from mastershot.training.movies2scenes.contrastive import CURVES, require_finite
from mastershot.training.movies2scenes.networks import seeded
from mastershot.training.movies2scenes.settings.stages import (
    MovieSimilarityRecipe,
    MovieTrainingSettings,
    resolved,
)
from mastershot.training.movies2scenes.shots import gather_shots

MOVIE_ENCODER = "movie_encoder"
MOVIE_FORMAT = "mastershot/movie-encoder/1"
_HELD_OUT_SEED = 1 << 41  # apart from those of steps
_MAX_WIDTH = 1 << 14
_MAX_DRAWS = 100


class MoviePairs(NamedTuple):
    """Pairs of films and whether they are similar: indices (B,), (B,) and labels (B,), 0 or 1."""

    one: Tensor
    other: Tensor
    similar: Tensor


@dataclass(frozen=True)
class LoadedMovieEncoder:
    """A trained movie encoder.

    Attributes:
        network: Ready to run on the CPU.
        weights_sha256: Digest of its weights.
    """

    network: MovieEncoder
    weights_sha256: str

    def shot_features(self, shots: FloatArray) -> FloatArray:
        """Return what scenes are paired by, a film's shots (S, C) after the first layer (S, D)."""
        with torch.inference_mode():
            features: FloatArray = self.network.shot_features(torch.from_numpy(shots)).numpy()
        return features


class PairBatches(IterableDataset[MoviePairs]):
    """Similar pairs and as many that are not, a pure function of the seed and the step."""

    def __init__(
        self,
        pairs: IntArray,
        table: SimilarityTable,
        there: IntArray,
        training: MovieTrainingSettings,
        first_step: int = 0,
    ) -> None:
        """Take similar pairs (P, 2), and the films there are, as places in the table's movies."""
        self._pairs, self._study, self._first_step = pairs, training, first_step
        self._num_movies, self._there = len(table.movies), there
        ordered = np.concatenate([table.movie * self._num_movies + table.similar,
                                  table.similar * self._num_movies + table.movie])  # fmt: skip
        self._similar = np.unique(ordered)

    def __iter__(self) -> Iterator[MoviePairs]:
        step = self._first_step
        while True:
            yield self.batch(step)
            step += 1

    def batch(self, step: int) -> MoviePairs:
        """Return the batch of a step."""
        half = self._study.batch_size // 2
        items, _ = batch_places(
            step, batch_size=half, num_items=len(self._pairs), seed=self._study.seed
        )
        return self._with_others(self._pairs[items], [self._study.seed, step])

    def examination(self, held_out: IntArray) -> MoviePairs:
        """Return held-out similar pairs and as many that are not."""
        return self._with_others(held_out, [self._study.seed, _HELD_OUT_SEED])

    def _with_others(self, pairs: IntArray, seed: list[int]) -> MoviePairs:
        rng, others = np.random.default_rng(seed), np.empty((0, 2), np.int64)
        for _ in range(_MAX_DRAWS):
            if len(others) >= len(pairs):
                break
            drawn = self._there[rng.integers(len(self._there), size=(2 * len(pairs), 2))]
            known = np.isin(drawn[:, 0] * self._num_movies + drawn[:, 1], self._similar)
            others = np.concatenate([others, drawn[~known & (drawn[:, 0] != drawn[:, 1])]])
        if len(others) < len(pairs):
            raise DatasetError(
                "nearly all pairs of movies are similar, so there is nothing to tell them from; "
                "ask for fewer similar movies, or do without a movie encoder"
            )
        both = np.concatenate([pairs, others[: len(pairs)]])
        labels = (np.arange(len(both)) < len(pairs)).astype(np.int64)
        return MoviePairs(*map(torch.from_numpy, (both[:, 0], both[:, 1], labels)))


class MovieSimilarityModule(LightningModule):
    """A movie encoder at work: loss and optimiser."""

    def __init__(
        self,
        encoder: MovieEncoder,
        arrays: ShotArrays,
        places: IntArray,
        training: MovieTrainingSettings,
    ) -> None:
        """Take an encoder and where each film of the table lies in the arrays."""
        super().__init__()
        self.encoder, self._arrays, self._places, self._study = encoder, arrays, places, training

    def training_step(self, batch: MoviePairs, _: int) -> Tensor:
        """Return the loss of a batch; dropout follows from the seed and the step alone."""
        with torch.random.fork_rng():
            torch.manual_seed((self._study.seed << 32) + self.global_step)
            logits = self.compare(batch)
        loss = cross_entropy(logits, batch.similar)
        self.log("loss", loss)
        self.log("accuracy", (logits.argmax(1) == batch.similar).float().mean())
        return loss

    def compare(self, batch: MoviePairs) -> Tensor:
        """Return the logits of pairs (B, 2); each film is encoded once."""
        films, places = torch.unique(torch.cat([batch.one, batch.other]), return_inverse=True)
        rows = (self._arrays.movie(int(self._places[film])) for film in films.tolist())
        shots = [
            torch.from_numpy(np.array(row[: self._study.num_shots], np.float32)).to(self.device)
            for row in rows
        ]
        windows = self.encoder.windows(shots)
        one, other = places.chunk(2)
        return self.encoder.compare(windows[one], windows[other])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return SGD, as the paper has it."""
        return torch.optim.SGD(self.parameters(), lr=self._study.learning_rate)

    @torch.no_grad()
    def accuracy(self, pairs: MoviePairs) -> float:
        """Return the share of pairs that are told right."""
        self.encoder.eval()
        parts = zip(*(torch.split(column, 256) for column in pairs), strict=True)
        right = [self.compare(MoviePairs(*part)).argmax(1).cpu() == part[2] for part in parts]
        self.encoder.train()
        return float(torch.cat(right).float().mean())


def train_movie_encoder(
    recipe: MovieSimilarityRecipe, out: Path, on_progress: OnProgress = no_progress
) -> Path:
    """Return the folder of a movie encoder; a run that was stopped goes on.

    Raises:
        SettingError: Shots are missing, or the folder is another recipe's.
        DatasetError: The similarity cannot be read, or names too few pairs of the library's films.
        OutputError: The folder cannot be written, or its checkpoint cannot be read.
        MastershotError: The loss is not finite any more.
    """
    made = out / MOVIE_ENCODER
    with open_run_directory(out, recipe, made=(CHECKPOINT, MOVIE_ENCODER)):
        if not made.is_dir():
            _train(recipe, out, on_progress)
    return made


def _train(recipe: MovieSimilarityRecipe, out: Path, on_progress: OnProgress) -> None:
    arrays = gather_shots(resolved(recipe.data, recipe.shots), out / "shots", on_progress).arrays
    table, training = read_similarity(under(recipe.data, recipe.similarity)), recipe.training
    place = {name: index for index, name in enumerate(arrays.movies)}
    places = np.array([place.get(name, -1) for name in table.movies])
    damaged = _damaged(arrays, places)
    places[list(damaged)] = -1
    learnt, held_out = split_pairs(table, places, training)
    first = steps_done(out)
    batches = PairBatches(learnt, table, np.flatnonzero(places >= 0), training, first)
    settings = MovieSettings(
        num_inputs=arrays.row_shape[0], width=training.width, num_shots=training.num_shots
    )
    with seeded(training.seed):
        module = MovieSimilarityModule(MovieEncoder(settings), arrays, places, training)
    steps = ceil(len(learnt) * training.epochs / (training.batch_size // 2))
    steps = min(steps, training.max_steps or steps)
    metrics, examined = MetricsLog(out), batches.examination(held_out)
    metrics.write({
        "similar_pairs": len(learnt), "held_out_pairs": len(held_out), "steps": steps,
        "damaged": list(damaged.values()),
    })  # fmt: skip

    def on_step(step: int, figures: dict[str, float]) -> None:
        require_finite(step, figures)
        on_progress("movies", step, steps, figures)
        if step % recipe.log.report_every == 0 or step == steps:
            metrics.note(step, {**figures, "held_out_accuracy": module.accuracy(examined)})

    fit(
        module, DataLoader(batches, batch_size=None), folder=out, steps=steps,
        save_every=recipe.log.save_every, on_step=on_step,
    )  # fmt: skip
    write_whole(out / CURVES, draw_curves(read_log(out), out.name).encode())
    said = {"recipe": asdict(recipe), "held_out_accuracy": module.accuracy(examined)}
    _write(out / MOVIE_ENCODER, module.encoder, said)


def _damaged(arrays: ShotArrays, places: IntArray) -> dict[int, str]:
    """Return why films mean nothing, by their places in the table; one would spoil all weights."""
    damaged = {}
    for film in np.flatnonzero(places >= 0).tolist():
        place = int(places[film])
        try:
            scene_means(arrays.movie(place), 1, f"movie {arrays.movies[place]!r}")
        except MiningError as error:
            damaged[film] = str(error)
    return damaged


def split_pairs(
    table: SimilarityTable, places: IntArray, training: MovieTrainingSettings
) -> tuple[IntArray, IntArray]:
    """Return the similar pairs to learn from and those held out, (P, 2), each pair once.

    A pair and its mirror are one; pairs with a film that the library lacks, or whose features are
    damaged, are left out.

    Raises:
        DatasetError: Fewer than two pairs are left.
    """
    pairs = np.sort(np.stack([table.movie, table.similar], 1), axis=1)
    pairs = np.unique(pairs[(places[pairs] >= 0).all(axis=1)], axis=0)
    if len(pairs) < 2:
        raise DatasetError(
            f"of the pairs of similar movies {len(pairs)} are in the library, and 2 are needed; "
            "are its films named as in the similarity, and their features finite numbers?"
        )
    order = shuffled(np.arange(len(pairs)), len(pairs), training.seed, _HELD_OUT_SEED)
    num_held_out = min(len(pairs) - 1, max(1, round(training.held_out * len(pairs))))
    return pairs[order[num_held_out:]], pairs[order[:num_held_out]]


def load_movie_encoder(folder: str | Path) -> LoadedMovieEncoder:
    """Return the movie encoder that a run made.

    Raises:
        EncoderError: The folder holds none, or one that is damaged or of another version.
    """
    path = Path(folder) / f"{MOVIE_ENCODER}.json"
    if not path.is_file():
        raise EncoderError(f"{folder} holds no {path.name}; name the folder that a run made")
    said = read_json(path)
    if said.get("format") != MOVIE_FORMAT:
        raise EncoderError(
            f"{path} is of format {said.get('format')!r}; this version reads {MOVIE_FORMAT}"
        )
    weights = path.with_suffix(".safetensors")
    try:
        settings = MovieSettings(**said["settings"])
        if max(settings.width, settings.num_inputs, settings.num_shots) > _MAX_WIDTH:
            raise ValueError(f"it says {settings}")
        network = MovieEncoder(settings)
        network.load_state_dict(load_file(weights))
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        if digest != said["weights_sha256"]:
            raise ValueError("its weights are another file's")
    except (KeyError, TypeError, ValueError, SettingError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else one_line(error)
        raise EncoderError(f"{path} does not describe a movie encoder: {reason}") from error
    except (OSError, RuntimeError, SafetensorError) as error:
        raise EncoderError(f"{weights} cannot be loaded ({one_line(error)})") from error
    return LoadedMovieEncoder(network.eval().requires_grad_(False), digest)


def _write(folder: Path, encoder: MovieEncoder, said: dict[str, object]) -> None:
    """Write an encoder's folder, which is there whole or not at all."""
    partial = folder.with_name(f"{folder.name}.part")
    partial.mkdir(exist_ok=True)
    weights = {name: value.cpu().contiguous() for name, value in encoder.state_dict().items()}
    data = save(weights)
    (partial / f"{MOVIE_ENCODER}.safetensors").write_bytes(data)
    told = {
        "format": MOVIE_FORMAT,
        "version": __version__,
        "settings": asdict(encoder.settings),
        "weights_sha256": hashlib.sha256(data).hexdigest(),
        **said,
    }
    text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    (partial / f"{MOVIE_ENCODER}.json").write_text(text, "utf-8")
    partial.rename(folder)
