"""What a recogniser says of whole splits, during training and for good."""
# N shots, C classes

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor, nn

from mastershot.core.embeddings import FloatArray
from mastershot.core.labels import Taxonomy
from mastershot.datasets.movieclip import clip_of_video
from mastershot.datasets.tables.tag_scores import TagScores
from mastershot.evaluation.precision import average_precisions
from mastershot.models.recognisers.build import RecogniserRow, normalise_clips
from mastershot.training.engine import distributed
from mastershot.training.engine.metrics_log import MetricsLog
from mastershot.training.tagging.batches import ShotInputs, read_inputs, truth_of
from mastershot.training.tagging.module import TaggingModule
from mastershot.training.tagging.shots import TaggedShot


@dataclass(frozen=True, eq=False)
class Split:
    """The shots of a split and what reads them."""

    shots: Sequence[TaggedShot]
    source: ShotInputs


@dataclass(frozen=True, eq=False)
class SplitScores:
    """What a network says of the shots of a split that could be read.

    Attributes:
        scores: Probability of each label, (N, C).
        truth: Which labels the shots have, (N, C).
        shots: Those shots.
        problems: Why the others could not be read, by place in the split.
    """

    scores: FloatArray
    truth: FloatArray
    shots: Sequence[TaggedShot]
    problems: Mapping[int, str]

    @property
    def mean_precision(self) -> float:
        """Mean average precision over the labels that a shot has (METHODS D); 0 if there is none.

        What a network that yields no numbers says counts as 0 too.
        """
        if not self.truth.any() or not np.isfinite(self.scores).all():
            return 0.0
        return float(np.nanmean(average_precisions(self.scores, self.truth > 0)))


@torch.no_grad()
def score_split(
    network: nn.Module, row: RecogniserRow, split: Split, *, batch_size: int, num_classes: int
) -> SplitScores:
    """Return a network's scores of a split, on the network's own device, as in inference.

    Several devices share the shots. The network comes back as it was, in training or not.
    """
    device, was_training = next(network.parameters()).device, network.training
    own = range(len(split.shots))[distributed.own_rows(len(split.shots))]
    # Row by row: its scores, and 1 where the shot could be read.
    rows = torch.zeros(len(own), num_classes + 1)
    problems: dict[int, str] = {}
    network.eval()
    for first in range(0, len(own), batch_size):
        places = list(own[first : first + batch_size])
        inputs, found, unread = read_inputs(split.source, places)
        problems |= unread
        if found:
            logits = network(*_as_seen(inputs, row, device))
            read = torch.tensor(found) + first
            rows[read, :-1] = logits.float().sigmoid().cpu()
            rows[read, -1] = 1
    network.train(was_training)
    everywhere = distributed.gather_rows(rows, len(split.shots))
    was_read = np.flatnonzero(everywhere[:, -1].numpy() > 0)
    shots = [split.shots[place] for place in was_read.tolist()]
    truth = truth_of(shots, num_classes).numpy()
    return SplitScores(everywhere[:, :-1].numpy()[was_read], truth, shots, problems)


def tag_scores(scored: SplitScores, classes: Taxonomy, made_by: Mapping[str, object]) -> TagScores:
    """Return scores as they are written to a file; a clip counts as a film of its own."""
    videos = tuple(shot.video for shot in scored.shots)
    return TagScores(
        scores=scored.scores,
        truth=scored.truth > 0,
        videos=videos,
        files=tuple(shot.file for shot in scored.shots),
        films=tuple(map(clip_of_video, videos)),
        classes=classes.labels,
        made_by=made_by,
    )


class EachEpoch(Callback):
    """Scores the validation shots after every epoch, keeps the best weights, and ends early."""

    def __init__(
        self, split: Split, row: RecogniserRow, log: MetricsLog, *, every: int, **sizes: int
    ) -> None:
        """Take the validation split, steps of an epoch, and the sizes of `score_split`."""
        self._split, self._row, self._log = split, row, log
        self._every, self._sizes = every, sizes
        self._step = -1

    def on_train_start(self, trainer: Trainer, *_: object) -> None:
        """Note where a run resumes: its last epoch was scored before it was saved."""
        self._step = trainer.global_step

    def on_train_batch_end(self, trainer: Trainer, module: TaggingModule, *_: object) -> None:  # type: ignore[override]
        """Score the validation shots if the step was an epoch's last."""
        step = trainer.global_step
        if step == self._step or step % self._every:
            return
        self._step = step
        scored = score_split(module.network, self._row, self._split, **self._sizes)
        figure = scored.mean_precision
        module.update_best(figure)
        trainer.should_stop = trainer.should_stop or module.is_finished()
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        epoch = {"epoch": step // self._every, "learning_rate": rate, "val_map": figure}
        self._log.note(step, {**figures, **epoch})
        for logger in trainer.loggers:
            logger.log_metrics({"val_map": figure}, step)


def _as_seen(
    inputs: tuple[Tensor, ...], row: RecogniserRow, device: torch.device
) -> tuple[Tensor, ...]:
    moved = tuple(tensor.to(device) for tensor in inputs)
    return moved if row.reads == "vectors" else (normalise_clips(moved[0], row),)
