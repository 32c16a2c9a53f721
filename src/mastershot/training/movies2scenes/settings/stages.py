"""What the stages between shots and scenes are told: similarity, movie encoder, pairs, pipeline.

Light to import: no tensor is here. Defaults are the paper's (METHODS B2 to B4) or marked as ours.
"""

import math
from dataclasses import dataclass, field, replace

from mastershot.training.engine.settings import require, require_one_of, under
from mastershot.training.movies2scenes.settings.encoders import (
    POSITIVES,
    ContrastiveSettings,
    LogSettings,
    NetworkSettings,
    SceneContrastRecipe,
    ShotContrastRecipe,
)
from mastershot.training.movies2scenes.settings.shots import ShotSource, missing_shots

MEASURES = ("cowatch", "genre", "synopsis", "random", "combined")


@dataclass(frozen=True)
class CoWatchOptions:
    """What counts as watched after; `mining.co_watch.CoWatchSettings` says more.

    Attributes:
        rank_by: ``lift`` or ``count``.
        next_items: How many of a viewer's next movies count; 0 is all later ones.
        within_days: How much later the later one may be watched; 0 is any time.
        min_viewers: Pairs that fewer viewers watched are left out.
        prior: Expected viewers added to each pair, where ranked by lift.
    """

    rank_by: str = "lift"
    next_items: int = 5
    within_days: float = 0.0
    min_viewers: int = 2
    prior: float = 1.0

    def __post_init__(self) -> None:
        require_one_of("rank_by", self.rank_by, ("lift", "count"))
        require(self.next_items >= 0, f"next_items is {self.next_items}; 0 is all later ones")
        require(0 <= self.within_days < math.inf, "within_days is a number of days; 0 is any time")
        require(self.min_viewers >= 1, f"min_viewers is {self.min_viewers}; it is 1 or more")
        require(0 <= self.prior < math.inf, f"prior is {self.prior:g}; it is not below 0")


@dataclass(frozen=True)
class SimilaritySettings:
    """Which movies are similar (B2).

    Attributes:
        measure: ``cowatch``, ``genre``, ``synopsis``, ``random`` (the control), or ``combined``.
        viewing_log: A log of views, CSV or Parquet with columns ``user``, ``movie``, ``time``.
        movies: A CSV with columns ``movie``, ``genres`` (``|`` between them) and ``synopsis``.
        movielens: A MovieLens folder; it stands for both, films named by IMDb id.
        co_watch: How movies are similar by views.
        num_similar: Similar movies a movie.
        max_movies: So many movies of the library alone, picked by a digest of their names; 0 is
            all.
        cowatch_weight: What the measure counts for where they are ``combined``; 0 leaves it out.
        genre_weight: Likewise.
        synopsis_weight: Likewise.
        lvu: A folder of LVU splits, whose validation and test films are left out; empty for none.
        seed: Of what is drawn at random.
    """

    measure: str = "cowatch"
    viewing_log: str = ""
    movies: str = ""
    movielens: str = ""
    co_watch: CoWatchOptions = field(default_factory=CoWatchOptions)
    num_similar: int = 3
    max_movies: int = 0
    cowatch_weight: float = 1.0
    genre_weight: float = 1.0
    synopsis_weight: float = 1.0
    lvu: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        require_one_of("measure", self.measure, MEASURES)
        require(self.max_movies >= 0, f"max_movies is {self.max_movies}; 0 is all")
        require(self.num_similar >= 1, f"num_similar is {self.num_similar}; it is at least 1")
        for name in ("cowatch", "genre", "synopsis"):
            weight = getattr(self, f"{name}_weight")
            require(0 <= weight < math.inf, f"{name}_weight is {weight:g}; it is not below 0")
        needs = self.weights
        require(bool(needs) or self.measure == "random", "combined needs a weight above 0")
        if "cowatch" in needs:
            require(
                bool(self.viewing_log or self.movielens), "cowatch needs viewing_log or movielens"
            )
        if "genre" in needs:
            require(bool(self.movies or self.movielens), "genre needs movies or movielens")
        require("synopsis" not in needs or bool(self.movies), "synopsis needs movies")

    @property
    def weights(self) -> dict[str, float]:
        """The measures that count, and what for; none at random."""
        if self.measure == "random":
            return {}
        if self.measure != "combined":
            return {self.measure: 1.0}
        named = {name: getattr(self, f"{name}_weight") for name in ("cowatch", "genre", "synopsis")}
        return {name: weight for name, weight in named.items() if weight > 0}


