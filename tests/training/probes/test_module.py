import numpy as np
import pytest
import torch

from mastershot.encoders.probe import ProbeCard, build_probe
from mastershot.training.probes.data import read_inputs
from mastershot.training.probes.module import ProbeModule, ShuffledVideos
from mastershot.training.probes.settings import ProbeRecipe, ProbeTrainingSettings

SETTINGS = ProbeTrainingSettings(batch_size=7, patience=2)
CARD = ProbeCard("toy", "mlp", tuple("abcdef"), 32, 4, 1, 0.5, 20)


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> ShuffledVideos:
    recipe = ProbeRecipe(
        data=str(tmp_path_factory.mktemp("data")), features="features/movieclip", drawn_videos=60
    )
    return ShuffledVideos(read_inputs(recipe)["train"], CARD, SETTINGS)


def test_an_epoch_holds_every_video_once_in_an_order_of_its_own(batches: ShuffledVideos) -> None:
    stream = iter(batches)
    epochs = []
    for _ in range(2):
        parts = [next(stream) for _ in range(batches.steps_per_epoch)]
        rows = torch.cat([torch.cat([inputs[0], truth], dim=1) for inputs, truth in parts])
        epochs.append([tuple(row) for row in rows.tolist()])
    assert sorted(epochs[0]) == sorted(epochs[1])
    assert len(set(epochs[0])) == len(batches.split.labels)
    assert epochs[0] != epochs[1]


def test_a_stream_goes_on_at_any_step(batches: ShuffledVideos) -> None:
    stream = iter(batches)
    for _ in range(batches.steps_per_epoch + 2):
        next(stream)
    later = ShuffledVideos(batches.split, CARD, SETTINGS, batches.steps_per_epoch + 2)
    (ours, truth), (expected, expected_truth) = next(iter(later)), next(stream)
    assert torch.equal(ours[0], expected[0])
    assert torch.equal(truth, expected_truth)


def test_the_loss_is_that_of_a_plain_loop(batches: ShuffledVideos) -> None:
    torch.manual_seed(0)
    card = ProbeCard("toy", "lstm", tuple("abcdef"), 32, 4, 1, 0.0, 20)
    module = ProbeModule(build_probe(card), SETTINGS, steps_per_epoch=9)
    module.log = lambda *_: None  # type: ignore[method-assign, assignment]
    batch = next(iter(ShuffledVideos(batches.split, card, SETTINGS)))
    chances = module.network(*batch[0]).sigmoid().tolist()
    losses = [
        -np.log(chance if has else 1 - chance)
        for row, truth in zip(chances, batch[1].tolist(), strict=True)
        for chance, has in zip(row, truth, strict=True)
    ]
    assert module.training_step(batch, 0).item() == pytest.approx(np.mean(losses), abs=1e-6)


def test_the_best_epoch_is_kept_and_training_ends_after_so_many_worse() -> None:
    module = ProbeModule(build_probe(CARD), SETTINGS, steps_per_epoch=9)
    ended = []
    for value, precision in enumerate((0.1, 0.3, 0.3, 0.2)):
        torch.nn.init.constant_(module.network.head.bias, float(value))  # type: ignore[arg-type, union-attr]
        module.update_best(precision)
        ended.append(module.is_finished())
    assert ended == [False, False, False, True]
    assert float(module.best_figure) == 0.3
    assert set(module.best.state_dict()["head.bias"].tolist()) == {1.0}


def test_the_learning_rate_is_halved_by_epoch() -> None:
    settings = ProbeTrainingSettings(learning_rate=0.4, halve_every=2)
    made = ProbeModule(build_probe(CARD), settings, steps_per_epoch=3).configure_optimizers()
    optimizer, rates = made["optimizer"], []
    for _ in range(13):
        rates.append(optimizer.param_groups[0]["lr"])  # type: ignore[attr-defined]
        optimizer.step()  # type: ignore[attr-defined]
        made["lr_scheduler"]["scheduler"].step()  # type: ignore[index]
    assert rates == pytest.approx([0.4] * 6 + [0.2] * 6 + [0.1])
