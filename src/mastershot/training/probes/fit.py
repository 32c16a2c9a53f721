"""Probes of the downstream tasks of Movies2Scenes (METHODS B6): one for each seed."""
# N items, D width of a vector, H hidden, C outputs, R seeds

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import SettingError
from mastershot.evaluation.downstream.items import Answers, Kind, Problem, standardised
from mastershot.evaluation.downstream.tasks import Probe
from mastershot.evaluation.precision import average_precisions

MOST_HALVINGS = 10


class Perceptron(nn.Sequential):
    """D → H → H → C with ReLU, and dropout after each hidden layer.

    The paper gives widths and shares of dropout, not where it is; after both is ours.
    """

    def __init__(self, width: int, num_outputs: int, *, hidden: int, dropout: float) -> None:
        super().__init__(
            nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden, num_outputs),
        )  # fmt: skip


def fit_probes(problem: Problem, probe: Probe, seeds: tuple[int, ...]) -> Answers:
    """Return what the probes answer, one trained for each seed.

    Vectors are standardised by those of the training items. A seed settles the weights at the
    start, the order of the items and what dropout leaves out; its probe does not depend on the
    other seeds. It is kept as it was after the epoch that is best on the validation items, of
    equal ones the first. A training whose loss, weights or outputs cease to be finite starts anew
    with half the learning rate.

    Raises:
        SettingError: That is still so after `MOST_HALVINGS`.
    """
    train, (validation, asked) = standardised(
        problem.train[0], problem.validation[0], problem.asked
    )
    fitting = _Fitting(problem, probe, train, validation, asked)
    fitted = [fitting.fit(seed) for seed in seeds]
    return Answers(
        outputs=np.stack([one.outputs for one in fitted]),
        epochs=np.array([one.epoch for one in fitted]),
        validation=np.array([one.validation for one in fitted]),
        learning_rates=np.array([one.learning_rate for one in fitted]),
    )


@dataclass(frozen=True, eq=False)
class _Fitted:
    outputs: FloatArray
    epoch: int
    validation: float
    learning_rate: float


class _Fitting:
    def __init__(
        self, problem: Problem, probe: Probe, train: object, validation: object, asked: object
    ) -> None:
        self._kind, self._num_outputs, self._probe = problem.kind, problem.num_outputs, probe
        self._train, self._validation, self._asked = map(
            torch.as_tensor, (train, validation, asked)
        )
        self._targets = _tensor(problem.kind, problem.train[1])
        self._truth = problem.validation[1]

    def fit(self, seed: int) -> _Fitted:
        """Return what a probe answers, from its best epoch."""
        with torch.random.fork_rng(devices=[]):
            for halvings in range(MOST_HALVINGS + 1):
                torch.manual_seed(seed)
                fitted = self._fit(self._probe.learning_rate / 2**halvings)
                if fitted is not None:
                    return fitted
        raise SettingError(
            f"learning_rate is {self._probe.learning_rate:g}; with it, and halved "
            f"{MOST_HALVINGS} times, a probe's loss, weights or outputs do not stay finite numbers"
        )

    def _fit(self, learning_rate: float) -> _Fitted | None:
        """Return what a probe answers; None if something ceases to be finite."""
        probe = self._probe
        network = Perceptron(
            self._train.shape[1], self._num_outputs, hidden=probe.hidden, dropout=probe.dropout
        )
        optimizer = torch.optim.SGD(network.parameters(), lr=learning_rate, foreach=True)
        best: _Fitted | None = None
        for epoch in range(1, probe.epochs + 1):
            network.train()
            for rows in torch.split(torch.randperm(len(self._train)), probe.batch_size):
                loss = _loss(self._kind, network(self._train[rows]), self._targets[rows])
                if not loss.isfinite():
                    return None
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            network.eval()
            with torch.inference_mode():
                outputs = network(self._validation).numpy()
                if not (np.isfinite(outputs).all() and _are_finite(network)):
                    return None
                figure = validation_figure(self._kind, outputs, self._truth)
                if best is None or _is_better(self._kind, figure, best.validation):
                    answers = network(self._asked).numpy()
                    if not np.isfinite(answers).all():
                        return None
                    best = _Fitted(answers, epoch, figure, learning_rate)
                elif epoch - best.epoch >= probe.patience:
                    break
        return best


def _are_finite(network: nn.Module) -> bool:
    return all(bool(weights.isfinite().all()) for weights in network.parameters())


def validation_figure(kind: Kind, outputs: np.ndarray, truth: np.ndarray) -> float:
    """Return accuracy of classes, mean squared error of values, or mAP of tags."""
    if kind == "class":
        return float((outputs.argmax(axis=1) == truth).mean())
    if kind == "value":
        return float(np.square(outputs[:, 0] - truth).mean())
    return float(np.nanmean(average_precisions(outputs, truth)))


def _is_better(kind: Kind, figure: float, best: float) -> bool:
    return figure < best if kind == "value" else figure > best


def _loss(kind: Kind, outputs: Tensor, targets: Tensor) -> Tensor:
    if kind == "class":
        return functional.cross_entropy(outputs, targets)
    if kind == "value":
        return functional.mse_loss(outputs[:, 0], targets)
    return functional.binary_cross_entropy_with_logits(outputs, targets)


def _tensor(kind: Kind, targets: np.ndarray) -> Tensor:
    return torch.as_tensor(targets, dtype=torch.int64 if kind == "class" else torch.float32)
