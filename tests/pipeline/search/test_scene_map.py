from pathlib import Path

import numpy as np
import pytest
from tests.factories.timelines import make_timeline
from tests.pipeline.search.test_similar import put_film

import mastershot as ms
from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import LibraryError, MiningError, SettingError
from mastershot.pipeline.search import scene_map
from mastershot.pipeline.search.scene_map import draw_scene_map
from mastershot.pipeline.search.vectors import SceneSource


@pytest.fixture
def library(tmp_path: Path) -> ms.Library:
    return ms.Library(tmp_path / "films.mastershot")


@pytest.fixture
def laid(monkeypatch: pytest.MonkeyPatch) -> list[FloatArray]:
    """Lay points out on a line, without UMAP, and keep what was to be laid out."""
    seen: list[FloatArray] = []

    def line(vectors: FloatArray) -> FloatArray:
        seen.append(vectors)
        return np.linspace(0, 1, 2 * len(vectors), dtype=np.float32).reshape(-1, 2)

    monkeypatch.setattr(scene_map, "lay_out", line)
    return seen


def test_each_scene_is_a_point_with_its_film_time_and_label(
    library: ms.Library, laid: list[FloatArray], tmp_path: Path
) -> None:
    one = put_film(library, "films/<one>.mp4", scene_shots=(5, 7))
    put_film(library, "two.mp4", scene_shots=(3, 3, 6), labels=("forest",))
    library.put_timeline(make_timeline("unseen.mp4"))
    assert draw_scene_map(SceneSource(library), tmp_path / "map.html") == 5
    assert laid[0][:2] == pytest.approx(np.stack([one[:5].mean(axis=0), one[5:].mean(axis=0)]))
    page = (tmp_path / "map.html").read_text()
    assert page.count("<title>&lt;one&gt;.mp4, ") == 2
    assert "<bdi>forest</bdi> <small>3</small>" in page
    assert "<bdi>kitchen</bdi> <small>2</small>" in page
    assert page.count("<image ") == 5
    assert "not on the map: 1 of 3 films; the first: shot" in page


def test_points_in_one_cell_share_a_picture(
    library: ms.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_film(library, "one.mp4", scene_shots=(1,) * 12)
    monkeypatch.setattr(scene_map, "lay_out", lambda rows: np.zeros((len(rows), 2), np.float32))
    draw_scene_map(SceneSource(library), tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text()
    assert (page.count("<image "), page.count("<circle ")) == (1, 11)


def test_of_too_many_points_an_even_choice_is_drawn(
    library: ms.Library, laid: list[FloatArray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.concatenate([put_film(library, f"{i}.mp4", scene_shots=(2,) * 6) for i in range(2)])
    monkeypatch.setattr(scene_map, "MOST_POINTS", 4)
    assert draw_scene_map(SceneSource(library), tmp_path / "map.html") == 3
    assert laid[0] == pytest.approx(rows.reshape(12, 2, -1).mean(1)[::4])
    assert "3 of 12 scenes, evenly chosen" in (tmp_path / "map.html").read_text()


def test_films_are_points_at_the_mean_of_their_scenes(
    library: ms.Library, laid: list[FloatArray], tmp_path: Path
) -> None:
    one = put_film(library, "one.mp4", scene_shots=(5, 7))
    put_film(library, "two.mp4")
    assert draw_scene_map(SceneSource(library), tmp_path / "map.html", of="films") == 2
    scenes = np.stack([one[:5].mean(axis=0), one[5:].mean(axis=0)])
    assert laid[0][0] == pytest.approx(scenes.mean(axis=0))
    assert "2 films" in (tmp_path / "map.html").read_text()


def test_what_cannot_be_drawn_is_a_sentence(library: ms.Library, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="holds no vectors"):
        draw_scene_map(SceneSource(library), tmp_path / "map.html")
    put_film(library, "one.mp4", scene_shots=None)
    with pytest.raises(MiningError, match="a map of 0 points says nothing"):
        draw_scene_map(SceneSource(library), tmp_path / "map.html")
    with pytest.raises(SettingError, match="a map of 'shots' is unknown; use scenes or films"):
        draw_scene_map(SceneSource(library), tmp_path / "map.html", of="shots")  # type: ignore[arg-type]
