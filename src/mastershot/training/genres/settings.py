"""Settings of genre recipes. Light to import: no tensor is here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from mastershot.core.settings import Positive, Range, Settings, Text, require
from mastershot.datasets.genres.table import CARD
from mastershot.training.engine.settings import EpochSettings, Size, under

_Dropout = Annotated[float, Range(0, 1, "[)")]


@dataclass(frozen=True)
class GenreNetworkSettings(Settings):
    """The network of METHODS C; widths of sequence and bottleneck, and dropout, are ours.

    Attributes:
        width: Width that all experts are brought to; 768 is Collaborative Experts'.
        clusters: Clusters of NetVLAD, for experts in pieces.
        gating: ``pairs`` weighs each expert by each other one, ``mean`` by the mean of the others;
            ``none`` puts them side by side (naive concatenation).
        pooling: What is done with what the pairs of an expert say: ``mean``, or the paper's
            ``sum``.
        clips: Clips of a sequence.
        sequences: Sequences of a trailer: as many with ``concat``, at most as many else; of longer
            trailers they are evenly spaced.
        joining: How sequences are joined: ``concat``, ``sum``, or ``mean``.
        sequence_width: Width of a sequence's vector.
        bottleneck: Width of a trailer's embedding.
        dropout: Share of a sequence's features that is left out in training.
        standardise: Whether features of experts are brought to mean 0 and deviation 1.
    """

    width: Size = 768
    clusters: Size = 16
    gating: Literal["pairs", "mean", "none"] = "pairs"
    pooling: Literal["mean", "sum"] = "mean"
    clips: Size = 9
    sequences: Size = 4
    joining: Literal["concat", "sum", "mean"] = "sum"
    sequence_width: Size = 512
    bottleneck: Size = 256
    dropout: _Dropout = 0.5
    standardise: bool = True


@dataclass(frozen=True)
class GenreTrainingSettings(EpochSettings):
    """How coarse genres are trained, by binary cross-entropy; the best epoch is by AU(PRC).

    The paper does not say; all of these are ours.

    Attributes:
        precision: ``bf16-mixed`` computes in bfloat16 where that is safe, for processors that
            have it.
    """

    epochs: Size = 30
    batch_size: Size = 64
    learning_rate: Annotated[float, Range(0, 1000, "()")] = 5e-4
    weight_decay: Annotated[float, Range(0)] = 1e-2
    precision: Literal["32-true", "bf16-mixed"] = "32-true"


@dataclass(frozen=True)
class FineStageSettings(EpochSettings):
    """The fine stage: halves of a trailer's sequences are a positive pair (METHODS C4).

    Attributes:
        epochs: 0 leaves the stage out.
        temperature: Of NT-Xent; 0.5 is the paper's.
        projection: Width of the projection head, which is dropped afterwards.
    """

    epochs: Annotated[int, Range(0, 100_000)] = 20
    batch_size: Size = 128
    learning_rate: Annotated[float, Range(0, 1000, "()")] = 1e-4
    temperature: Positive = 0.5
    projection: Size = 128


@dataclass(frozen=True)
class CoarseSettings(Settings):
    """What is trained on, and how, up to coarse genres.

    Attributes:
        data: Folder that the paths start from.
        dataset: Folder of the data set (`datasets.genres.table`).
        name: What the model is called.
        experts: Experts it sees; empty takes all of the data set.
        network: Its network.
        training: How coarse genres are trained.
        duplicates: What to do where trailers of two splits are the same film: ``refuse``, or
            ``keep`` them.
    """

    data: str = "data/genres"
    dataset: Text = "dataset"
    name: Text = "genres"
    experts: tuple[Text, ...] = ()
    network: GenreNetworkSettings = field(default_factory=GenreNetworkSettings)
    training: GenreTrainingSettings = field(default_factory=GenreTrainingSettings)
    duplicates: Literal["refuse", "keep"] = "refuse"

    def _check(self) -> None:
        repeated = len(set(self.experts)) < len(self.experts)
        require(not repeated, f"experts names one twice: {', '.join(self.experts)}")

    @property
    def dataset_path(self) -> Path:
        """Where the data set is."""
        return under(self.data, self.dataset)


@dataclass(frozen=True)
class GenreRecipe(CoarseSettings):
    """Genres of the trailers of a data set, and their embeddings before and after the fine stage.

    Attributes:
        fine: How the fine stage is trained.
    """

    fine: FineStageSettings = field(default_factory=FineStageSettings)


@dataclass(frozen=True)
class GenreTableRecipe(CoarseSettings):
    """Networks of coarse genres beside each other, as in Table 3 of Fish et al. 2021.

    The gating of ``network`` is that of pairs; the rows of all experts set their own. A single
    expert, which has no other one to be gated by, is only weighed by itself.

    Attributes:
        rows: Which are trained: each expert alone, each pair, and all experts side by side
            (``concat``), gated by each other, or by the mean of the others.
    """

    rows: tuple[Literal["single", "pairs", "concat", "gated", "gated-mean"], ...] = (
        "single", "pairs", "concat", "gated", "gated-mean",
    )  # fmt: skip

    def _check(self) -> None:
        super()._check()
        require(bool(self.rows), "rows is empty; name single, pairs, concat, gated or gated-mean")


def missing_genre_inputs(recipe: CoarseSettings) -> list[str]:
    """Return a sentence for each input of a recipe that does not exist."""
    if (recipe.dataset_path / CARD).is_file():
        return []
    return [
        f"data set {recipe.dataset_path} does not exist; `mastershot genres build` makes one of a "
        "folder of trailers, see docs/genres.md"
    ]
