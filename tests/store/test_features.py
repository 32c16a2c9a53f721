"""A folder of chunks, whatever a kill or a disk did to it, and films side by side in tables."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.factories.timelines import make_embeddings, make_space

from mastershot.core.errors import OutputError
from mastershot.store import features
from mastershot.store.features import FolderFeatures
from mastershot.store.library import Library
from mastershot.store.tables import embeddings_table

SPACE = make_space()


def only_chunk(folder: Path) -> Path:
    (chunk,) = folder.glob("*.npz")
    return chunk


def test_a_chunk_says_how_it_was_made_and_loads_without_pickle(tmp_path: Path) -> None:
    FolderFeatures(tmp_path).put(make_embeddings(SPACE, [3, 8]))
    assert only_chunk(tmp_path).name.startswith(f"{SPACE.key}-0000003-0000009-")
    with np.load(only_chunk(tmp_path), allow_pickle=False) as chunk:
        assert str(chunk["model"]) == SPACE.model
        assert str(chunk["weights_hash"]) == SPACE.weights_hash
        assert chunk["frames"].tolist() == [3, 8]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_chunk_that_is_cut_or_changed_counts_as_absent_and_is_replaced(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("features")
    whole = make_embeddings(SPACE, range(6))
    FolderFeatures(folder).put(whole)
    chunk = only_chunk(folder)
    content = bytearray(chunk.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[place:]
    else:
        content[place] ^= data.draw(st.integers(1, 255))
    chunk.write_bytes(content)

    store = FolderFeatures(folder)
    assert store.missing(SPACE, whole.frames).tolist() == whole.frames.tolist()
    assert len(store.get(SPACE)) == 0
    store.put(make_embeddings(SPACE, range(2, 4)))
    assert not chunk.exists()
    store.put(whole)
    np.testing.assert_array_equal(store.get(SPACE).vectors, whole.vectors)


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    store = FolderFeatures(tmp_path)
    store.put(make_embeddings(SPACE, [1]))
    leftover = tmp_path / f"{only_chunk(tmp_path).name}.tmp"
    leftover.write_bytes(b"half a chunk")
    assert store.get(SPACE).frames.tolist() == [1]
    store.put(make_embeddings(SPACE, [2]))
    assert not leftover.exists()
    assert store.get(SPACE).frames.tolist() == [1, 2]


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    foreign = [tmp_path / "notes.npz", tmp_path / f"{SPACE.key}-notes.npz"]
    for path in foreign:
        path.write_text("mine")
    store = FolderFeatures(tmp_path)
    store.put(make_embeddings(SPACE, [1]))
    assert store.get(SPACE).frames.tolist() == [1]
    store.clear()
    assert store.get(SPACE).frames.tolist() == []
    assert all(path.read_text() == "mine" for path in foreign)


def test_getting_a_range_reads_only_its_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for first in range(0, 100, 10):
        FolderFeatures(tmp_path).put(make_embeddings(SPACE, range(first, first + 10)))
    read: list[str] = []
    read_chunk = features._read_chunk

    def count(path: Path) -> object:
        read.append(path.name)
        return read_chunk(path)

    monkeypatch.setattr(features, "_read_chunk", count)
    FolderFeatures(tmp_path).get(SPACE, np.arange(25, 35))
    assert {name.split("-")[1] for name in read} == {"0000020", "0000030"}


def test_putting_twice_adds_no_file(tmp_path: Path) -> None:
    store = FolderFeatures(tmp_path)
    store.put(make_embeddings(SPACE, range(5)))
    before = sorted(tmp_path.iterdir())
    store.put(make_embeddings(SPACE, range(5)))
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_in_the_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "features").write_text("")
    with pytest.raises(OutputError, match=r"features cannot be kept in .*: File exists"):
        FolderFeatures(tmp_path / "features").put(make_embeddings(SPACE, [1]))


def test_a_chunk_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    store = FolderFeatures(tmp_path)
    store.put(make_embeddings(SPACE, [1]))
    chunk = only_chunk(tmp_path)
    chunk.unlink()
    chunk.mkdir()
    with pytest.raises(OutputError, match=r"features cannot be read: .*: Is a directory"):
        FolderFeatures(tmp_path).get(SPACE)


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left on device"):
        FolderFeatures(tmp_path).put(make_embeddings(SPACE, [1]))
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_chunk_lost_under_an_open_store_is_a_key_error(tmp_path: Path) -> None:
    store = FolderFeatures(tmp_path)
    store.put(make_embeddings(SPACE, [1, 2]))
    only_chunk(tmp_path).unlink()
    with pytest.raises(KeyError, match="2 frames, first 1, have no vector of toy"):
        store.get(SPACE, np.array([1, 2]))
    assert store.missing(SPACE, np.array([1, 2])).tolist() == [1, 2]


def test_a_chunk_under_the_name_of_another_counts_as_absent(tmp_path: Path) -> None:
    store = FolderFeatures(tmp_path)
    store.put(make_embeddings(SPACE, [1]))
    first = only_chunk(tmp_path)
    store.put(make_embeddings(SPACE, [2]))
    (second,) = set(tmp_path.glob("*.npz")) - {first}
    second.write_bytes(first.read_bytes())
    assert FolderFeatures(tmp_path).missing(SPACE, np.array([1, 2])).tolist() == [2]


def test_films_of_a_library_keep_their_vectors_apart(tmp_path: Path) -> None:
    library = Library(tmp_path / "films.mastershot", create=True)
    one, two = library.features("one"), library.features("it's two")
    kept = make_embeddings(SPACE, [1, 2], seed=1)
    one.put(make_embeddings(SPACE, [2, 3]))
    assert two.missing(SPACE, np.array([2, 3])).tolist() == [2, 3]
    two.put(kept)
    one.clear()
    assert one.missing(SPACE, np.array([1, 2, 3])).tolist() == [1, 2, 3]
    np.testing.assert_array_equal(two.get(SPACE).vectors, kept.vectors)


def test_only_new_vectors_are_a_commit_of_a_library(tmp_path: Path) -> None:
    library = Library(tmp_path / "films.mastershot", create=True)
    table = embeddings_table(SPACE.key)
    library.features("one").put(make_embeddings(SPACE, range(5)))
    before = library.tables.version(table), library.tables.version("spaces")
    library.features("one").put(make_embeddings(SPACE, range(5)))
    library.features("absent").clear()
    assert (library.tables.version(table), library.tables.version("spaces")) == before
    library.features("one").put(make_embeddings(SPACE, range(8)))
    assert library.tables.version(table) == before[0] + 1
    assert library.tables.rows(table).num_rows == 8