@dataclass(frozen=True)
class SimilarityRecipe:
    """The similar movies of a library, as one table.

    Attributes:
        shots: The library; its films are those that are compared.
        similarity: By what.
        data: Folder that paths start from.
    """

    shots: ShotSource
    similarity: SimilaritySettings
    data: str = "."


@dataclass(frozen=True)
class MovieTrainingSettings:
    """How the movie encoder learns which movies are similar (B3).

    Attributes:
        epochs: Times each similar pair is seen.
        batch_size: Pairs a step, half of them similar.
        learning_rate: Of SGD.
        num_shots: Films are cut or filled up to so many shots.
        width: Of both layers.
        held_out: Share of the similar pairs that accuracy is measured on, and never learnt from.
        max_steps: Stop after so many steps; 0 is after all epochs.
        seed: Of weights, order, negatives and dropout.
    """

    epochs: int = 100
    batch_size: int = 256
    learning_rate: float = 0.1
    num_shots: int = 1024
    width: int = 512
    held_out: float = 0.1
    max_steps: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.epochs >= 1, f"epochs is {self.epochs}; train for one epoch at least")
        require(
            self.batch_size >= 2 and self.batch_size % 2 == 0,
            f"batch_size is {self.batch_size}; it is even, for as many similar pairs as others",
        )
        require(0 < self.learning_rate < math.inf, "learning_rate of movies is above 0")
        require(0 < self.held_out < 1, f"held_out is {self.held_out:g}; it is in (0, 1)")
        require(self.max_steps >= 0, f"max_steps is {self.max_steps}; 0 is no limit")
        require(0 <= self.seed < 2**31, f"seed is {self.seed}; it is in [0, 2^31)")


@dataclass(frozen=True)
class MovieSimilarityRecipe:
    """A movie encoder: is a pair of films similar, from their shots alone (B3)?

    Attributes:
        shots: Features.
        similarity: The table of similar movies.
        training: How it learns.
        log: When figures and state are written.
        data: Folder that paths start from.
    """

    shots: ShotSource
    similarity: str
    training: MovieTrainingSettings = field(default_factory=MovieTrainingSettings)
    log: LogSettings = field(default_factory=LogSettings)
    data: str = "."

    def __post_init__(self) -> None:
        require(
            self.shots.content == "features", "a movie encoder sees features; set shots.content"
        )


@dataclass(frozen=True)
class PairingSettings:
    """How scenes are paired (B4).

    Attributes:
        positives: ``similar`` (scenes of similar movies), or for controls ``same`` (each scene with
            itself, for two views of it) or ``nearest`` (ShotCoL: the most alike within 8 shots).
        window: Shots a scene, n.
        keep: Share of a movie pair's scene pairs that is kept.
        consider: Share of all entries that can become pairs.
        stride: For controls: shots from one scene to the next.
    """

    positives: str = "similar"
    window: int = 9
    keep: float = 0.5
    consider: float = 1.0
    stride: int = 1

    def __post_init__(self) -> None:
        require_one_of("positives", self.positives, POSITIVES)
        require(self.window >= 1 and self.stride >= 1, "window and stride are 1 or more")
        for name in ("keep", "consider"):
            share = getattr(self, name)
            require(0 < share <= 1, f"{name} is {share:g}; it is in (0, 1]")


@dataclass(frozen=True)
class ScenePairsRecipe:
    """The scene pairs of a library.

    Attributes:
        shots: Features.
        similarity: The table of similar movies; controls need none.
        movie_encoder: Folder of a movie encoder whose first layer's features are compared; empty
            compares the shots' own.
        pairs: How scenes are paired.
        data: Folder that paths start from.
    """

    shots: ShotSource
    similarity: str = ""
    movie_encoder: str = ""
    pairs: PairingSettings = field(default_factory=PairingSettings)
    data: str = "."

    def __post_init__(self) -> None:
        require(
            self.shots.content == "features" or self.pairs.positives == "same",
            "scenes are paired by features; set shots.content",
        )
        require(
            bool(self.similarity) or self.pairs.positives != "similar",
            "scenes of similar movies need similarity, the table of them",
        )


