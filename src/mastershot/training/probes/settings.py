"""Settings of probes and of their fusion. Light to import: no tensor is here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from mastershot.core.settings import Positive, Range, Settings, Text, require
from mastershot.datasets import hvu, moviescope
from mastershot.training.engine.settings import EpochSettings, Size, under


@dataclass(frozen=True)
class ProbeNetworkSettings(Settings):
    """What reads a video's features; the defaults are those of M_scene (METHODS A8).

    Attributes:
        kind: ``mlp`` reads the mean of a video's vectors, ``lstm`` and ``bilstm`` the vectors in
            order.
        hidden: Width of the hidden layers.
        layers: Layers of an LSTM.
        dropout: Share of the first hidden layer that ``mlp`` leaves out in training.
        max_steps: Vectors of a video that an LSTM reads, from the first on.
    """

    kind: Literal["mlp", "lstm", "bilstm"] = "mlp"
    hidden: Size = 4096
    layers: Annotated[int, Range(1, 16)] = 2
    dropout: Annotated[float, Range(0, 1, "[)")] = 0.2
    max_steps: Size = 200


@dataclass(frozen=True)
class ProbeTrainingSettings(EpochSettings):
    """How a probe is trained, by binary cross-entropy; the best epoch is by mAP.

    MovieCLIP's text does not say how M_scene and M_trailer were trained. All of these are ours,
    and they were not tuned on either data set.
    """

    batch_size: Size = 128
    learning_rate: Annotated[float, Range(0, 1000, "()")] = 1e-4


@dataclass(frozen=True)
class LabelledVideosRecipe(Settings):
    """What recipes on HVU or Moviescope share.

    The test split of HVU is its released validation split, on which MovieCLIP reports, too; a share
    of the training videos decides which epoch is the best.

    Attributes:
        data: Folder that the paths start from.
        dataset: ``hvu`` or ``moviescope``.
        annotations: Folder of the files as released.
        category: Category of HVU's tags.
        validation_share: Share of HVU's training videos that are for validation.
        drawn_videos: Videos to draw where there are no annotations; 0 draws none.
    """

    data: str = "data/hvu"
    dataset: Literal["hvu", "moviescope"] = "hvu"
    annotations: Text = "."
    category: Text = "scene"
    validation_share: Annotated[float, Range(0, 0.5, "(]")] = 0.05
    drawn_videos: Annotated[int, Range(0, 100_000)] = 0

    def _check(self) -> None:
        drawn = self.drawn_videos
        require(
            not 0 < drawn < 60,
            f"drawn_videos is {drawn}; 0 draws none, and each split has some from 60 on",
        )

    @property
    def annotations_path(self) -> Path:
        """Where the annotations are."""
        return under(self.data, self.annotations)

    @property
    def annotation_files(self) -> list[Path]:
        """The files of the annotations."""
        names = {
            "hvu": [hvu.TAGS_FILE, *hvu.SPLIT_FILES.values()],
            "moviescope": [moviescope.split_file(split) for split in moviescope.SPLITS],
        }
        return [self.annotations_path / name for name in names[self.dataset]]

    @property
    def is_to_be_drawn(self) -> bool:
        """Whether there are no annotations, and some are to be drawn."""
        return self.drawn_videos > 0 and not any(path.exists() for path in self.annotation_files)

    def missing_annotations(self) -> list[str]:
        """Return a sentence for each file of the annotations that does not exist."""
        return [
            f"annotations {path} do not exist; docs/downstream.md says where {self.dataset} is "
            "released"
            for path in self.annotation_files
            if not path.is_file()
        ]


@dataclass(frozen=True)
class ProbeRecipe(LabelledVideosRecipe):
    """A probe of videos' features, trained on HVU or Moviescope.

    Attributes:
        features: Folder of a feature table, whose items are named as the data set's reader says.
        name: What the probe is called.
        network: What reads the features.
        training: How it is trained.
    """

    features: Text = "features"
    name: Text = "probe"
    network: ProbeNetworkSettings = field(default_factory=ProbeNetworkSettings)
    training: ProbeTrainingSettings = field(default_factory=ProbeTrainingSettings)

    @property
    def features_path(self) -> Path:
        """Where the features are."""
        return under(self.data, self.features)


@dataclass(frozen=True)
class VideoSplitsRecipe(LabelledVideosRecipe):
    """HVU or Moviescope as split files, for recognisers that read frames (recipes of `tagging`).

    Attributes:
        videos: Folder of the films, each named as its item.
    """

    videos: Text = "videos"

    @property
    def videos_path(self) -> Path:
        """Where the films are."""
        return under(self.data, self.videos)


@dataclass(frozen=True)
class FusionRecipe(Settings):
    """Late fusion: the weighted mean of the logits of several runs.

    Attributes:
        runs: Run directories, whose ``scores/<split>.npz`` are read.
        weights: Weight of each run; empty weighs them equally, as MovieCLIP does.
        splits: The splits to fuse.
    """

    runs: tuple[Text, ...]
    weights: tuple[Positive, ...] = ()
    splits: tuple[Text, ...] = ("val", "test")

    def _check(self) -> None:
        require(len(self.runs) > 1, f"runs names {len(self.runs)}; fusion takes two or more")
        require(len(self.splits) > 0, "splits is empty; name one such as test")
        require(
            len(self.weights) in (0, len(self.runs)),
            f"weights has {len(self.weights)} for {len(self.runs)} runs; give one each, or none",
        )

    def score_path(self, run: str, split: str) -> Path:
        """Return where a run's scores of a split are."""
        return Path(run).expanduser() / "scores" / f"{split}.npz"


def missing_probe_inputs(recipe: ProbeRecipe) -> list[str]:
    """Return a sentence for each file and folder of a recipe that do not exist."""
    if recipe.is_to_be_drawn:
        return []
    problems = recipe.missing_annotations()
    if not recipe.features_path.is_dir():
        problems.append(
            f"features {recipe.features_path} are no folder; it is a feature table with the "
            "vectors of each video, see docs/downstream.md"
        )
    return problems


def missing_video_inputs(recipe: VideoSplitsRecipe) -> list[str]:
    """Return a sentence for each file and folder of a recipe that do not exist."""
    if recipe.is_to_be_drawn:
        return []
    problems = recipe.missing_annotations()
    if not recipe.videos_path.is_dir():
        problems.append(
            f"videos {recipe.videos_path} are no folder; it holds a film a video, named as "
            "docs/downstream.md says"
        )
    return problems


def missing_fusion_inputs(recipe: FusionRecipe) -> list[str]:
    """Return a sentence for each file of scores of a recipe that does not exist."""
    paths = [recipe.score_path(run, split) for run in recipe.runs for split in recipe.splits]
    return [
        f"scores {path} do not exist; a run of a probe or a recogniser writes them when it ends"
        for path in paths
        if not path.is_file()
    ]
