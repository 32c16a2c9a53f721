from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import MastershotError
from mastershot.models.recognisers.frame_lstm import FrameLSTM, pad_frames
from mastershot.training.engine.epochs import Batch, EpochBatches, EpochModule, fit_epochs
from mastershot.training.engine.metrics_log import read_log
from mastershot.training.engine.settings import EpochSettings, no_progress

SETTINGS = EpochSettings(epochs=3, batch_size=3, patience=2)


def module_of(settings: EpochSettings = SETTINGS, *, steps_per_epoch: int = 1) -> EpochModule:
    network = FrameLSTM(3, 2, hidden=4)
    return EpochModule(network, cross_entropy, settings, steps_per_epoch=steps_per_epoch)


def batch_of(drawn: IntArray) -> Batch:
    """Return items that are their own numbers."""
    return (torch.from_numpy(drawn)[:, None].float(),), torch.from_numpy(drawn)


def drawn(batches: EpochBatches, count: int) -> list[list[int]]:
    return [truth.tolist() for (_, truth), _ in zip(batches, range(count), strict=False)]


def test_the_best_epoch_is_kept_and_training_ends_after_so_many_worse() -> None:
    module = module_of()
    head: Any = module.network.head
    ended = []
    for value, figure in ((1.0, 0.5), (2.0, 0.7), (3.0, 0.7), (4.0, 0.1)):
        with torch.no_grad():
            head.bias.fill_(value)
        module.update_best(figure)
        ended.append(module.is_finished())
    assert module.best.state_dict()["head.bias"].tolist() == [2.0, 2.0]
    assert float(module.best_figure) == 0.7
    assert ended == [False, False, False, True]


def test_without_patience_no_epoch_ends_training() -> None:
    from mastershot.training.engine.epochs import BestEpochModule

    module = BestEpochModule(nn.Linear(1, 1), patience=0)
    for _ in range(50):
        module.update_best(0.0)
    assert not module.is_finished()


def test_the_best_epoch_is_a_copy_that_survives_in_the_state_and_is_not_trained() -> None:
    module = module_of()
    module.update_best(0.0)  # an epoch that got nothing right is still the best so far
    for _ in range(2):
        assert not module.is_finished()
        module.update_best(0.0)
    made: Any = module.configure_optimizers()
    trained = {id(one) for group in made["optimizer"].param_groups for one in group["params"]}
    assert trained == {id(one) for one in module.network.parameters()}
    other = module_of()
    other.load_state_dict(module.state_dict())
    assert other.is_finished()
    other.update_best(0.0)
    for name, weights in module.best.state_dict().items():
        assert torch.equal(other.best.state_dict()[name], weights)
    assert int(other.epochs_since_best) == 3


def test_the_rate_is_halved_every_so_many_epochs() -> None:
    settings = EpochSettings(halve_every=2, learning_rate=1.0)
    made: Any = module_of(settings, steps_per_epoch=3).configure_optimizers()
    rates = []
    for _ in range(13):
        rates.append(made["optimizer"].param_groups[0]["lr"])
        made["optimizer"].step()
        made["lr_scheduler"]["scheduler"].step()
    assert rates == [1.0] * 6 + [0.5] * 6 + [0.25]


def test_the_loss_of_a_batch_is_the_mean_over_shots_each_without_its_padding() -> None:
    module = module_of()
    shots = [np.random.default_rng(n).normal(size=(n, 3)).astype(np.float32) for n in (1, 4, 2)]
    classes = torch.tensor([0, 1, 1])
    module.log = lambda *_: None  # type: ignore[assignment, method-assign]
    frames, lengths = pad_frames(shots)
    frames[0, 1:] = 99.0
    loss = module.training_step(((frames, lengths), classes), 0)
    each = [
        cross_entropy(
            module.network(torch.from_numpy(shot)[None], torch.tensor([len(shot)])), label[None]
        )
        for shot, label in zip(shots, classes, strict=True)
    ]
    assert loss.item() == pytest.approx(torch.stack(each).mean().item(), rel=1e-5)


def test_dropout_depends_on_the_seed_alone_so_that_a_run_can_resume() -> None:
    network = nn.Sequential(nn.Linear(8, 64), nn.Dropout(0.5), nn.Linear(64, 2))

    def loss(seed: int) -> float:
        module = EpochModule(
            network, cross_entropy, EpochSettings(seed=seed), steps_per_epoch=1
        ).train()
        module.log = lambda *_: None  # type: ignore[assignment, method-assign]
        torch.rand(int(torch.randint(1, 99, ())))  # Whatever was drawn before.
        inputs, truth = torch.linspace(0, 1, 24).reshape(3, 8), torch.tensor([0, 1, 0])
        return module.training_step(((inputs,), truth), 0).item()

    assert loss(1) == loss(1)
    assert loss(1) != loss(2)


def test_an_epoch_holds_every_item_once_in_an_order_of_its_own_and_can_be_joined_late() -> None:
    parts = drawn(EpochBatches(7, batch_of, SETTINGS), 6)
    one, other = ([item for part in some for item in part] for some in (parts[:3], parts[3:]))
    assert one != other
    assert sorted(one) == sorted(other) == list(range(7))
    assert drawn(EpochBatches(7, batch_of, SETTINGS, first_step=4), 2) == parts[4:]


@pytest.mark.parametrize(("num_items", "expected"), [(6, [3, 3]), (7, [3, 3, 1]), (2, [2])])
def test_an_epoch_has_as_many_batches_as_it_says(num_items: int, expected: list[int]) -> None:
    batches = EpochBatches(num_items, batch_of, SETTINGS)
    assert batches.steps_per_epoch == len(expected)
    assert [len(part) for part in drawn(batches, 2 * len(expected))] == expected * 2


def test_every_epoch_is_measured_and_noted(tmp_path: Path) -> None:
    figures = iter([0.2, 0.5, 0.4])

    def loss(outputs: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        return binary_cross_entropy_with_logits(outputs[:, 0], (truth > 3).float())

    network = nn.Linear(1, 1)
    module = EpochModule(network, loss, SETTINGS, steps_per_epoch=3)
    batches = EpochBatches(7, batch_of, SETTINGS)
    fit_epochs(module, batches, tmp_path, ("val_map", lambda: next(figures)), no_progress)
    assert [entry["val_map"] for entry in read_log(tmp_path)] == [0.2, 0.5, 0.4]
    assert float(module.best_figure) == 0.5


def test_a_loss_that_is_no_number_ends_training(tmp_path: Path) -> None:
    module = EpochModule(
        nn.Linear(1, 1), lambda outputs, _: outputs.sum() * torch.nan, SETTINGS, steps_per_epoch=3
    )
    batches = EpochBatches(7, batch_of, SETTINGS)
    with pytest.raises(MastershotError, match="the loss of step 1 is nan"):
        fit_epochs(module, batches, tmp_path, ("val_map", lambda: 0.0), no_progress)
