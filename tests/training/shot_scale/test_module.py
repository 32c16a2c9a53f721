from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from mastershot.models.recognisers.frame_lstm import FrameLSTM, pad_frames
from mastershot.training.shot_scale.module import ShotScaleModule, ShuffledShots
from mastershot.training.shot_scale.settings import ScaleTrainingSettings

TRAINING = ScaleTrainingSettings(hidden=8, epochs=3, batch_size=8)


def test_the_best_epoch_is_kept_not_the_last() -> None:
    training = ShotScaleModule(FrameLSTM(3, 2, hidden=4), TRAINING, steps_per_epoch=1)
    weight = training.network.head.bias
    for value, accuracy in ((1.0, 0.5), (2.0, 0.7), (3.0, 0.7), (4.0, 0.1)):
        with torch.no_grad():
            weight.fill_(value)
        training.update_best(accuracy)
    assert training.best.head.bias.tolist() == [2.0, 2.0]
    assert float(training.best_figure) == 0.7
    assert int(training.epochs_since_best) == 2
    assert not training.is_finished()


def test_the_rate_is_halved_every_so_many_epochs() -> None:
    settings = ScaleTrainingSettings(halve_every=2, learning_rate=1.0)
    training = ShotScaleModule(FrameLSTM(3, 2, hidden=4), settings, steps_per_epoch=3)
    made: Any = training.configure_optimizers()
    rates = []
    for _ in range(13):
        rates.append(made["optimizer"].param_groups[0]["lr"])
        made["optimizer"].step()
        made["lr_scheduler"]["scheduler"].step()
    assert rates == [1.0] * 6 + [0.5] * 6 + [0.25]


def test_an_epoch_holds_every_shot_once_in_an_order_of_its_own_and_can_be_joined_late() -> None:
    shots = [np.full((1 + i % 3, 2), i, np.float32) for i in range(7)]
    settings = ScaleTrainingSettings(batch_size=3)
    endless = iter(ShuffledShots(shots, np.arange(7), settings))
    drawn = [next(endless) for _ in range(6)]
    epochs = [torch.cat([batch[2] for batch in drawn[i : i + 3]]).tolist() for i in (0, 3)]
    assert epochs[0] != epochs[1]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(7))
    for frames, lengths, classes in drawn:
        assert frames[:, 0, 0].tolist() == classes.tolist()
        assert lengths.tolist() == [1 + i % 3 for i in classes.tolist()]
    late = next(iter(ShuffledShots(shots, np.arange(7), settings, first_step=4)))
    assert late[2].tolist() == drawn[4][2].tolist()


def test_the_loss_of_a_batch_is_the_mean_over_shots_each_without_its_padding() -> None:
    network = FrameLSTM(3, 2, hidden=4)
    module = ShotScaleModule(network, TRAINING, steps_per_epoch=1)
    shots = [np.random.default_rng(n).normal(size=(n, 3)).astype(np.float32) for n in (1, 4, 2)]
    classes = torch.tensor([0, 1, 1])
    module.log = lambda *_: None  # type: ignore[assignment, method-assign]
    frames, lengths = pad_frames(shots)
    frames[0, 1:] = 99.0
    loss = module.training_step((frames, lengths, classes), 0)
    each = [
        cross_entropy(network(torch.from_numpy(shot)[None], torch.tensor([len(shot)])), label[None])
        for shot, label in zip(shots, classes, strict=True)
    ]
    assert loss.item() == pytest.approx(torch.stack(each).mean().item(), rel=1e-5)


def test_the_best_epoch_is_a_copy_that_survives_in_the_state_and_is_not_trained() -> None:
    settings = ScaleTrainingSettings(patience=2)
    module = ShotScaleModule(FrameLSTM(3, 2, hidden=4), settings, steps_per_epoch=1)
    module.update_best(0.0)  # an epoch that got nothing right is still the best so far
    for _ in range(2):
        assert not module.is_finished()
        module.update_best(0.0)
    made: Any = module.configure_optimizers()
    trained = {id(one) for group in made["optimizer"].param_groups for one in group["params"]}
    assert trained == {id(one) for one in module.network.parameters()}
    other = ShotScaleModule(FrameLSTM(3, 2, hidden=4), settings, steps_per_epoch=1)
    other.load_state_dict(module.state_dict())
    assert other.is_finished()
    other.update_best(0.0)
    assert torch.equal(other.best.head.weight, module.best.head.weight)
    assert int(other.epochs_since_best) == 3


@pytest.mark.parametrize(("num_shots", "expected"), [(6, [3, 3]), (7, [3, 3, 1]), (2, [2])])
def test_an_epoch_has_as_many_batches_as_it_says(num_shots: int, expected: list[int]) -> None:
    rows = [np.zeros((1, 2), np.float32)] * num_shots
    shots = ShuffledShots(rows, np.arange(num_shots), ScaleTrainingSettings(batch_size=3))
    drawn = [len(batch[2]) for batch, _ in zip(shots, range(2 * len(expected)), strict=False)]
    assert shots.steps_per_epoch == len(expected)
    assert drawn == expected * 2
