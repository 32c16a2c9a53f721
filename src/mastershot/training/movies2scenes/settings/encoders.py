"""Settings of the shots and of the two encoders. Light to import: no tensor is here.

Defaults are the paper's (METHODS B1 to B5); those it does not publish are ours, and marked so.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

from mastershot.core.settings import (
    Count,
    CountOrNone,
    NotNegative,
    Positive,
    Range,
    Seed,
    Settings,
    Share,
    Text,
    require,
)
from mastershot.training.engine.settings import AugmentationSettings, under


@dataclass(frozen=True)
class ShotSource(Settings):
    """Where shots come from.

    Attributes:
        path: A folder of ``<movie>.npy``, one row a shot; an ``.npz`` with one array a movie; a
            library (``NAME.mastershot``); or, for keyframes, a film or a folder of films.
        content: ``features`` (a vector a shot) or ``keyframes`` (pictures of a shot).
        encoder: Of a library with vectors of several encoders, the one to take.
        pooling: A library's shot feature: the ``mean`` of its sampled frames, or the ``middle``
            one, as Movies2Scenes has it.
        frames_per_shot: Keyframes a shot, k, evenly spaced; 1 is the middle one.
        image_px: Side of a keyframe.
        names: What a library's films are called in the run: the stem of their ``file``, or ``id``.
            Metadata may call them by any of their names.
    """

    path: Text
    content: Literal["features", "keyframes"] = "features"
    encoder: str = ""
    pooling: Literal["mean", "middle"] = "mean"
    frames_per_shot: Annotated[int, Range(1, 50)] = 1
    image_px: Annotated[int, Range(16, 1024)] = 128
    names: Literal["file", "id"] = "file"


@dataclass(frozen=True)
class ContrastiveSettings(Settings):
    """How an encoder is trained by contrast (B5).

    Attributes:
        epochs: Times each positive pair is seen.
        batch_size: Queries a step, B, over all devices.
        micro_batch: Queries computed at once on a device, to fit memory; 0 is all. The step is the
            same.
        learning_rate: Of AdamW after the warm-up; a cosine then takes it to 0 (ours).
        weight_decay: Of AdamW.
        warmup_epochs: Epochs in which the learning rate rises.
        queue: Entries of the queue, Q; at most a quarter of the distinct keys there are.
        momentum: Share of itself that the key encoder keeps each step, m.
        temperature: Similarities are divided by it, τ.
        projection: Width of the space that is compared in.
        negatives: ``queue``, or ``batch``: the other pairs of the batch, as in SimCLR.
        views: ``plain``, or ``augmented``: each view is cropped and recoloured, or for features
            disturbed by noise and dropout.
        noise: Of augmented features: standard deviation added, as a share of each feature's own.
        dropout: Of augmented features: share of dimensions set to 0.
        augmentation: How keyframes are augmented.
        max_steps: Stop after so many steps; 0 is after all epochs.
        seed: Seed of weights, sampler and views.
    """

    epochs: Count = 100
    batch_size: Annotated[int, Range(2)] = 128
    micro_batch: CountOrNone = 0
    learning_rate: Positive = 1.5e-4
    weight_decay: NotNegative = 0.01
    warmup_epochs: NotNegative = 40.0
    queue: Count = 65_536
    momentum: Share = 0.999
    temperature: Positive = 0.07
    projection: Count = 128
    negatives: Literal["queue", "batch"] = "queue"
    views: Literal["plain", "augmented"] = "plain"
    noise: NotNegative = 0.5
    dropout: Annotated[float, Range(0, 1, "[)")] = 0.2
    augmentation: AugmentationSettings = field(
        default_factory=lambda: AugmentationSettings(mixed_share=0.0)
    )
    max_steps: CountOrNone = 0
    seed: Seed = 0

    def _check(self) -> None:
        require(
            not self.micro_batch or self.negatives == "queue",
            f"micro_batch is {self.micro_batch}; it must be 0 with negatives from the batch, which "
            "is then computed at once",
        )


@dataclass(frozen=True)
class NetworkSettings(Settings):
    """The transformer of an encoder; the defaults are ViT-B/16 at 128².

    Attributes:
        network: ``vit`` sees keyframes; ``features`` sees one cached feature a shot.
        backbone: Of a scene encoder that sees keyframes: ``vit``, or ``mvit_v2_s``, whose 16 blocks
            pool and widen by stages; of the settings below it reads ``width`` and ``init``.
        width: Width of a token and of the representation; of ``mvit_v2_s``, of its last stage.
        depth: Number of layers.
        heads: Attention heads a layer.
        patch_px: Side of a patch of a keyframe.
        init: Folder of a ViT or CLIP checkpoint whose weights, and shape, a ``vit`` starts from, or
            file of one of ``mvit_v2_s`` by torchvision's or SlowFast's names; empty is random
            weights.
        padded: Of ``features``: scenes differ in length, and rows of zeros at their end are none.
    """

    network: Literal["vit", "features"] = "vit"
    backbone: Literal["vit", "mvit_v2_s"] = field(default="vit", kw_only=True)
    width: Count = 768
    depth: Count = 12
    heads: Count = 12
    patch_px: Count = 16
    init: str = ""
    padded: bool = False

    def _check(self) -> None:
        vit = self.network == "vit"
        require(vit or not self.init, "init is of a vit; network is features, which has none")
        require(
            not (vit and self.padded), "padded is of features; scenes of keyframes have one length"
        )
        mvit = self.backbone == "mvit_v2_s"
        require(vit or not mvit, "backbone mvit_v2_s sees keyframes; set network to vit")
        require(
            not mvit or self.width % 8 == 0,
            f"width is {self.width}; of mvit_v2_s it must be a multiple of 8",
        )
        require(
            mvit or self.width % self.heads == 0,
            f"width is {self.width}; it must be a multiple of the {self.heads} heads",
        )


@dataclass(frozen=True)
class LogSettings(Settings):
    """When a run writes its figures down, and its state.

    Attributes:
        report_every: Steps between two lines of the log.
        save_every: Steps between two checkpoints.
        labels: A CSV with columns ``movie``, ``first_shot`` and ``label``: scenes, or shots, whose
            labels the nearest ones of other films predict (k-NN probe); empty for none.
        neighbours: Neighbours that vote, k.
    """

    report_every: Count = 50
    save_every: Count = 500
    labels: str = ""
    neighbours: Count = 20


_FILES = (
    "similarity", "similarity.viewing_log", "similarity.movies", "similarity.movielens",
    "similarity.lvu", "pairs", "movie_encoder", "log.labels", "network.init", "shot_network.init",
)  # fmt: skip


@dataclass(frozen=True)
class StageRecipe(Settings):
    """What every stage has.

    Attributes:
        shots: The shots of a library.
        data: Folder that paths start from.
    """

    shots: ShotSource
    data: str = field(default=".", kw_only=True)

    @property
    def source(self) -> ShotSource:
        """The source of shots with its path as it is from here."""
        return replace(self.shots, path=str(self.path(self.shots.path)))

    def path(self, text: str) -> Path:
        """Return where a path of the recipe is."""
        return under(self.data, text)

    def missing(self) -> list[str]:
        """Return a sentence for each input that does not exist."""
        problems, shots = [], self.source.path
        if not Path(shots).exists():
            problems += [
                f"shots {shots} do not exist; name a library, a folder of .npy, an .npz or films"
            ]
        for name in _FILES:
            value: object = self
            for key in name.split("."):
                value = getattr(value, key, None)
            if isinstance(value, str) and value and not self.path(value).exists():
                problems.append(f"{name} {self.path(value)} does not exist")
        return problems

    def _require_content(self, wanted: str, user: str) -> None:
        content = self.shots.content
        require(content == wanted, f"shots.content is {content}; {user} sees {wanted}")


@dataclass(frozen=True)
class TrainingRecipe(StageRecipe):
    """A stage that trains.

    Attributes:
        log: When metrics and checkpoints are written.
    """

    log: LogSettings = field(default_factory=LogSettings, kw_only=True)


@dataclass(frozen=True)
class ShotContrastRecipe(TrainingRecipe):
    """A shot encoder from scratch: a shot's neighbours in its film are its positives (B1).

    Attributes:
        network: The encoder.
        output: Width of a shot's feature.
        reach: The positives are so many shots before and after (Eq. 1).
        query_share: Share of shots that form queries.
        training: How it is trained; of this stage unpublished, so ours is that of B5.
        name: What the encoder is called.
    """

    network: NetworkSettings = field(default_factory=NetworkSettings)
    output: Count = 512
    reach: Count = 2
    query_share: Annotated[float, Range(0, 1, "(]")] = 0.3
    training: ContrastiveSettings = field(default_factory=ContrastiveSettings)
    name: str = "shot-encoder"

    def _check(self) -> None:
        self._require_content("keyframes", "a shot encoder")
        kind = self.network.network
        require(kind == "vit", f"network.network is {kind}; a shot encoder's must be vit")
        backbone = self.network.backbone
        require(backbone == "vit", f"network.backbone is {backbone}; a shot encoder's must be vit")


@dataclass(frozen=True)
class SceneContrastRecipe(TrainingRecipe):
    """A scene encoder: a scene's partner in a similar film is its positive (B5).

    Attributes:
        pairs: The file of scene pairs.
        network: The encoder.
        training: How it is trained.
        name: What the encoder is called.
    """

    pairs: str
    network: NetworkSettings = field(default_factory=NetworkSettings)
    training: ContrastiveSettings = field(default_factory=ContrastiveSettings)
    name: str = "scene-encoder"

    def _check(self) -> None:
        kind = self.network.network
        self._require_content("keyframes" if kind == "vit" else "features", f"network {kind}")
