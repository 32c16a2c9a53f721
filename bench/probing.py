"""Linear probes of representations, and the log that keeps what each run measured."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy


def logistic_classifier(
    points: torch.Tensor,
    truth: torch.Tensor,
    *,
    num_classes: int,
    penalty: float,
    max_iter: int = 100,
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function from points (N, D) to classes (N,): logistic regression by L-BFGS."""
    weight = torch.zeros(points.shape[1], num_classes, requires_grad=True)
    bias = torch.zeros(num_classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=max_iter, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = cross_entropy(points @ weight + bias, truth) + penalty / 2 * weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return lambda others: (others @ weight + bias).argmax(1)


def as_text(right: np.ndarray) -> str:
    """Return which answers are right as zeros and ones."""
    return "".join("01"[int(one)] for one in right)


def add_result(path: Path, row: dict[str, object]) -> None:
    """Append a row to a log in JSON lines."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def read_results(path: Path) -> list[dict]:
    """Return the rows of a log, none where it does not exist."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]
