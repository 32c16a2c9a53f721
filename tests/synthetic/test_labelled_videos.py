from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import OutputError
from mastershot.datasets.hvu import read_hvu_tags, read_hvu_videos
from mastershot.datasets.moviescope import read_moviescope
from mastershot.synthetic.labelled_videos import (
    HVU_SCENES,
    SETS,
    WIDTH,
    draw_hvu,
    draw_moviescope,
    draw_videos,
    write_hvu,
    write_moviescope,
)


def test_what_is_drawn_follows_from_the_seed() -> None:
    first, again, other = (draw_videos(["a", "b"], 6, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.truth, again.truth)
    for name in SETS:
        for one, same, differs in zip(
            first.vectors[name], again.vectors[name], other.vectors[name], strict=True
        ):
            np.testing.assert_array_equal(one, same)
            assert one.shape[1] == WIDTH
            assert not np.array_equal(one, differs)


def test_each_set_of_features_shows_another_half_of_the_classes() -> None:
    drawn = draw_videos([str(place) for place in range(600)], 6)
    for place, name in enumerate(SETS):
        means = np.stack([video.mean(axis=0) for video in drawn.vectors[name]])
        apart = [
            np.linalg.norm(means[has].mean(axis=0) - means[~has].mean(axis=0))
            for has in drawn.truth.T
        ]
        assert min(apart[place::2]) > max(apart[1 - place :: 2])


def test_drawn_annotations_are_read_as_released_ones(tmp_path: Path) -> None:
    hvu, moviescope = draw_hvu(60), draw_moviescope(60)
    write_hvu(tmp_path, hvu)
    write_moviescope(tmp_path, moviescope)
    tags = read_hvu_tags(tmp_path / "HVU_Tags_Categories_V1.0.csv")
    splits = [
        read_hvu_videos(tmp_path / f"HVU_{split}_V1.0.csv", tags) for split in ("Train", "Val")
    ]
    assert [len(split) for split in splits] == [48, 12]
    assert splits[0].classes == HVU_SCENES
    trailers = read_moviescope(tmp_path)
    assert {split: len(part) for split, part in trailers.items()} == {
        "train": 42, "val": 6, "test": 12,
    }  # fmt: skip
    for drawn, parts in ((hvu, splits), (moviescope, trailers.values())):
        truth = dict(zip(drawn.items, drawn.truth.tolist(), strict=True))
        read = {
            item: has.tolist()
            for part in parts
            for item, has in zip(part.items, part.truth, strict=True)
        }
        assert read == truth


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    for write, drawn in ((write_hvu, draw_hvu(5)), (write_moviescope, draw_moviescope(11))):
        with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
            write(tmp_path / "missing", drawn)
