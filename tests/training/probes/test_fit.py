from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, average_precision_score, mean_squared_error
from torch import nn

from mastershot.core.errors import SettingError
from mastershot.evaluation.downstream.items import Kind, Problem
from mastershot.evaluation.downstream.tasks import Probe
from mastershot.training.probes.fit import Perceptron, fit_probes, validation_figure

PROBE = Probe(learning_rate=0.1, batch_size=16, epochs=30, dropout=0.1, hidden=16, patience=30)


def problem(kind: Kind, seed: int = 0, *, scale: float = 1.0) -> tuple[Problem, np.ndarray]:
    """Return a problem that can be learnt, and the truth of what is asked."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(180, 6)).astype(np.float32)
    if kind == "class":
        targets = vectors[:, :3].argmax(1)
    elif kind == "value":
        targets = (vectors[:, 0] - vectors[:, 1]).astype(np.float64)
    else:
        targets = vectors[:, :3] > 0
    vectors = vectors * scale + 5
    parts = [(vectors[rows], targets[rows]) for rows in np.split(np.arange(180), [120, 150])]
    return Problem(kind, 1 if kind == "value" else 3, parts[0], parts[1], parts[2][0]), parts[2][1]


@pytest.mark.parametrize("kind", ["class", "value", "tags"])
def test_a_probe_learns_what_can_be_learnt_at_any_scale(kind: Kind) -> None:
    asked, truth = problem(kind, scale=1000)
    answers = fit_probes(asked, PROBE, (0, 1))
    assert answers.outputs.shape == (2, 30, asked.num_outputs)
    for outputs, validation in zip(answers.outputs, answers.validation, strict=True):
        figure = validation_figure(kind, outputs, truth)
        assert figure < 0.5 if kind == "value" else figure > 0.7
        assert validation < 0.5 if kind == "value" else validation > 0.7


def test_a_seed_gives_the_same_probe_whatever_the_others_are() -> None:
    asked, _ = problem("class")
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    three = fit_probes(asked, PROBE, (0, 1, 2))
    assert (torch.random.get_rng_state() == before).all()
    alone = fit_probes(asked, PROBE, (1,))
    assert (three.outputs[1] == alone.outputs[0]).all()
    assert (three.outputs[0] != three.outputs[1]).any()


def test_the_first_of_equally_good_epochs_is_kept_and_training_stops_after_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures = iter([0.2, 0.5, 0.5, 0.4, 0.5, 0.9])
    monkeypatch.setattr(
        "mastershot.training.probes.fit.validation_figure", lambda *_: next(figures)
    )
    asked, _ = problem("class")
    found = fit_probes(asked, Probe(0.1, 16, 30, 0.1, hidden=8, patience=3), (0,))
    assert (found.epochs.tolist(), found.validation.tolist()) == ([2], [0.5])
    assert next(figures) == 0.9  # Was never asked for.


def test_validation_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    outputs, classes = rng.normal(size=(40, 3)).astype(np.float32), rng.integers(0, 3, 40)
    assert validation_figure("class", outputs, classes) == accuracy_score(
        classes, outputs.argmax(1)
    )
    values = rng.normal(size=40)
    assert validation_figure("value", outputs[:, :1], values) == pytest.approx(
        mean_squared_error(values, outputs[:, 0].astype(float))
    )
    tags = rng.random((40, 3)) < [0.3, 0.5, 0]
    expected = np.mean([average_precision_score(tags[:, c], outputs[:, c]) for c in (0, 1)])
    assert validation_figure("tags", outputs, tags) == pytest.approx(expected)


def test_a_rate_with_which_training_diverges_is_halved_until_it_does_not() -> None:
    asked, _ = problem("value")
    steep = fit_probes(asked, replace(PROBE, learning_rate=64.0), (0,))
    rate = steep.learning_rates[0]
    assert rate in [64 / 2**halvings for halvings in range(1, 11)]
    alone = fit_probes(asked, replace(PROBE, learning_rate=rate), (0,))
    assert (alone.outputs == steep.outputs).all()
    assert fit_probes(asked, PROBE, (0, 1)).learning_rates.tolist() == [0.1, 0.1]
    with pytest.raises(SettingError, match=r"learning_rate is 1e\+30; with it, and halved 10 t"):
        fit_probes(asked, replace(PROBE, learning_rate=1e30), (0,))


def test_a_loss_that_is_no_number_ends_the_training_though_outputs_are_finite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "mastershot.training.probes.fit._loss", lambda _, outputs, __: 0 * outputs.sum() + torch.nan
    )
    asked, _ = problem("class")
    with pytest.raises(SettingError, match="loss, weights or outputs do not stay finite numbers"):
        fit_probes(asked, PROBE, (0,))


def test_weights_that_are_infinite_end_the_training_though_outputs_are_finite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Overflowing(Perceptron):
        def __init__(self, *sizes: int, **settings: float) -> None:
            super().__init__(*sizes, **settings)  # type: ignore[arg-type]
            bias = self[0].bias
            assert isinstance(bias, torch.Tensor)
            bias.register_hook(lambda gradient: torch.full_like(gradient, torch.inf))

    monkeypatch.setattr("mastershot.training.probes.fit.Perceptron", Overflowing)
    asked, _ = problem("class")
    with pytest.raises(SettingError, match="loss, weights or outputs do not stay finite numbers"):
        fit_probes(asked, PROBE, (0,))


def test_answers_that_are_not_finite_are_not_given() -> None:
    asked, _ = problem("class")
    vectors = asked.asked.copy()
    vectors[0] = 3e38
    with pytest.raises(SettingError, match="loss, weights or outputs do not stay finite numbers"):
        fit_probes(replace(asked, asked=vectors), PROBE, (0,))


def test_the_network_has_the_weights_the_paper_counts() -> None:
    network = Perceptron(768, 4, hidden=512, dropout=0.5)
    assert sum(weights.numel() for weights in network.parameters()) == 658_436  # ~0.7 M.
    assert [type(layer) for layer in network].count(nn.Dropout) == 2
