"""The page of items shows truth beside answers, and needs no network."""

from pathlib import Path

import numpy as np
import pytest
from tests.exports.test_downstream import result
from tests.factories.downstream import write_lvu

from mastershot.exports.boundaries import BoundaryStrip
from mastershot.exports.pages import items
from mastershot.exports.pages.items import write_items_page

JPEG = b"\xff\xd8\xff a picture"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_lvu(tmp_path / "lvu", "scene", "view_count")
    return tmp_path


def page_of(folder: Path, name: str, **settings: object) -> str:
    write_items_page("asked <b>", [result(folder, name)], folder / "items.html", **settings)  # type: ignore[arg-type]
    return (folder / "items.html").read_text("utf-8")


def test_each_item_has_a_row_with_its_truth_answer_and_probability(folder: Path) -> None:
    page = page_of(folder, "lvu/place")
    assert page.count('<tr class="right" data-truth=') == 20
    assert "20 items of test; the answer of highest mean probability is right for 20." in page
    for part in ("asked &lt;b&gt;", "<option>airport</option>", "<bdi>test19</bdi>", "100 %"):
        assert part in page
    assert "<img" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "script-src 'sha256-" in page


def test_a_query_is_beside_its_five_nearest_with_their_pictures(folder: Path) -> None:
    page = page_of(folder, "retrieval", pictures=lambda name: JPEG if name != "val0" else None)
    outcomes = result(folder, "retrieval").rows[0].outcomes
    same = [sum(near.is_same for near in one.neighbours) for one in outcomes]
    assert 5 in same
    assert page.count("✓ <bdi>") == sum(same)
    assert page.count("✗ <bdi>") == 20 * 5 - sum(same)
    assert page.count("<img") == 20 * 6 - 1
    assert page.count("no picture") == 1
    assert page.count("5 of 5") == same.count(5)


def test_values_have_errors_and_no_class_to_filter_by(folder: Path) -> None:
    page = page_of(folder, "lvu/view_count")
    assert "squared error" in page
    assert 'name="class"' not in page
    assert page.count('<tr class="" data-truth=') == 20


def test_of_very_many_items_the_first_are_shown_and_it_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "MOST_ITEMS", 5)
    page = page_of(folder, "lvu/place")
    assert page.count('<tr class="right"') == 5
    assert "20 items of test, the first 5 of them shown" in page


def test_boundaries_are_drawn_along_their_films(folder: Path) -> None:
    places = np.array([1.0, 2.0])
    strip = BoundaryStrip("a film", 4.0, places, places / 2, np.array([True, False]))
    page = page_of(folder, "lvu/place", strips=[strip])
    assert "<h2>Scene boundaries along the film</h2>" in page
    assert "a film: 1 boundaries found, 0 missed, 1 false" in page
    assert "boundaries along" not in page_of(folder, "lvu/place")
