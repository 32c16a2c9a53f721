from pathlib import Path

import numpy as np
import pytest
from tests.pipeline.search.test_similar import put_film

import mastershot as ms
from mastershot.pipeline.evaluation.downstream.pictures import library_pictures
from mastershot.pipeline.evaluation.downstream.vectors import library_rows


@pytest.fixture
def library(tmp_path: Path) -> ms.Library:
    return ms.Library(tmp_path / "films.mastershot")


def test_films_and_their_scenes_are_items_of_a_library(library: ms.Library) -> None:
    shots = put_film(library, "clips/one.mp4", scene_shots=(5, 7))
    put_film(library, "clips/two.mp4", scene_shots=None)
    rows = library_rows(library.path, "toy", None)
    assert sorted(rows.readers) == ["one", "one/s0000", "one/s0001", "two"]
    np.testing.assert_allclose(rows.readers["one/s0001"](), shots[5:], rtol=1e-6)
    np.testing.assert_allclose(rows.readers["one"](), shots, rtol=1e-6)


def test_the_picture_of_an_item_is_that_of_its_middle_shot(library: ms.Library) -> None:
    put_film(library, "clips/one.mp4", scene_shots=(5, 7))
    movie, picture = library.movie("one.mp4").id, library_pictures(library.path)
    for item, shot in (("one", 6), ("one/s0000", 2), ("one/s0001", 8)):
        assert picture(item) == library.thumb(f"{movie}/{shot:05d}")
        assert picture(item)
    assert picture("one/s0002") is None
    assert picture("another") is None
