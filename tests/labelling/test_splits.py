import random
from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError, SettingError
from mastershot.datasets.condensed_movies import read_condensed_movies
from mastershot.datasets.movieclip import HUMAN_VERIFIED, read_release
from mastershot.datasets.tables.records import LabelledShot
from mastershot.labelling.splits import SplitOverlap, split_by_film, split_overlaps

SHOTS = [
    LabelledShot(f"clip{clip}", f"clip{clip}-Scene-{number:03}.mp4", (clip % 3,))
    for clip in range(200)
    for number in range(1, 3 + clip % 4)
]
FILMS = {f"clip{clip}": f"film{clip // 4}" for clip in range(200)}


def test_the_released_splits_share_no_clip_and_only_the_verified_ones_share_films(
    real_data: Path,
) -> None:
    films = read_condensed_movies(real_data / "condensed_movies").film_of_clip
    overlaps = split_overlaps(read_release(real_data / "movieclip").splits, films)
    assert len(overlaps) == 6
    assert [overlap.num_clips for overlap in overlaps] == [0] * 6
    shared = {overlap.splits: overlap.num_films for overlap in overlaps}
    assert shared == {
        ("train", "val"): 0, ("train", "test"): 0, ("val", "test"): 0,
        ("train", HUMAN_VERIFIED): 550, ("val", HUMAN_VERIFIED): 181, ("test", HUMAN_VERIFIED): 75,
    }  # fmt: skip
    train_and_verified = next(o for o in overlaps if o.splits == ("train", HUMAN_VERIFIED))
    assert train_and_verified.films_of == (2_451, 814)
    assert train_and_verified.clips_of == (12_989, 978)


def test_every_shot_is_in_one_split_and_every_film_too() -> None:
    splits = split_by_film(SHOTS, FILMS)
    assert sorted(s.file for part in splits.values() for s in part) == sorted(
        shot.file for shot in SHOTS
    )
    films = [{FILMS[shot.video] for shot in part} for part in splits.values()]
    assert [len(part) for part in films] == [35, 10, 5]
    assert len(set.union(*films)) == 50
    assert all(overlap.num_films == 0 for overlap in split_overlaps(splits, FILMS))


def test_a_seed_settles_the_splits_whatever_the_order_of_the_shots() -> None:
    shuffled = random.Random(1).sample(SHOTS, len(SHOTS))
    one, same, other = (
        {name: {shot.file for shot in part} for name, part in splits.items()}
        for splits in (
            split_by_film(SHOTS, FILMS, seed=4),
            split_by_film(shuffled, FILMS, seed=4),
            split_by_film(SHOTS, FILMS, seed=5),
        )
    )
    assert one == same
    assert one != other


def test_shots_keep_their_order_within_a_split() -> None:
    for part in split_by_film(SHOTS, FILMS).values():
        assert list(part) == [shot for shot in SHOTS if shot in set(part)]


def test_without_films_every_clip_is_one_and_its_pieces_stay_together() -> None:
    shots = [LabelledShot(f"v_clip{n % 10}_seg_{n}_9", f"{n}.mp4", (0,)) for n in range(100)]
    splits = split_by_film(shots)
    assert [len(part) for part in splits.values()] == [70, 20, 10]


def test_ratios_are_parameters() -> None:
    splits = split_by_film(SHOTS, FILMS, ratios={"a": 0.5, "b": 0.5})
    assert [len({FILMS[s.video] for s in part}) for part in splits.values()] == [25, 25]


def test_no_shots_are_three_empty_splits() -> None:
    assert split_by_film([], FILMS) == {"train": (), "val": (), "test": ()}


@pytest.mark.parametrize(
    "ratios", [{"train": 0.7, "val": 0.2}, {"train": 1.1, "val": -0.1}, {"a": float("nan")}, {}]
)
def test_ratios_that_are_no_shares_are_an_error(ratios: dict[str, float]) -> None:
    with pytest.raises(SettingError, match="split ratios should be above 0 with sum 1"):
        split_by_film(SHOTS, FILMS, ratios=ratios)


def test_a_clip_of_an_unknown_film_is_an_error() -> None:
    with pytest.raises(DatasetError, match="the film of clip 'clip0' is not known"):
        split_by_film(SHOTS[:1], {})


def test_overlaps_count_clips_and_films_of_both() -> None:
    splits = {
        "one": [LabelledShot(clip, "a.mp4", (0,)) for clip in ("a", "b", "c")],
        "two": [LabelledShot(clip, "a.mp4", (0,)) for clip in ("v_a_seg_0_10", "d")],
    }
    films = {"a": "x", "b": "y", "c": "y", "d": "y"}
    assert split_overlaps(splits, films) == (SplitOverlap(("one", "two"), 1, 2, (3, 2), (2, 2)),)
