"""Settings of the stages between shots and scenes, and of all stages in a chain.

Light to import: no tensor is here. Defaults are the paper's (METHODS B2 to B4) or marked as ours.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from mastershot.core.settings import (
    Count,
    CountOrNone,
    NotNegative,
    Positive,
    Range,
    Seed,
    Settings,
    require,
)
from mastershot.mining.settings import CoWatchSettings, PairSettings
from mastershot.training.movies2scenes.settings.encoders import (
    ContrastiveSettings,
    NetworkSettings,
    StageRecipe,
    TrainingRecipe,
)

_MEASURES = ("cowatch", "genre", "synopsis")


@dataclass(frozen=True)
class SimilaritySettings(Settings):
    """Which movies are similar (B2).

    Attributes:
        measure: ``cowatch``, ``genre``, ``synopsis``, ``random`` (the control), or ``combined``.
        viewing_log: A log of views, CSV or Parquet with columns ``user``, ``movie``, ``time``.
        movies: A CSV with columns ``movie``, ``genres`` (``|`` between them) and ``synopsis``.
        movielens: A MovieLens folder; it stands for both, films named by IMDb id.
        co_watch: How movies are similar by views.
        num_similar: Similar movies a movie.
        max_movies: Only so many movies of the library, picked by a digest of their names; 0 is all.
        cowatch_weight: What the measure counts for where they are ``combined``; 0 leaves it out.
        genre_weight: Likewise.
        synopsis_weight: Likewise.
        lvu: A folder of LVU splits, whose validation and test films are left out; empty for none.
        seed: Of what is drawn at random.
    """

    measure: Literal["cowatch", "genre", "synopsis", "random", "combined"] = "cowatch"
    viewing_log: str = ""
    movies: str = ""
    movielens: str = ""
    co_watch: CoWatchSettings = field(default_factory=CoWatchSettings)
    num_similar: Count = 3
    max_movies: CountOrNone = 0
    cowatch_weight: NotNegative = 1.0
    genre_weight: NotNegative = 1.0
    synopsis_weight: NotNegative = 1.0
    lvu: str = ""
    seed: int = 0

    def _check(self) -> None:
        needs, movielens = self.weights, bool(self.movielens)
        require(bool(needs) or self.measure == "random", "measure combined needs a weight above 0")
        for name, given, wanted in (
            ("cowatch", movielens or bool(self.viewing_log), "viewing_log or movielens"),
            ("genre", movielens or bool(self.movies), "movies or movielens"),
            ("synopsis", bool(self.movies), "movies"),
        ):
            require(given or name not in needs, f"measure {name} needs {wanted}")

    @property
    def weights(self) -> dict[str, float]:
        """The measures that count, each with its weight; none at random."""
        if self.measure != "combined":
            return {} if self.measure == "random" else {self.measure: 1.0}
        named = {name: getattr(self, f"{name}_weight") for name in _MEASURES}
        return {name: weight for name, weight in named.items() if weight > 0}


@dataclass(frozen=True)
class SimilarityRecipe(StageRecipe):
    """The similar movies of a library, as one table.

    Attributes:
        similarity: By what.
    """

    similarity: SimilaritySettings


@dataclass(frozen=True)
class MovieTrainingSettings(Settings):
    """How the movie encoder is trained (B3).

    Attributes:
        epochs: Times each similar pair is seen.
        batch_size: Pairs a step, half of them similar.
        learning_rate: Of SGD.
        num_shots: Films are cut or filled up to so many shots.
        width: Of both layers.
        held_out: Share of the similar pairs that accuracy is measured on, and never trained on.
        max_steps: Stop after so many steps; 0 is after all epochs.
        seed: Of weights, sampler, negatives and dropout.
    """

    epochs: Count = 100
    batch_size: Annotated[int, Range(2, multiple_of=2)] = 256
    learning_rate: Positive = 0.1
    num_shots: int = 1024
    width: int = 512
    held_out: Annotated[float, Range(0, 1, "()")] = 0.1
    max_steps: CountOrNone = 0
    seed: Seed = 0


@dataclass(frozen=True)
class MovieSimilarityRecipe(TrainingRecipe):
    """A movie encoder, which predicts from shots whether two films are similar (B3).

    Attributes:
        similarity: The table of similar movies.
        training: How it is trained.
    """

    similarity: str
    training: MovieTrainingSettings = field(default_factory=MovieTrainingSettings)

    def _check(self) -> None:
        self._require_content("features", "a movie encoder")


@dataclass(frozen=True)
class PairingSettings(PairSettings):
    """How scenes are paired (B4).

    Attributes:
        positives: ``similar`` (scenes of similar movies), or for controls ``same`` (each scene with
            itself, for two views of it) or ``nearest`` (ShotCoL: of the scenes within reach, the
            one most alike under the encoder as it learns, picked in each step).
        stride: For controls: shots from one scene to the next.
        reach: For ``nearest``: positives begin up to so many shots before or after; ShotCoL's
            neighbourhood has 16 shots (Movies2Scenes, supplement 1.1).
    """

    positives: Literal["similar", "same", "nearest"] = "similar"
    stride: Count = 1
    reach: Count = 8


@dataclass(frozen=True)
class ScenePairsRecipe(StageRecipe):
    """The scene pairs of a library.

    Attributes:
        similarity: The table of similar movies; controls need none.
        movie_encoder: Folder of a movie encoder whose first layer's features are compared; empty
            compares the shots' own.
        pairs: How scenes are paired.
    """

    similarity: str = ""
    movie_encoder: str = ""
    pairs: PairingSettings = field(default_factory=PairingSettings)

    def _check(self) -> None:
        if self.pairs.positives == "similar":
            self._require_content("features", "pairing scenes")
        require(
            bool(self.similarity) or self.pairs.positives != "similar",
            "similarity is empty; scenes of similar movies need the table of them",
        )


@dataclass(frozen=True)
class ShotFeaturesRecipe(StageRecipe):
    """The features of keyframes by a trained encoder or one known by name.

    Attributes:
        encoder: Folder of a run or of its encoder, of shots or of scenes; what ``--encoder`` takes,
            such as ``clip``; ``vit-b16``; the file of a network of frames, such as ResNet-50 of
            Places365; or ``random``, the scene encoder of Movies2Scenes with fresh weights.
    """

    encoder: str

    def _check(self) -> None:
        self._require_content("keyframes", "a shot encoder")


@dataclass(frozen=True)
class PipelineRecipe(TrainingRecipe):
    """From a library and its metadata to a scene encoder, stage by stage (B1 to B5).

    Attributes:
        similarity: Which movies are similar.
        shot_encoder: ``train`` trains one on the keyframes (B1); else a name such as ``clip`` or
            ``starter``; empty where features are given, or ``pairs.positives`` is not ``similar``.
        shot_network: The shot encoder, if it is trained.
        shot_training: How it is trained.
        movie_encoder: Train a movie encoder, and pair scenes by its features (B3).
        movie_training: How it is trained.
        pairs: How scenes are paired.
        network: The scene encoder.
        training: How it is trained.
        name: What the encoder is called.
    """

    similarity: SimilaritySettings
    shot_encoder: str = ""
    shot_network: NetworkSettings = field(default_factory=NetworkSettings)
    shot_training: ContrastiveSettings = field(default_factory=ContrastiveSettings)
    movie_encoder: bool = True
    movie_training: MovieTrainingSettings = field(default_factory=MovieTrainingSettings)
    pairs: PairingSettings = field(default_factory=PairingSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    training: ContrastiveSettings = field(default_factory=ContrastiveSettings)
    name: str = "scene-encoder"

    def _check(self) -> None:
        keyframes = self.shots.content == "keyframes"
        paired_by_features = keyframes and self.pairs.positives == "similar"
        require(
            paired_by_features == bool(self.shot_encoder),
            f"shot_encoder is {self.shot_encoder!r}; keyframes need one (train, or a name) to be "
            "paired by; features take none, nor do scenes whose positives are same or nearest",
        )
        if self.network.network == "vit":
            self._require_content("keyframes", "network vit")
