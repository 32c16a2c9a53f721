"""What Movies2Scenes is told, stage by stage. Light to import: no tensor is here.

Defaults are the paper's (METHODS B1 to B5); those it does not publish are ours, and marked so.
"""

import math
from dataclasses import dataclass, field

from mastershot.training.engine.settings import AugmentationSettings, require, require_one_of
from mastershot.training.movies2scenes.settings.shots import ShotSource

NETWORKS = ("vit", "features")
POSITIVES = ("similar", "same", "nearest")
NEGATIVES = ("queue", "batch")
VIEWS = ("plain", "augmented")


@dataclass(frozen=True)
class ContrastiveSettings:
    """How an encoder learns which of two belong together (B5).

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
        views: ``plain``, or ``augmented``: each look is cropped and recoloured, or for features
            disturbed by noise and dropout.
        noise: Of distorted features: standard deviation added, as a share of each feature's own.
        dropout: Of distorted features: share of dimensions set to 0.
        augmentation: How keyframes are distorted.
        max_steps: Stop after so many steps; 0 is after all epochs.
        seed: Seed of weights, order and views.
    """

    epochs: int = 100
    batch_size: int = 128
    micro_batch: int = 0
    learning_rate: float = 1.5e-4
    weight_decay: float = 0.01
    warmup_epochs: float = 40.0
    queue: int = 65_536
    momentum: float = 0.999
    temperature: float = 0.07
    projection: int = 128
    negatives: str = "queue"
    views: str = "plain"
    noise: float = 0.5
    dropout: float = 0.2
    augmentation: AugmentationSettings = field(
        default_factory=lambda: AugmentationSettings(mixed_share=0.0)
    )
    max_steps: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.epochs >= 1, f"epochs is {self.epochs}; train for one epoch at least")
        require(self.batch_size >= 2, f"batch_size is {self.batch_size}; a batch needs 2 queries")
        require(
            self.micro_batch >= 0 and (not self.micro_batch or self.negatives == "queue"),
            f"micro_batch is {self.micro_batch}; it is 0, or some queries against a queue: with "
            "negatives from the batch, the batch is computed at once",
        )
        require_one_of("negatives", self.negatives, NEGATIVES)
        require_one_of("views", self.views, VIEWS)
        for name in ("learning_rate", "temperature"):
            value = getattr(self, name)
            require(0 < value < math.inf, f"{name} is {value:g}; it is above 0")
        for name in ("weight_decay", "warmup_epochs", "noise"):
            value = getattr(self, name)
            require(0 <= value < math.inf, f"{name} is {value:g}; it is not below 0")
        require(0 <= self.momentum <= 1, f"momentum is {self.momentum:g}; it is in [0, 1]")
        require(0 <= self.dropout < 1, f"dropout is {self.dropout:g}; it is in [0, 1)")
        require(self.queue >= 1, f"queue is {self.queue}; it has one entry at least")
        require(self.projection >= 1, f"projection is {self.projection}; it is at least 1")
        require(self.max_steps >= 0, f"max_steps is {self.max_steps}; 0 is no limit")
        require(0 <= self.seed < 2**31, f"seed is {self.seed}; it is in [0, 2^31)")


@dataclass(frozen=True)
class NetworkSettings:
    """The transformer of an encoder; the defaults are ViT-B/16 at 128².

    Attributes:
        network: ``vit`` sees keyframes; ``features`` sees one cached feature a shot.
        width: Width of a token and of the representation.
        depth: Number of layers.
        heads: Attention heads a layer.
        patch_px: Side of a patch of a keyframe.
        init: Folder of a ViT or CLIP checkpoint whose weights, and shape, a ``vit`` starts from;
            empty is random weights.
        padded: Of ``features``: scenes differ in length, and rows of zeros at their end are none.
    """

    network: str = "vit"
    width: int = 768
    depth: int = 12
    heads: int = 12
    patch_px: int = 16
    init: str = ""
    padded: bool = False

    def __post_init__(self) -> None:
        require_one_of("network", self.network, NETWORKS)
        require(not self.init or self.network == "vit", "init is of a vit; features have none")
        require(
            not self.padded or self.network == "features",
            "padded is of features; scenes of keyframes have one length",
        )
        require(
            min(self.depth, self.heads, self.patch_px) >= 1, "depth, heads, patch_px: 1 or more"
        )
        require(
            self.width >= 1 and self.width % self.heads == 0,
            f"width {self.width} is not a multiple of {self.heads} heads",
        )


@dataclass(frozen=True)
class LogSettings:
    """When a run writes its figures down, and its state.

    Attributes:
        report_every: Steps between two lines of the log.
        save_every: Steps between two checkpoints.
        labels: A CSV with columns ``movie``, ``first_shot`` and ``label``: scenes, or shots, whose
            labels the nearest ones of other films are asked for (k-NN probe); empty for none.
        neighbours: Neighbours asked, k.
    """

    report_every: int = 50
    save_every: int = 500
    labels: str = ""
    neighbours: int = 20

    def __post_init__(self) -> None:
        require(self.report_every >= 1 and self.save_every >= 1, "report and save every 1 or more")
        require(self.neighbours >= 1, f"neighbours is {self.neighbours}; ask one at least")


@dataclass(frozen=True)
class ShotContrastRecipe:
    """A shot encoder from scratch: a shot's neighbours in its film are its positives (B1).

    Attributes:
        shots: Keyframes, one a shot.
        network: The encoder.
        output: Width of a shot's feature.
        reach: The positives are so many shots before and after (Eq. 1).
        query_share: Share of shots that form queries.
        training: How it learns; of this stage unpublished, so ours is that of B5.
        log: When figures and state are written.
        data: Folder that paths start from.
        name: What the encoder is called.
    """

    shots: ShotSource
    network: NetworkSettings = field(default_factory=NetworkSettings)
    output: int = 512
    reach: int = 2
    query_share: float = 0.3
    training: ContrastiveSettings = field(default_factory=ContrastiveSettings)
    log: LogSettings = field(default_factory=LogSettings)
    data: str = "."
    name: str = "shot-encoder"

    def __post_init__(self) -> None:
        require(
            self.shots.content == "keyframes", "a shot encoder sees keyframes; set shots.content"
        )
        require(self.network.network == "vit", "a shot encoder's network is vit")
        require(self.reach >= 1, f"reach is {self.reach}; it is 1 or more")
        require(0 < self.query_share <= 1, f"query_share is {self.query_share:g}, not in (0, 1]")
        require(self.output >= 1, f"output is {self.output}; it is at least 1")


@dataclass(frozen=True)
class SceneContrastRecipe:
    """A scene encoder: a scene's partner in a similar film is its positive (B5).

    Attributes:
        shots: Features or keyframes.
        pairs: The file of scene pairs.
        network: The encoder.
        training: How it learns.
        log: When figures and state are written.
        data: Folder that paths start from.
        name: What the encoder is called.
    """

    shots: ShotSource
    pairs: str
    network: NetworkSettings = field(default_factory=NetworkSettings)
    training: ContrastiveSettings = field(default_factory=ContrastiveSettings)
    log: LogSettings = field(default_factory=LogSettings)
    data: str = "."
    name: str = "scene-encoder"

    def __post_init__(self) -> None:
        wanted = "keyframes" if self.network.network == "vit" else "features"
        require(
            self.shots.content == wanted,
            f"network {self.network.network} sees {wanted}; shots.content is {self.shots.content}",
        )
