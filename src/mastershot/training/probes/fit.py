"""Probes of the downstream tasks of Movies2Scenes (METHODS B6): one for each seed."""
# N items, D width of a vector, H hidden, C outputs, R seeds

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mastershot.core.errors import SettingError
from mastershot.evaluation.downstream.items import Answers, Kind, Problem, standardised
from mastershot.evaluation.downstream.tasks import Probe
from mastershot.evaluation.precision import average_precisions


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
    equal ones the first.

    Raises:
        SettingError: A probe gave no finite output after any epoch.
    """
    train, (validation, asked) = standardised(
        problem.train[0], problem.validation[0], problem.asked
    )
    fitting = _Fitting(problem, probe, train, validation, asked)
    fitted = [fitting.fit(seed) for seed in seeds]
    outputs, epochs, figures = zip(*fitted, strict=True)
    return Answers(np.stack(outputs), np.array(epochs), np.array(figures))


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

    def fit(self, seed: int) -> tuple[np.ndarray, int, float]:
        """Return a probe's outputs for what is asked, its epoch, and its validation figure."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self._fit()

    def _fit(self) -> tuple[np.ndarray, int, float]:
        probe = self._probe
        network = Perceptron(
            self._train.shape[1], self._num_outputs, hidden=probe.hidden, dropout=probe.dropout
        )
        optimizer = torch.optim.SGD(network.parameters(), lr=probe.learning_rate, foreach=True)
        best: tuple[np.ndarray, int, float] | None = None
        for epoch in range(1, probe.epochs + 1):
            network.train()
            for rows in torch.split(torch.randperm(len(self._train)), probe.batch_size):
                loss = _loss(self._kind, network(self._train[rows]), self._targets[rows])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            network.eval()
            with torch.inference_mode():
                outputs = network(self._validation).numpy()
                if not np.isfinite(outputs).all():
                    break
                figure = validation_figure(self._kind, outputs, self._truth)
                if best is None or _is_better(self._kind, figure, best[2]):
                    best = network(self._asked).numpy(), epoch, figure
                elif epoch - best[1] >= probe.patience:
                    break
        if best is None:
            raise SettingError(
                f"learning_rate is {probe.learning_rate:g}; with it a probe's outputs are not "
                "finite numbers after one epoch"
            )
        return best


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
