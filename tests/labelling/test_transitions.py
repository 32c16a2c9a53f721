from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.test_bench import BENCH

from mastershot.core.errors import OutputError
from mastershot.core.labels import load_taxonomy
from mastershot.datasets.movieclip import HUMAN_VERIFIED, read_release, shot_file_name
from mastershot.datasets.tables.records import LabelledShot
from mastershot.labelling.transitions import (
    LabelTransitions,
    TransitionCounter,
    TransitionCounts,
    count_transitions,
    shipped_transitions,
    transition_rows,
    write_transitions,
)

LABELS = ("bar", "kitchen", "lake")


def shot(video: str, number: int, *classes: int) -> LabelledShot:
    return LabelledShot(video, shot_file_name(video, number), classes)


def test_only_shots_that_follow_each_other_in_a_clip_are_a_pair():
    shots = [shot("a", 3, 1), shot("b", 1, 2), shot("a", 1, 0), shot("a", 2, 0), shot("a", 5, 2)]
    counts = count_transitions(shots, LABELS)
    assert counts.counts.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 0]]


def test_a_pair_counts_one_whatever_the_number_of_its_labels():
    counts = count_transitions([shot("a", 1, 0, 1), shot("a", 2, 2, 0, 1)], LABELS)
    np.testing.assert_allclose(counts.counts, np.array([[1, 1, 1], [1, 1, 1], [0, 0, 0]]) / 6)


def test_a_clip_may_come_in_pieces_and_unlabelled_shots_break_the_run():
    counter = TransitionCounter(LABELS)
    files = [shot_file_name("a", number) for number in range(1, 6)]
    places = np.array([[0, -1], [1, -1], [-1, -1], [2, 0], [2, -1]])
    for first, end in pairwise((0, 1, 4, 5)):
        counter.add(["a"] * (end - first), files[first:end], places[first:end])
    counter.add(["b", "b"], ["1.mp4", "2.mp4"], np.array([[0], [0]]))  # Without numbers.
    np.testing.assert_allclose(counter.result().counts, [[0, 1, 0.5], [0, 0, 0], [0, 0, 0.5]])


def test_nothing_has_no_transition():
    assert count_transitions([], LABELS).counts.sum() == 0
    assert transition_rows(count_transitions([], LABELS)) == ()


def test_what_follows_a_label_comes_most_frequent_first():
    counts = TransitionCounts(LABELS, np.array([[1.0, 1, 2], [0, 0, 0], [0, 6, 2]]))
    assert transition_rows(counts) == (
        LabelTransitions("lake", 8.0, 0.25, (("kitchen", 0.75),)),
        LabelTransitions("bar", 4.0, 0.25, (("lake", 0.5), ("kitchen", 0.25))),
    )


def test_the_table_that_ships_is_that_of_the_release(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(BENCH)
    from place_transitions import SHIPPED, release_counts

    counts = release_counts(real_data / "movieclip")
    write_transitions(tmp_path / "table.csv", counts)
    assert (tmp_path / "table.csv").read_bytes() == SHIPPED.read_bytes()
    shipped, labels = shipped_transitions(), load_taxonomy("movieclip-150").labels
    np.testing.assert_allclose(shipped.for_labels(labels), counts.counts, rtol=1e-5)
    assert shipped.counts.sum() == pytest.approx(30_997, rel=1e-5)


def test_the_counts_of_the_release_are_those_of_a_plain_loop(real_data: Path):
    release = read_release(real_data / "movieclip")
    by_name = {
        (one.video, one.file): one.classes
        for name, part in release.splits.items()
        if name != HUMAN_VERIFIED
        for one in part
    }
    plain = np.zeros((150, 150))
    for (video, file), first in by_name.items():
        number = int(file.rpartition("-")[2].removesuffix(".mp4"))
        for after in by_name.get((video, f"{video}-Scene-{number + 1:03}.mp4"), ()):
            second = by_name[video, f"{video}-Scene-{number + 1:03}.mp4"]
            for before in first:
                plain[before, after] += 1 / len(first) / len(second)
    shipped = shipped_transitions().for_labels(release.index.labels)
    np.testing.assert_allclose(shipped, plain, rtol=1e-5)


def test_a_table_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    with pytest.raises(OutputError):
        write_transitions(tmp_path / "gone" / "table.csv", shipped_transitions())
