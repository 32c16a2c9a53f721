from collections import Counter
from collections.abc import Sequence
from itertools import islice

import numpy as np
import torch

from mastershot.training.tagging.batches import TaggingBatches
from mastershot.training.tagging.settings import TaggingTrainingSettings
from mastershot.training.tagging.shots import TaggedShot
from mastershot.training.tagging.vectors import ReadVectors

SHOTS = [TaggedShot("clip", f"clip-Scene-{i:03}.mp4", (i % 3,)) for i in range(10)]


class Numbers:
    """A source in which a shot's only vector is its number; one shot cannot be read."""

    def __init__(self, unread: int = -1) -> None:
        self._unread = unread

    def read(self, rows: Sequence[int]) -> ReadVectors:
        found = [place for place, row in enumerate(rows) if row != self._unread]
        sequences = [np.full((1, 1), rows[place], np.float32) for place in found]
        problems = {row: "gone" for row in rows if row == self._unread}
        return ReadVectors(sequences, np.array(found, np.int64), problems)


def batches(first_step: int = 0, **settings: int) -> TaggingBatches:
    training = TaggingTrainingSettings(**{"batch_size": 4} | settings)  # type: ignore[arg-type]
    return TaggingBatches(SHOTS, Numbers(), 3, training, first_step)


def test_an_epoch_holds_every_shot_once() -> None:
    drawn = [int(x) for batch in islice(batches(), 5) for x in batch.inputs[0].flatten()]
    assert Counter(drawn) == dict.fromkeys(range(10), 2)
    assert drawn[:10] != drawn[10:]


def test_labels_go_with_their_shots() -> None:
    for batch in islice(batches(), 5):
        classes = (batch.inputs[0].flatten() % 3).long()
        assert torch.equal(batch.truth, torch.nn.functional.one_hot(classes, 3).float())


def test_a_later_step_begins_where_an_earlier_run_stopped() -> None:
    whole, rest = list(islice(batches(), 6)), list(islice(batches(2), 4))
    for one, other in zip(whole[2:], rest, strict=True):
        assert torch.equal(one.inputs[0], other.inputs[0])
        assert one.number == other.number


def test_accumulated_batches_are_parts_of_the_whole_one() -> None:
    whole, parts = next(iter(batches())), list(islice(batches(accumulate=2), 2))
    assert torch.equal(whole.inputs[0], torch.cat([part.inputs[0] for part in parts]))
    assert [part.number for part in parts] == [0, 1]
    second = next(iter(batches(first_step=1, accumulate=2)))
    assert second.number == 2


def test_a_shot_that_cannot_be_read_is_left_out_and_named() -> None:
    source = TaggingBatches(SHOTS, Numbers(unread=7), 3, TaggingTrainingSettings(batch_size=10))
    batch = next(iter(source))
    assert len(batch.truth) == 9
    assert batch.size == 10
    assert batch.problems == {7: "gone"}
    assert 7 not in batch.inputs[0].flatten().tolist()


def test_devices_share_a_batch_and_know_their_rows_places_in_it() -> None:
    settings = TaggingTrainingSettings(batch_size=5)
    whole = TaggingBatches(SHOTS, Numbers(), 3, settings).batch(0)
    parts = [TaggingBatches(SHOTS, Numbers(), 3, settings, share=(r, 2)).batch(0) for r in (0, 1)]
    assert torch.equal(torch.cat([part.inputs[0] for part in parts]), whole.inputs[0])
    assert [part.places.tolist() for part in parts] == [[0, 1], [2, 3, 4]]
    assert {part.size for part in parts} == {5}
