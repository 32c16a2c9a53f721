"""What every feature store must do, run on each of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.factories.timelines import make_embeddings, make_space

from mastershot.core.embeddings import Embeddings
from mastershot.core.errors import EncoderError
from mastershot.core.protocols import FeatureStore
from mastershot.store.features import FolderFeatures
from mastershot.store.library import Library

FILM = "0123456789abcdef"
SPACE = make_space()


def in_a_folder(folder: Path) -> FeatureStore:
    return FolderFeatures(folder / "features")


def in_a_library(folder: Path) -> FeatureStore:
    return Library(folder / "films.mastershot", create=True).features(FILM)


@pytest.fixture(params=[in_a_folder, in_a_library])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FeatureStore:
    open_store: Callable[[Path], FeatureStore] = request.param
    return open_store(tmp_path)


def test_a_new_store_misses_every_frame_once_and_in_order(store: FeatureStore) -> None:
    missing = store.missing(SPACE, np.array([7, 3, 3, 5]))
    assert missing.tolist() == [3, 5, 7]
    assert missing.dtype == np.int64
    assert store.missing(SPACE, np.empty(0, np.int64)).tolist() == []


def test_a_new_store_holds_no_vector(store: FeatureStore) -> None:
    kept = store.get(SPACE)
    assert kept.vectors.shape == (0, SPACE.width)
    assert kept.vectors.dtype == np.float32


def test_vectors_come_back_to_the_bit_and_in_order_of_frame(store: FeatureStore) -> None:
    late, early = make_embeddings(SPACE, [40, 41, 99]), make_embeddings(SPACE, [0, 3])
    store.put(late)
    store.put(early)
    kept = store.get(SPACE)
    assert kept.space == SPACE
    assert kept.frames.tolist() == [0, 3, 40, 41, 99]
    assert kept.vectors.dtype == np.float32
    np.testing.assert_array_equal(kept.vectors, np.concatenate([early.vectors, late.vectors]))


def test_some_frames_come_back_in_order_each_once(store: FeatureStore) -> None:
    store.put(make_embeddings(SPACE, range(0, 50)))
    store.put(make_embeddings(SPACE, range(50, 100)))
    kept = store.get(SPACE, np.array([70, 10, 49, 50, 10]))
    assert kept.frames.tolist() == [10, 49, 50, 70]
    np.testing.assert_array_equal(kept.vectors, make_embeddings(SPACE, [10, 49, 50, 70]).vectors)
    assert store.get(SPACE, np.empty(0, np.int64)).vectors.shape == (0, SPACE.width)


def test_a_frame_that_is_there_keeps_what_it_has(store: FeatureStore) -> None:
    first, second = make_embeddings(SPACE, [1, 2], seed=1), make_embeddings(SPACE, [2, 3], seed=2)
    store.put(first)
    store.put(second)
    kept = store.get(SPACE)
    assert kept.frames.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(kept.vectors[:2], first.vectors)
    np.testing.assert_array_equal(kept.vectors[2], second.vectors[1])


def test_asking_for_a_frame_without_a_vector_is_a_key_error(store: FeatureStore) -> None:
    store.put(make_embeddings(SPACE, [1, 2, 9]))
    with pytest.raises(KeyError, match="1 frames, first 5, have no vector of toy"):
        store.get(SPACE, np.array([1, 5, 9]))
    with pytest.raises(KeyError, match="first 100"):
        store.get(SPACE, np.array([100]))


def test_spaces_do_not_mix(store: FeatureStore) -> None:
    other = make_space(3, model="other")
    store.put(make_embeddings(SPACE, [1, 2]))
    store.put(make_embeddings(other, [2, 3]))
    assert store.get(SPACE).frames.tolist() == [1, 2]
    assert store.get(other).vectors.shape == (2, 3)
    assert store.missing(other, np.array([1, 2, 3])).tolist() == [1]


def test_putting_nothing_changes_nothing(store: FeatureStore) -> None:
    store.put(make_embeddings(SPACE, []))
    assert len(store.get(SPACE)) == 0


def test_a_vector_that_is_not_finite_is_refused_with_its_frame(store: FeatureStore) -> None:
    bad = make_embeddings(SPACE, [4, 6])
    bad.vectors[1, 2] = np.nan
    with pytest.raises(EncoderError, match="toy gave frame 6 a vector that is not finite"):
        store.put(bad)
    assert store.missing(SPACE, np.array([4, 6])).tolist() == [4, 6]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(puts=st.lists(st.sets(st.integers(0, 40), max_size=12), max_size=5))
@pytest.mark.parametrize("open_store", [in_a_folder, in_a_library])
def test_any_order_of_puts_keeps_the_first_vector_of_each_frame(
    open_store: Callable[[Path], FeatureStore],
    tmp_path_factory: pytest.TempPathFactory,
    puts: list[set[int]],
) -> None:
    store = open_store(tmp_path_factory.mktemp("store"))
    expected: dict[int, np.ndarray] = {}
    for seed, frames in enumerate(puts):
        new = make_embeddings(SPACE, sorted(frames), seed=seed)
        store.put(new)
        for frame, vector in zip(new.frames.tolist(), new.vectors, strict=True):
            expected.setdefault(frame, vector)
    kept = store.get(SPACE)
    assert kept.frames.tolist() == sorted(expected)
    rows = [expected[frame] for frame in sorted(expected)]
    np.testing.assert_array_equal(kept.vectors, np.reshape(rows, (len(rows), SPACE.width)))
    everything = np.arange(41)
    assert store.missing(SPACE, everything).tolist() == sorted(set(range(41)) - set(expected))


def test_another_process_sees_what_was_put(store: FeatureStore, tmp_path: Path) -> None:
    store.put(make_embeddings(SPACE, [1, 2]))
    again = in_a_folder(tmp_path) if isinstance(store, FolderFeatures) else in_a_library(tmp_path)
    again.put(make_embeddings(SPACE, [3]))
    assert store.get(SPACE).frames.tolist() == [1, 2, 3]


def test_large_frame_ordinals_fit(store: FeatureStore) -> None:
    frames = np.array([10_000_000, 2**40])
    store.put(Embeddings(SPACE, frames, np.ones((2, SPACE.width), np.float32)))
    assert store.get(SPACE, frames[1:]).frames.tolist() == [2**40]


def test_a_cleared_store_misses_every_frame_and_takes_new_vectors(store: FeatureStore) -> None:
    space = make_space()
    store.put(make_embeddings(space, range(5)))
    store.clear()
    assert store.missing(space, np.arange(5)).tolist() == [0, 1, 2, 3, 4]
    fresh = make_embeddings(space, range(3), seed=1)
    store.put(fresh)
    np.testing.assert_array_equal(store.get(space).vectors, fresh.vectors)
