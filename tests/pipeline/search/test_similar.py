from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.factories.timelines import make_space, make_thumbs, make_timeline
from tests.pipeline.search.test_nearest import STARTER

import mastershot as ms
from mastershot.core.embeddings import Embeddings, FloatArray
from mastershot.core.errors import (
    LibraryError,
    OutputError,
    SettingError,
    ShortMovieError,
)
from mastershot.mining.pairs import mine_scene_pairs
from mastershot.pipeline.search.similar import (
    SharedLabel,
    Similar,
    find_scenes_like,
    find_similar,
)
from mastershot.pipeline.search.similar_page import MAX_STILLS, write_similar_page
from mastershot.pipeline.search.vectors import PLAIN_VIEW, SceneSource, SceneView

SPACE = make_space(8)
FRAMES = 4


def put_film(
    library: ms.Library,
    name: str,
    *,
    shots: int = 12,
    scene_shots: tuple[int, ...] | None = (5, 7),
    labels: tuple[str, ...] = ("kitchen", "bar"),
    space: object = SPACE,
) -> FloatArray:
    """Put a film whose shots are four frames long and two of them seen; return shots' means."""
    timeline = make_timeline(
        name, shot_frames=(FRAMES,) * shots, scene_shots=scene_shots, labels=labels
    )
    seed = int(timeline.movie.id[:6], 16)
    frames = np.array([4 * shot + at for shot in range(shots) for at in (1, 3)])
    width = space.width  # type: ignore[attr-defined]
    vectors = np.random.default_rng(seed).normal(size=(len(frames), width)).astype(np.float32)
    library.put_timeline(timeline, make_thumbs(timeline))
    library.features(timeline.movie.id).put(Embeddings(space, frames, vectors))  # type: ignore[arg-type]
    means: FloatArray = vectors.reshape(shots, 2, width).mean(axis=1)
    return means


@pytest.fixture
def library(tmp_path: Path) -> ms.Library:
    return ms.Library(tmp_path / "films.mastershot")


def view_of(encode: Callable[[FloatArray], FloatArray], **changes: object) -> SceneView:
    return SceneView("trained", encode, num_shots=3, width=8, **changes)  # type: ignore[arg-type]


def first_shot(scenes: FloatArray) -> FloatArray:
    return np.array(scenes[:, 0])


def find(
    library: ms.Library,
    *names: str,
    view: SceneView = PLAIN_VIEW,
    vectors: str = "",
    **settings: int,
) -> Similar:
    return find_similar(SceneSource(library, view, vectors=vectors), *names, **settings)  # type: ignore[arg-type]


# Two films


def test_two_films_give_the_pairs_that_mining_finds(library: ms.Library) -> None:
    one, two = (
        put_film(library, "one.mp4"),
        put_film(library, "two.mp4", shots=15, scene_shots=None),
    )
    found = find(library, "one.mp4", "two.mp4", window=2)
    pairs = mine_scene_pairs(one, two, 2)
    rows = [(row.scene.first_shot, row.other.first_shot) for row in found.rows]
    assert rows == [pair[:2] for pair in pairs]
    assert [row.score for row in found.rows] == pytest.approx([pair[2] for pair in pairs], rel=1e-5)
    best = found.rows[0]
    timeline = library.timeline(best.scene.movie_id)
    spans = [shot.span for shot in timeline.shots[best.scene.first_shot : best.scene.end_shot]]
    assert (best.scene.start_s, best.scene.end_s) == (spans[0].start_s, spans[-1].end_s)
    assert best.scene.scene_id is None
    assert found.title == "one.mp4 and two.mp4"


def test_a_scene_has_nine_shots_by_default(library: ms.Library) -> None:
    put_film(library, "one.mp4")
    put_film(library, "two.mp4")
    (row,) = find(library, "one.mp4", "two.mp4").rows
    assert row.scene.end_shot - row.scene.first_shot == 9


def test_the_reason_is_the_labels_of_both_by_their_shots(library: ms.Library) -> None:
    put_film(library, "one.mp4", labels=("bar", "kitchen", "sea"))
    put_film(library, "two.mp4", labels=("kitchen", "bar", "car"))
    row = find(library, "one.mp4", "two.mp4").rows[0]
    assert row.shared == (SharedLabel("bar", 9, 9), SharedLabel("kitchen", 9, 9))


