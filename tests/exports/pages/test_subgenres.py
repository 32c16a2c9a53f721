"""The page of sub-genres: whole without a script, and whatever trailers are called."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.exports.pages.test_report import HOSTILE, Page
from tests.factories.trailers import planted_trailers, planted_vectors

from mastershot.core.errors import OutputError
from mastershot.exports.pages.subgenres import page_data, path_of, write_subgenres_page
from mastershot.genres.analysis import Analysis, Questions, analyse_subgenres
from mastershot.genres.clustering import ClusterSettings


def analysed(**changes: object) -> Analysis:
    trailers = replace(planted_trailers(), **changes)  # type: ignore[arg-type]
    coarse, fine = planted_vectors(noise=1.0), planted_vectors()
    return analyse_subgenres(trailers, coarse, fine, ClusterSettings(), Questions())


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analysed()


def written(analysis: Analysis, folder: Path) -> Page:
    write_subgenres_page(analysis, folder / "page.html", title="Films", notes=("a note",))
    return Page(folder / "page.html")


def data_of(page: Page) -> dict[str, object]:
    [text] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page.source)
    found: dict[str, object] = json.loads(text)
    return found


def test_a_card_a_sub_genre_without_any_script(analysis: Analysis, tmp_path: Path) -> None:
    page = written(analysis, tmp_path)
    assert "Films 3 sub-genres 90 trailers a note" in page.text
    assert page.source.count('<article class="card"') == 3
    trailers = analysis.trailers
    for one in analysis.subgenres.found:
        assert f"{one.name} 30 trailers" in page.text
        for place in one.exemplars:
            year = trailers.years[place]
            assert f"Film {place}" + (f" ({year})" if year else "") in page.text
    assert "Horror100 %" in page.text
    assert "audio" in page.text
    assert "none stands out" in page.text


def test_maps_have_all_trailers_without_any_script(analysis: Analysis, tmp_path: Path) -> None:
    page = written(analysis, tmp_path)
    before, after = re.findall(r'<g class="points">(.*?)</g>', page.source, re.DOTALL)
    assert before.count("h0") == after.count("h0") == 90
    assert before != after


def test_the_script_reads_titles_relatives_and_places(analysis: Analysis, tmp_path: Path) -> None:
    data = data_of(written(analysis, tmp_path))
    assert data == page_data(analysis)
    rows, places = page_data(analysis)["trailers"], page_data(analysis)["places"]
    assert rows[1][:4] == ["Film 1", 0, [2], 2]
    assert rows[5][5] == analysis.coarse.nearest[5, :6].tolist()
    assert rows[5][6] == analysis.fine.nearest[5, :6].tolist()
    assert [len(side) for side in places["tsne"]] == [180, 180]
    assert 0 < min(places["tsne"][1]) < max(places["tsne"][1]) < 1000


def test_the_page_asks_for_nothing(analysis: Analysis, tmp_path: Path) -> None:
    page = written(analysis, tmp_path)
    assert all(link.startswith("#") for link in page.values("href"))
    assert page.values("src") == []
    assert "url(" not in page.source
    [policy] = [content for content in page.values("content") if "default-src" in content]
    assert policy.startswith("default-src 'none'; ")


def test_hostile_titles_words_and_genres_stay_text(tmp_path: Path) -> None:
    hostile = analysed(
        titles=(HOSTILE,) * 90,
        ids=tuple(f"{HOSTILE}{place}" for place in range(90)),
        genres=tuple(f"{HOSTILE} {place}" for place in range(4)),
        experts=tuple(f"{HOSTILE} {place}" for place in range(3)),
        words=tuple({f"{HOSTILE} {place % 3}": 1.0} for place in range(90)),
    )
    page = written(hostile, tmp_path)
    plain = written(analysed(), tmp_path)
    assert {name for name, _ in page.elements} == {name for name, _ in plain.elements}
    assert page.source.count("<script") == plain.source.count("<script") == 2
    assert "</script" not in re.findall(r'id="data">(.*?)</script>', page.source)[0]
    rows = data_of(page)["trailers"]
    assert isinstance(rows, list)
    assert rows[0][0] == page_data(hostile)["trailers"][0][0]


def test_without_sub_genres_it_says_so(tmp_path: Path) -> None:
    blob = np.random.default_rng(0).normal(size=(90, 8)).astype(np.float32)
    settings = ClusterSettings("hdbscan", min_size=60)
    page = written(
        analyse_subgenres(planted_trailers(), blob, blob, settings, Questions()), tmp_path
    )
    assert "0 sub-genres 90 trailers 90 unassigned" in page.text
    assert "No sub-genre was found" in page.text


def test_a_page_that_cannot_be_written_says_so(analysis: Analysis, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"page\.html cannot be written"):
        written(analysis, tmp_path / "missing")


def test_points_are_dots_of_one_path() -> None:
    assert path_of(np.array([[1, 2], [30, 4]])) == "M1 2h0M30 4h0"
