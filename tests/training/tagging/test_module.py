import math

import pytest
import torch

from mastershot.core.errors import SettingError
from mastershot.models.recognisers.build import build_recogniser, recogniser_row
from mastershot.training.tagging.batches import TaggingBatch
from mastershot.training.tagging.module import (
    TaggingModule,
    drawn_parts,
    optimizer_of,
    rate_share,
    seen_through,
    weights_of_positives,
)
from mastershot.training.tagging.settings import ClipSettings, TaggingTrainingSettings


def module_of(settings: TaggingTrainingSettings, weights: torch.Tensor) -> TaggingModule:
    network = build_recogniser("lstm", num_classes=len(weights), width=1 / 64, input_width=3)
    row = recogniser_row("lstm")
    return TaggingModule(
        network, row, settings, ClipSettings(), positive_weights=weights, steps_per_epoch=10
    )


def loss_of(module: TaggingModule, truth: torch.Tensor) -> tuple[float, torch.Tensor]:
    vectors, lengths = torch.randn(len(truth), 4, 3), torch.full((len(truth),), 4)
    logits = module.network(vectors, lengths).detach() if len(truth) else truth
    places = torch.arange(len(truth))
    batch = TaggingBatch((vectors, lengths), places, truth, len(truth), 0, {})
    module.log = lambda *_: None  # type: ignore[method-assign, assignment]
    return float(module.training_step(batch, 0).detach()), logits


def test_the_loss_is_the_mean_binary_cross_entropy() -> None:
    truth = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    loss, logits = loss_of(module_of(TaggingTrainingSettings(), torch.ones(2)), truth)
    each = [
        -math.log(p if t else 1 - p)
        for p, t in zip(logits.sigmoid().flatten().tolist(), truth.flatten().tolist(), strict=True)
    ]
    assert loss == pytest.approx(sum(each) / 4, abs=1e-6)


def test_positives_weigh_as_the_settings_say() -> None:
    truth = torch.tensor([[1.0, 0.0]])
    loss, logits = loss_of(module_of(TaggingTrainingSettings(), torch.tensor([3.0, 5.0])), truth)
    one, other = logits.sigmoid()[0].tolist()
    assert loss == pytest.approx((-3 * math.log(one) - math.log(1 - other)) / 2, abs=1e-6)


def test_focal_loss_weighs_labels_by_how_wrong_they_are() -> None:
    truth = torch.tensor([[1.0, 0.0]])
    settings = TaggingTrainingSettings(loss="focal", focal_gamma=2)
    loss, logits = loss_of(module_of(settings, torch.ones(2)), truth)
    one, other = logits.sigmoid()[0].tolist()
    by_hand = -((1 - one) ** 2) * math.log(one) - other**2 * math.log(1 - other)
    assert loss == pytest.approx(by_hand / 2, abs=1e-6)


def test_weights_of_positives_are_their_odds_up_to_a_limit() -> None:
    weights = weights_of_positives(torch.tensor([10.0, 1.0, 0.0, 90.0]), 100, 20)
    assert weights.tolist() == [9, 20, 20, 1]
    assert weights_of_positives(torch.tensor([1.0]), 100, 1).tolist() == [1]


@pytest.mark.parametrize(
    ("settings", "step", "share"),
    [
        (TaggingTrainingSettings(), 149, 1.0),
        (TaggingTrainingSettings(), 150, 0.5),
        (TaggingTrainingSettings(), 300, 0.25),
        (TaggingTrainingSettings(schedule="constant"), 400, 1.0),
        (TaggingTrainingSettings(schedule="cosine", epochs=10), 0, 1.0),
        (TaggingTrainingSettings(schedule="cosine", epochs=10), 50, 0.5),
        (TaggingTrainingSettings(schedule="cosine", epochs=10), 100, 0.0),
        (TaggingTrainingSettings(schedule="cosine", epochs=10, warmup_epochs=1), 4, 5 / 11),
    ],
)
def test_learning_rates_follow_the_schedule(
    settings: TaggingTrainingSettings, step: int, share: float
) -> None:
    assert rate_share(step, settings, 10) == pytest.approx(share, abs=1e-12)


def test_optimisers_are_those_of_the_settings() -> None:
    parameters = [torch.nn.Parameter(torch.zeros(1))]
    sgd = optimizer_of(parameters, TaggingTrainingSettings(optimizer="sgd", learning_rate=0.1))
    assert isinstance(sgd, torch.optim.SGD)
    assert sgd.defaults["momentum"] == 0.9
    assert type(optimizer_of(parameters, TaggingTrainingSettings(optimizer="adam"))).__name__ == (
        "Adam"
    )


def parts_of(count: int, settings: ClipSettings, seed: int = 0) -> torch.Tensor:
    return drawn_parts(count, settings, torch.Generator().manual_seed(seed))


def test_every_frame_of_a_clip_shows_the_same_part() -> None:
    picture = torch.randint(0, 256, (2, 1, 16, 16, 3), dtype=torch.uint8).expand(2, 5, 16, 16, 3)
    seen = seen_through(picture, parts_of(2, ClipSettings(), seed=3))
    assert seen.shape == picture.shape
    for frame in seen.unbind(1):
        torch.testing.assert_close(frame, seen[:, 0])
    assert not torch.equal(seen, picture.float())


def test_a_part_lies_within_its_frame_and_mirrors_half() -> None:
    ramp = torch.arange(16.0).expand(400, 1, 16, 16)[..., None].expand(-1, -1, -1, -1, 3)
    seen = seen_through(ramp, parts_of(400, ClipSettings(min_area=0.25)))
    assert seen.min() >= 0
    assert seen.max() <= 15
    rising = seen[:, 0, 0, -1, 0] > seen[:, 0, 0, 0, 0]
    assert 0.4 < rising.float().mean() < 0.6
    widths = (seen[:, 0, 0, -1, 0] - seen[:, 0, 0, 0, 0]).abs()
    assert widths.min() >= 0.49 * 15 - 1


def test_the_whole_frame_is_a_part() -> None:
    clips = torch.randint(0, 256, (2, 3, 8, 8, 3), dtype=torch.uint8)
    seen = seen_through(clips, parts_of(2, ClipSettings(min_area=1, mirror=False)))
    torch.testing.assert_close(seen, clips.float())


def test_nothing_to_learn_from_is_a_loss_of_nothing() -> None:
    loss, _ = loss_of(module_of(TaggingTrainingSettings(), torch.ones(2)), torch.zeros(0, 2))
    assert loss == 0


def test_accumulation_divides_the_batch() -> None:
    with pytest.raises(SettingError, match="accumulate is 3; it must divide the batch_size, 8"):
        TaggingTrainingSettings(batch_size=8, accumulate=3)