def test_an_encoder_takes_the_place_of_the_means_and_gives_cosines(library: ms.Library) -> None:
    one, two = put_film(library, "one.mp4"), put_film(library, "two.mp4")
    found = find(library, "one.mp4", "two.mp4", view=view_of(first_shot))
    one, two = (film[:10] / np.linalg.norm(film[:10], axis=1)[:, None] for film in (one, two))
    cosines = one @ two.T
    best = found.rows[0]
    assert (best.scene.first_shot, best.other.first_shot) == divmod(int(cosines.argmax()), 10)
    assert best.score == pytest.approx(float(cosines.max()), abs=1e-6)
    assert best.scene.end_shot - best.scene.first_shot == 3
    assert found.view == "trained"


# One film, one scene


def test_films_are_ranked_by_the_mean_of_their_pairs(library: ms.Library) -> None:
    films = {name: put_film(library, name) for name in ("one.mp4", "two.mp4", "three.mp4")}
    found = find(library, "one.mp4", window=2)
    means = {
        name: np.mean([score for *_, score in mine_scene_pairs(films["one.mp4"], film, 2)])
        for name, film in films.items()
        if name != "one.mp4"
    }
    assert [row.other.path for row in found.rows] == sorted(means, key=lambda name: -means[name])
    for row in found.rows:
        assert row.film_score == pytest.approx(float(means[row.other.path]), rel=1e-5)
        assert row.score >= row.ranked_by == row.film_score
        assert row.score_note == f"mean of {row.num_pairs} pairs, best {row.score:.3f}"
    assert found.title == "Films like one.mp4"


def test_scenes_of_other_films_are_ranked_by_the_mean_of_all_their_shots(
    library: ms.Library,
) -> None:
    one, two = put_film(library, "one.mp4"), put_film(library, "two.mp4", scene_shots=(2, 10))
    movie = library.movie("one.mp4").id
    found = find(library, f"{movie}/s0001")
    expected = [float((one[5:12] @ part.T).mean(dtype=np.float64)) for part in (two[:2], two[2:])]
    assert [row.score for row in found.rows] == pytest.approx(sorted(expected)[::-1], rel=1e-4)
    assert {row.scene.scene_id for row in found.rows} == {f"{movie}/s0001"}
    assert sorted((row.other.first_shot, row.other.end_shot) for row in found.rows) == [
        (0, 2),
        (2, 12),
    ]
    assert found.title == "Like a scene of one.mp4"
    only = find(library, f"{movie[:6]}/s0001", "two.mp4", view=view_of(first_shot))
    for name in ("one.mp4/s0001", "one/s0001", f"{Path.cwd()}/one.mp4/s0001"):
        assert find(library, name).rows == found.rows
    assert [row.other.path for row in only.rows] == ["two.mp4"] * 2


def test_films_that_do_not_fit_are_counted_and_the_first_is_an_error(library: ms.Library) -> None:
    put_film(library, "one.mp4")
    put_film(library, "two.mp4")
    put_film(library, "short.mp4", shots=4, scene_shots=None)
    library.put_timeline(make_timeline("unseen.mp4", shot_frames=(4,) * 12, scene_shots=None))
    found = find(library, "one.mp4")
    assert [row.other.path for row in found.rows] == ["two.mp4"]
    (note,) = found.notes
    assert note.startswith("not compared: 2 of 3 films; the first: short.mp4 has 4 shots, fewer")
    scene = find(library, f"{library.movie('one.mp4').id}/s0000")
    assert scene.notes[0].endswith("analyse it with --steps shots,scenes")


# Bad input


def test_one_film_twice_is_a_sentence(library: ms.Library) -> None:
    put_film(library, "one.mp4")
    movie = library.movie("one.mp4").id
    with pytest.raises(SettingError, match=r"one.mp4 and \w+ are of one film, one.mp4; name two"):
        find(library, "one.mp4", movie)