@dataclass(frozen=True)
class ShotFeaturesRecipe:
    """The features of keyframes by a trained shot encoder or one known by name.

    Attributes:
        shots: Keyframes.
        encoder: Folder of a shot encoder, or what ``--encoder`` takes, such as ``clip``.
        data: Folder that paths start from.
    """

    shots: ShotSource
    encoder: str
    data: str = "."

    def __post_init__(self) -> None:
        require(
            self.shots.content == "keyframes", "features are made of keyframes; set shots.content"
        )


@dataclass(frozen=True)
class PipelineRecipe:
    """From a library and its metadata to a scene encoder, stage by stage (B1 to B5).

    Attributes:
        shots: What the scene encoder learns from: features, or keyframes.
        similarity: Which movies are similar.
        shot_encoder: ``train`` trains one on the keyframes (B1); else a name such as ``clip`` or
            ``starter``; empty where features are given, or scenes are paired with themselves.
        shot_network: The shot encoder, if it is trained.
        shot_training: How it learns.
        movie_encoder: Train a movie encoder, and pair scenes by its features (B3).
        movie_training: How it learns.
        pairs: How scenes are paired.
        network: The scene encoder.
        training: How it learns.
        log: When figures and state are written.
        data: Folder that paths start from.
        name: What the encoder is called.
    """

    shots: ShotSource
    similarity: SimilaritySettings
    shot_encoder: str = ""
    shot_network: NetworkSettings = field(default_factory=NetworkSettings)
    shot_training: ContrastiveSettings = field(default_factory=ContrastiveSettings)
    movie_encoder: bool = True
    movie_training: MovieTrainingSettings = field(default_factory=MovieTrainingSettings)
    pairs: PairingSettings = field(default_factory=PairingSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    training: ContrastiveSettings = field(default_factory=ContrastiveSettings)
    log: LogSettings = field(default_factory=LogSettings)
    data: str = "."
    name: str = "scene-encoder"

    def __post_init__(self) -> None:
        keyframes = self.shots.content == "keyframes"
        paired_by_features = keyframes and self.pairs.positives != "same"
        require(
            paired_by_features == bool(self.shot_encoder),
            "keyframes need a shot_encoder (train, or a name) to be paired by; features take none, "
            "nor do scenes that are paired with themselves",
        )
        require(
            keyframes or self.network.network == "features",
            f"network {self.network.network} sees keyframes; shots.content is features",
        )


def missing_for_similarity(data: str, settings: SimilaritySettings) -> list[str]:
    """Return a sentence for each file of the metadata that is not there."""
    named = {
        name: getattr(settings, name) for name in ("viewing_log", "movies", "movielens", "lvu")
    }
    paths = {name: under(data, path) for name, path in named.items() if path}
    return [f"{name} {path} does not exist" for name, path in paths.items() if not path.exists()]


Stage = (
    ShotContrastRecipe | SceneContrastRecipe | MovieSimilarityRecipe | ScenePairsRecipe
    | SimilarityRecipe | ShotFeaturesRecipe | PipelineRecipe
)  # fmt: skip


def missing_for_stage(recipe: Stage) -> list[str]:
    """Return a sentence for each input of a stage that is not there."""
    problems = missing_shots(recipe.data, recipe.shots)
    if isinstance(recipe, SimilarityRecipe | PipelineRecipe):
        problems += missing_for_similarity(recipe.data, recipe.similarity)
    for name in ("similarity", "pairs", "movie_encoder"):
        value = getattr(recipe, name, None)
        if isinstance(value, str) and value and not under(recipe.data, value).exists():
            problems.append(f"{name} {under(recipe.data, value)} does not exist")
    labels = recipe.log.labels if hasattr(recipe, "log") else ""
    if labels and not under(recipe.data, labels).exists():
        problems.append(f"log.labels {under(recipe.data, labels)} does not exist")
    for name in ("network", "shot_network"):
        init = getattr(getattr(recipe, name, None), "init", "")
        if init and not under(recipe.data, init).exists():
            problems.append(f"{name}.init {under(recipe.data, init)} does not exist")
    return problems


def resolved(data: str, source: ShotSource) -> ShotSource:
    """Return a source of shots with its path as it is from here."""
    return replace(source, path=str(under(data, source.path)))
