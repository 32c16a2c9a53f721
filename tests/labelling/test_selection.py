"""The training subset as METHODS A5 writes it, against a plain loop."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest
from tests.factories import reference

from mastershot.core.errors import DatasetError
from mastershot.core.labels import Taxonomy, load_taxonomy
from mastershot.datasets.tables.records import LabelledShot, ScoredShots, best_columns
from mastershot.labelling.selection import (
    MOVIECLIP_FOLDS,
    all_classes,
    keep_common_classes,
    select_classes,
    select_subset,
)
from mastershot.labelling.weak_labels import KeepRule

MOVIECLIP = load_taxonomy("movieclip")
INDEX = load_taxonomy("movieclip-150")
THREE = Taxonomy("three", ("room", "interrogation room", "bank"))


def columns(scores: npt.NDArray[np.floating], *, shots_per_video: int = 4) -> ScoredShots:
    labels, best = best_columns(scores)
    count = len(scores)
    videos = [f"v{row // shots_per_video}" for row in range(count)]
    return ScoredShots(
        videos=videos,
        files=[f"{video}-Scene-{row + 1:03}.mp4" for row, video in enumerate(videos)],
        frames=np.zeros((count, 2), np.int64),
        times_s=np.zeros((count, 2)),
        labels=labels,
        scores=best,
    )


def listed(*labels_and_scores: tuple[str, float], taxonomy: Taxonomy = THREE) -> ScoredShots:
    scores = np.zeros((1, len(taxonomy)), np.float32)
    for label, score in labels_and_scores:
        scores[0, taxonomy.labels.index(label)] = score
    return columns(scores)


def simulated_scores(
    num_shots: int, dtype: npt.DTypeLike, seed: int = 0
) -> npt.NDArray[np.float64]:
    """Return softmax scores of which many lie right at the thresholds."""
    random = np.random.default_rng(seed)
    logits = random.normal(scale=3, size=(num_shots, len(MOVIECLIP)))
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for value in (0.1, 0.4):
        scores[random.random(scores.shape) < 0.02] = value
        scores[random.random(scores.shape) < 0.005] = np.nextafter(dtype(value), dtype(1))  # type: ignore[operator]
    return scores.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("classes", [INDEX, all_classes(MOVIECLIP)], ids=["index", "all"])
def test_selection_is_what_a_plain_loop_selects(dtype: npt.DTypeLike, classes: Taxonomy) -> None:
    shots = columns(simulated_scores(3000, dtype))
    places, _ = select_classes(shots, MOVIECLIP, classes)
    number = np.dtype(dtype).type
    num_found = 0
    for row in range(len(shots)):
        due = reference.select_classes(
            list(shots.scores[row]),
            [MOVIECLIP.labels[label] for label in shots.labels[row]],
            classes.labels,
            min_best=number(0.4),
            above=number(0.1),
            folds=MOVIECLIP_FOLDS,
        )
        assert [place for place in places[row].tolist() if place >= 0] == due
        num_found += len(due) > 1
    assert num_found > 100


def test_a_score_at_a_threshold_is_compared_in_its_own_type() -> None:
    shots = listed(("bank", 0.4), ("room", 0.1))
    assert float(shots.scores[0, 1]) > 0.1  # as a double it would be kept
    places, num_kept = select_classes(shots, THREE, all_classes(THREE))
    assert (places[0, 0], num_kept[0]) == (1, 1)
    lower = ScoredShots(
        shots.videos, shots.files, shots.frames, shots.times_s, shots.labels,
        np.nextafter(shots.scores, np.float32(0)),
    )  # fmt: skip
    assert select_classes(lower, THREE, all_classes(THREE))[1].tolist() == [0]


def test_a_label_that_two_labels_fold_into_counts_once_at_the_better_rank() -> None:
    shots = listed(("interrogation room", 0.5), ("bank", 0.3), ("room", 0.2))
    subset = select_subset([shots], THREE, Taxonomy("index", ("bank", "room")))
    assert [shot.classes for shot in subset.shots] == [(1, 0)]


def test_a_fold_needs_both_labels_in_the_taxonomy() -> None:
    taxonomy = Taxonomy("mine", ("phone booth", "bank"))
    assert all_classes(taxonomy).labels == ("phone booth", "bank")
    subset = select_subset(
        [listed(("phone booth", 0.9), taxonomy=taxonomy)], taxonomy, all_classes(taxonomy)
    )
    assert [shot.classes for shot in subset.shots] == [(0,)]


def test_all_classes_are_those_that_no_other_takes_in() -> None:
    assert len(all_classes(MOVIECLIP)) == 177
    assert set(INDEX.labels) < set(all_classes(MOVIECLIP).labels)


def test_what_is_left_out_is_counted() -> None:
    index = Taxonomy("index", ("room",))
    shots = [
        listed(("room", 0.9)),
        listed(("room", 0.39)),
        listed(("bank", 0.9)),
        listed(("bank", 0.5), ("room", 0.2)),
    ]
    subset = select_subset(shots, THREE, index)
    assert (subset.num_shots, len(subset.shots)) == (4, 2)
    assert (subset.num_unsure, subset.num_outside, subset.num_held_out) == (1, 1, 0)
    assert subset.class_counts.tolist() == [2]


def test_shots_of_held_out_clips_are_left_out_by_the_clip_their_piece_is_of() -> None:
    shots = columns(simulated_scores(400, np.float32))
    everything = select_subset([shots], MOVIECLIP, INDEX)
    subset = select_subset([shots], MOVIECLIP, INDEX, held_out_clips=["v_v3_seg_0_10", "v5"])
    assert subset.shots == tuple(s for s in everything.shots if s.video not in {"v3", "v5"})
    assert subset.num_held_out == len(everything.shots) - len(subset.shots) > 0
    left_out = subset.num_unsure + subset.num_outside + subset.num_held_out
    assert subset.num_shots == len(subset.shots) + left_out


def test_how_shots_are_batched_does_not_matter() -> None:
    scores = simulated_scores(500, np.float32)
    whole, shots = columns(scores), []
    for first in range(0, 500, 37):
        part = slice(first, first + 37)
        shots.append(
            ScoredShots(whole.videos[part], whole.files[part], whole.frames[part],
                        whole.times_s[part], whole.labels[part], whole.scores[part])
        )  # fmt: skip
    assert select_subset(shots, MOVIECLIP, INDEX) == select_subset([whole], MOVIECLIP, INDEX)


def test_thresholds_are_parameters() -> None:
    shots = columns(simulated_scores(300, np.float32))
    loose = KeepRule(min_best=0.0, above=0.0, num_best=2)
    subset = select_subset([shots], MOVIECLIP, all_classes(MOVIECLIP), keep=loose)
    assert {len(shot.classes) for shot in subset.shots} == {2}
    assert subset.multi_label_share == 1
    assert len(subset.shots) == 300


def test_shots_without_labels_are_unsure() -> None:
    shots = columns(np.zeros((2, 3), np.float32))
    bare = ScoredShots(shots.videos, shots.files, shots.frames, shots.times_s,
                       np.full((2, 5), -1, np.int16), np.zeros((2, 5), np.float32))  # fmt: skip
    zero = KeepRule(min_best=0.0)
    assert select_subset([bare], THREE, all_classes(THREE), keep=zero).num_unsure == 2
    narrow = ScoredShots(shots.videos, shots.files, shots.frames, shots.times_s,
                         np.empty((2, 0), np.int16), np.empty((2, 0), np.float32))  # fmt: skip
    assert select_subset([narrow], THREE, all_classes(THREE), keep=zero).num_unsure == 2


def test_nothing_selected_has_no_share_of_several_labels() -> None:
    assert select_subset([], MOVIECLIP, INDEX).multi_label_share == 0


def test_classes_with_too_few_shots_go_and_the_others_keep_theirs() -> None:
    subset = select_subset([columns(simulated_scores(3000, np.float32))], MOVIECLIP, INDEX)
    threshold = int(np.median(subset.class_counts))
    common = keep_common_classes(subset, min_shots=threshold)
    due = {
        label: count
        for label, count in zip(INDEX.labels, subset.class_counts.tolist(), strict=True)
        if count >= threshold
    }
    found = Counter(common.classes.labels[i] for shot in common.shots for i in shot.classes)
    assert found == due
    assert list(due) == list(common.classes.labels)
    assert common.num_outside - subset.num_outside == len(subset.shots) - len(common.shots) > 0


def test_no_class_with_enough_shots_is_an_error() -> None:
    subset = select_subset([listed(("room", 0.9))], THREE, all_classes(THREE))
    with pytest.raises(DatasetError, match="no label has 2 shots; the most frequent has 1"):
        keep_common_classes(subset, min_shots=2)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("moon", "class 'moon' is not in taxonomy 'three'"),
        ("interrogation room", "class 'interrogation room' is folded into 'room'"),
    ],
)
def test_a_class_that_no_shot_can_have_is_an_error(label: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        select_subset([listed(("room", 0.9))], THREE, Taxonomy("index", (label,)))


def test_classes_are_listed_in_the_order_of_rank() -> None:
    (shot,) = select_subset(
        [listed(("bank", 0.6), ("room", 0.3))], THREE, Taxonomy("index", ("room", "bank"))
    ).shots
    assert shot == LabelledShot("v0", "v0-Scene-001.mp4", (1, 0))