def test_a_scene_is_compared_with_the_others_of_its_own_film(library: ms.Library) -> None:
    shots = put_film(library, "one.mp4", scene_shots=(2, 4, 6))
    put_film(library, "two.mp4")
    movie = library.movie("one.mp4").id
    found = find(library, f"{movie}/s0001", "one.mp4")
    expected = {
        number: float((shots[2:6] @ part.T).mean(dtype=np.float64))
        for number, part in ((0, shots[:2]), (2, shots[6:]))
    }
    assert {row.other.scene_id: row.score for row in found.rows} == pytest.approx(
        {f"{movie}/s{number:04d}": score for number, score in expected.items()}, rel=1e-4
    )
    assert found.title == "Like a scene of one.mp4, in one.mp4"
    put_film(library, "long.mp4", scene_shots=(12,))
    with pytest.raises(LibraryError, match=r"long.mp4 has no other scene"):
        find(library, "long.mp4/s0000", "long.mp4")


def test_scenes_like_one_are_of_its_own_film_and_of_others_but_not_itself(
    library: ms.Library,
) -> None:
    for name in ("one.mp4", "two.mp4"):
        put_film(library, name, scene_shots=(2, 4, 6))
    put_film(library, "whole.mp4", scene_shots=None)
    scene = f"{library.movie('one.mp4').id}/s0001"
    source = SceneSource(library)
    found = find_scenes_like(source, scene)
    within, across = find(library, scene, "one.mp4"), find(library, scene)
    every = sorted([*within.rows, *across.rows], key=lambda row: -row.score)
    assert list(found.rows) == every
    assert len(every) == 5
    assert scene not in {row.other.scene_id for row in found.rows}
    assert find_scenes_like(source, scene, limit=2).rows == found.rows[:2]
    (note,) = found.notes
    assert note.startswith("not compared: 1 of 3 films; the first: the scenes of whole.mp4 were")
    with pytest.raises(SettingError, match=r"'one.mp4' names no scene; a scene is named like FILM"):
        find_scenes_like(source, "one.mp4")
    with pytest.raises(LibraryError, match="there is no scene 7"):
        find_scenes_like(source, "one.mp4/s0007")


def test_an_encoder_may_be_named_by_its_alias(library: ms.Library) -> None:
    put_film(library, "one.mp4", space=STARTER)
    put_film(library, "two.mp4", space=STARTER)
    put_film(library, "three.mp4")
    assert find(library, "one.mp4", "two.mp4", vectors="starter").space == STARTER


def test_a_film_or_scene_that_is_not_there_is_a_sentence(library: ms.Library) -> None:
    put_film(library, "one.mp4")
    put_film(library, "two.mp4", scene_shots=None)
    for names in (("no.mp4",), ("one.mp4", "no.mp4"), ("one.mp4", "abcd/s0000")):
        with pytest.raises(LibraryError, match="holds no film"):
            find(library, *names)
    with pytest.raises(LibraryError, match="has 2 scenes, counted from 0; there is no scene 2"):
        find(library, f"{library.movie('one.mp4').id}/s0002")
    with pytest.raises(LibraryError, match=r"scenes of two.mp4 were not found"):
        find(library, f"{library.movie('two.mp4').id}/s0000")


def test_a_film_alone_in_its_library_is_a_sentence(library: ms.Library) -> None:
    put_film(library, "one.mp4")
    with pytest.raises(LibraryError, match=r"nothing to compare with one.mp4: .* its only film"):
        find(library, "one.mp4")
    put_film(library, "short.mp4", shots=2, scene_shots=None)
    with pytest.raises(LibraryError, match=r"nothing to compare .*: short.mp4 has 2 shots"):
        find(library, "one.mp4")


def test_a_film_shorter_than_a_scene_says_which_window_would_do(library: ms.Library) -> None:
    put_film(library, "one.mp4")
    put_film(library, "short.mp4", shots=1, scene_shots=None)
    with pytest.raises(
        ShortMovieError, match=r"short.mp4 has 1 shot, fewer .* --window 1 compares"
    ):
        find(library, "one.mp4", "short.mp4")
    assert len(find(library, "one.mp4", "short.mp4", window=1).rows) == 1


