"""The movie encoder, which predicts from shots whether two films are similar (METHODS B3)."""
# B pairs of films, S shots of a film, C numbers a shot feature has

from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from mastershot.core.embeddings import FloatArray, IntArray
from mastershot.core.errors import DatasetError, MiningError
from mastershot.core.similarity import SimilarityTable
from mastershot.datasets.tables.similarity_table import read_similarity
from mastershot.exports.drawings import draw_curves
from mastershot.mining.pairs import scene_means
from mastershot.models.movie_encoder import MovieEncoder, MovieSettings
from mastershot.store.files import write_whole
from mastershot.store.shot_arrays import ShotArrays
from mastershot.training.engine.metrics_log import MetricsLog, read_log
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.samplers import batch_places, shuffled, step_seed
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.engine.trainer import CHECKPOINT, fit, require_finite, steps_done
from mastershot.training.movies2scenes.batches import StepBatches
from mastershot.training.movies2scenes.checkpoints import (
    describing,
    load_weights,
    read_metadata,
    write_network,
)
from mastershot.training.movies2scenes.contrastive import CURVES
from mastershot.training.movies2scenes.networks import seeded
from mastershot.training.movies2scenes.settings.stages import (
    MovieSimilarityRecipe,
    MovieTrainingSettings,
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
    """A trained movie encoder, ready to run on the CPU, and the digest of its weights."""

    network: MovieEncoder
    weights_sha256: str

    def shot_features(self, shots: FloatArray) -> FloatArray:
        """Return what scenes are paired by, a film's shots (S, C) after the first layer (S, D)."""
        with torch.inference_mode():
            features: FloatArray = self.network.shot_features(torch.from_numpy(shots)).numpy()
        return features


class PairBatches(StepBatches[MoviePairs]):
    """Similar pairs and as many that are not, a pure function of the seed and the step."""

    def __init__(
        self,
        pairs: IntArray,
        table: SimilarityTable,
        films: IntArray,
        training: MovieTrainingSettings,
        first_step: int = 0,
    ) -> None:
        """Take similar pairs (P, 2), and the films that can be used, as places in the table."""
        self._pairs, self._training, self.first_step = pairs, training, first_step
        self._num_movies, self._films = len(table.movies), films
        ordered = np.concatenate([table.movie * self._num_movies + table.similar,
                                  table.similar * self._num_movies + table.movie])  # fmt: skip
        self._similar = np.unique(ordered)

    def batch(self, step: int) -> MoviePairs:
        """Return the batch of a step."""
        half, seed = self._training.batch_size // 2, self._training.seed
        items, _ = batch_places(step, batch_size=half, num_items=len(self._pairs), seed=seed)
        return self._with_others(self._pairs[items], [seed, step])

    def evaluation(self, held_out: IntArray) -> MoviePairs:
        """Return held-out similar pairs and as many that are not."""
        return self._with_others(held_out, [self._training.seed, _HELD_OUT_SEED])

    def _with_others(self, pairs: IntArray, seed: list[int]) -> MoviePairs:
        rng, others = np.random.default_rng(seed), np.empty((0, 2), np.int64)
        for _ in range(_MAX_DRAWS):
            if len(others) >= len(pairs):
                break
            drawn = self._films[rng.integers(len(self._films), size=(2 * len(pairs), 2))]
            known = np.isin(drawn[:, 0] * self._num_movies + drawn[:, 1], self._similar)
            others = np.concatenate([others, drawn[~known & (drawn[:, 0] != drawn[:, 1])]])
        if len(others) < len(pairs):
            raise DatasetError(
                "nearly all pairs of movies are similar, which leaves none as negatives; ask for "
                "fewer similar movies, or do without a movie encoder"
            )
        both = np.concatenate([pairs, others[: len(pairs)]])
        labels = (np.arange(len(both)) < len(pairs)).astype(np.int64)
        return MoviePairs(*map(torch.from_numpy, (both[:, 0], both[:, 1], labels)))


class MovieSimilarityModule(LightningModule):
    """A movie encoder in training: loss and optimiser."""

    def __init__(
        self,
        encoder: MovieEncoder,
        arrays: ShotArrays,
        places: IntArray,
        training: MovieTrainingSettings,
    ) -> None:
        """Take an encoder and where each film of the table lies in the arrays."""
        super().__init__()
        self.encoder, self._arrays, self._places = encoder, arrays, places
        self._training = training

    def training_step(self, batch: MoviePairs, _: int) -> Tensor:
        """Return the loss of a batch; dropout depends only on the seed and the step."""
        with torch.random.fork_rng():
            torch.manual_seed(step_seed(self._training.seed, self.global_step))
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
            torch.from_numpy(np.array(row[: self._training.num_shots], np.float32)).to(self.device)
            for row in rows
        ]
        windows = self.encoder.windows(shots)
        one, other = places.chunk(2)
        return self.encoder.compare(windows[one], windows[other])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return SGD, as the paper has it."""
        return torch.optim.SGD(self.parameters(), lr=self._training.learning_rate)

    @torch.no_grad()
    def accuracy(self, pairs: MoviePairs) -> float:
        """Return the share of pairs that are predicted correctly."""
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
    arrays = gather_shots(recipe.source, out / "shots", on_progress).arrays
    table, training = read_similarity(recipe.path(recipe.similarity)), recipe.training
    place_of = {name: index for index, name in enumerate(arrays.movies)}
    places = np.array([place_of.get(name, -1) for name in table.movies])
    damaged = _damaged_films(arrays, places)
    places[list(damaged)] = -1
    used, held_out = split_pairs(table, places, training)
    batches = PairBatches(used, table, np.flatnonzero(places >= 0), training, steps_done(out))
    settings = MovieSettings(
        num_inputs=arrays.row_shape[0], width=training.width, num_shots=training.num_shots
    )
    with seeded(training.seed):
        module = MovieSimilarityModule(MovieEncoder(settings), arrays, places, training)
    steps = ceil(len(used) * training.epochs / (training.batch_size // 2))
    steps = min(steps, training.max_steps or steps)
    metrics, evaluated = MetricsLog(out), batches.evaluation(held_out)
    metrics.write({
        "similar_pairs": len(used), "held_out_pairs": len(held_out), "steps": steps,
        "damaged": list(damaged.values()),
    })  # fmt: skip

    def on_step(step: int, figures: dict[str, float]) -> None:
        require_finite(step, figures)
        on_progress("movies", step, steps, figures)
        if step % recipe.log.report_every == 0 or step == steps:
            metrics.note(step, {**figures, "held_out_accuracy": module.accuracy(evaluated)})

    fit(
        module, DataLoader(batches, batch_size=None), folder=out, steps=steps,
        save_every=recipe.log.save_every, on_step=on_step,
    )  # fmt: skip
    write_whole(out / CURVES, draw_curves(read_log(out), out.name).encode())
    metadata = {
        "settings": asdict(settings), "recipe": asdict(recipe),
        "held_out_accuracy": module.accuracy(evaluated),
    }  # fmt: skip
    write_network(out / MOVIE_ENCODER, MOVIE_ENCODER, MOVIE_FORMAT, module.encoder, metadata)


def _damaged_films(arrays: ShotArrays, places: IntArray) -> dict[int, str]:
    """Return why films cannot be used, by place in the table; one would spoil all weights."""
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
    """Return the similar pairs to train on and those held out, (P, 2), each pair once.

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
    path, metadata = read_metadata(folder, MOVIE_ENCODER, MOVIE_FORMAT)
    with describing(path, "a movie encoder"):
        settings = MovieSettings(**metadata["settings"])
        if max(settings.width, settings.num_inputs, settings.num_shots) > _MAX_WIDTH:
            raise ValueError(f"sizes of {settings} above {_MAX_WIDTH:,}")
        network = MovieEncoder(settings)
    load_weights(network, path, metadata)
    return LoadedMovieEncoder(network, metadata["weights_sha256"])