def test_settings_that_mean_nothing_are_sentences(library: ms.Library) -> None:
    put_film(library, "one.mp4")
    put_film(library, "two.mp4")
    with pytest.raises(SettingError, match="a scene of 0 shots means nothing"):
        find(library, "one.mp4", "two.mp4", window=0)
    with pytest.raises(SettingError, match="the limit is 0; it is 1 or more"):
        find(library, "one.mp4", "two.mp4", limit=0)
    with pytest.raises(SettingError, match="has shots of its own; leave out --window"):
        find(library, f"{library.movie('one.mp4').id}/s0000", window=3)


def test_a_library_without_vectors_or_of_two_spaces_is_a_sentence(library: ms.Library) -> None:
    library.put_timeline(make_timeline("one.mp4"))
    library.put_timeline(make_timeline("two.mp4"))
    with pytest.raises(LibraryError, match="holds no vectors; analyse its films"):
        find(library, "one.mp4", "two.mp4")
    put_film(library, "three.mp4")
    put_film(library, "four.mp4", space=STARTER)
    with pytest.raises(LibraryError, match=r"vectors of .*; name the encoder to use"):
        find(library, "one.mp4", "two.mp4")
    with pytest.raises(LibraryError, match=r"shot .*/00000 of four.mp4 has no vector of toy"):
        find(library, "three.mp4", "four.mp4", vectors="toy")


# The page


def test_the_page_shows_both_scenes_their_times_and_the_reason(
    library: ms.Library, tmp_path: Path
) -> None:
    put_film(library, "films/<one>.mp4")
    put_film(library, "two.mp4")
    found = find(library, "films/<one>.mp4", "two.mp4")
    write_similar_page(library, [found], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "&lt;one&gt;.mp4 and two.mp4" in page
    assert "<one>" not in page
    assert page.count("data:image/jpeg;base64,") == 18
    assert "<bdi>kitchen</bdi></b> <small>(9 and 9 shots)" in page
    assert f"{found.rows[0].score:.3f}" in page
    assert "http" not in page.replace("http-equiv", "")


def test_two_views_stand_beside_each_other_and_may_find_unlike_many(
    library: ms.Library, tmp_path: Path
) -> None:
    put_film(library, "one.mp4")
    put_film(library, "two.mp4")
    found = [
        find(library, "one.mp4", "two.mp4", view=view) for view in
        (PLAIN_VIEW, view_of(first_shot))
    ]  # fmt: skip
    assert len(found[0].rows) < len(found[1].rows)
    write_similar_page(library, found, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "<h3>mean of shots</h3>" in page
    assert "<h3>trained</h3>" in page
    assert "Nothing more was found." in page


def test_a_scene_that_was_asked_for_is_shown_once_and_a_long_one_in_part(
    library: ms.Library, tmp_path: Path
) -> None:
    put_film(library, "one.mp4", shots=40, scene_shots=(40,))
    put_film(library, "two.mp4")
    movie = library.movie("one.mp4").id
    found = find(library, f"{movie}/s0000")
    assert len(found.rows) == 2
    write_similar_page(library, [found], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count(f"{movie}/s0000, shots 0–39, {MAX_STILLS} of them shown") == 1
    assert page.count("data:image/jpeg;base64,") == MAX_STILLS + 12


def test_a_page_that_cannot_be_written_is_a_sentence(library: ms.Library, tmp_path: Path) -> None:
    put_film(library, "one.mp4")
    put_film(library, "two.mp4")
    found = find(library, "one.mp4", "two.mp4")
    with pytest.raises(OutputError, match="cannot be written"):
        write_similar_page(library, [found], tmp_path / "no" / "page.html")


def test_a_limit_gives_the_best_of_all_films(library: ms.Library) -> None:
    for name in ("one.mp4", "two.mp4", "three.mp4", "four.mp4"):
        put_film(library, name, scene_shots=(3, 4, 5))
    scene = f"{library.movie('one.mp4').id}/s0001"
    every = find(library, scene, limit=100).rows
    assert [row.score for row in every] == sorted((row.score for row in every), reverse=True)
    assert len({row.other.movie_id for row in every[:4]}) > 1
    for limit in (1, 4):
        assert find(library, scene, limit=limit).rows == every[:limit]
