"""Films in, films out: what was put comes back equal, and putting it again changes nothing."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.factories.timelines import make_embeddings, make_space, make_thumbs, make_timeline

from mastershot.core.errors import LibraryError
from mastershot.core.labels import LabelScore
from mastershot.core.timeline import Timeline
from mastershot.store import lance
from mastershot.store.library import Library
from mastershot.store.tables import TABLES_OF_A_RUN
from mastershot.store.verify import find_problems

SPACE = make_space()


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "films.mastershot", create=True)


def versions(library: Library) -> dict[str, int]:
    names = (path.stem for path in library.path.glob("*.lance"))
    return {name: library.tables.version(name) for name in names}


def fill(library: Library, timeline: Timeline) -> bool:
    frames = range(0, timeline.movie.num_frames, 5)
    library.features(timeline.movie.id).put(make_embeddings(SPACE, frames))
    return library.put_timeline(timeline, make_thumbs(timeline))


@pytest.mark.parametrize(
    "timeline",
    [
        make_timeline(),
        make_timeline(scene_shots=None, labels=None),
        make_timeline(labels=(), steps={}),
        make_timeline("a 'film' of 100% \\ été.mkv", shot_frames=(1,), scene_shots=(1,)),
    ],
    ids=["whole", "shots only", "no label found", "hard name"],
)
def test_a_timeline_comes_back_equal(library: Library, timeline: Timeline) -> None:
    assert library.find(timeline.movie.id) is None
    assert library.put_timeline(timeline)
    assert library.timeline(timeline.movie.id) == timeline
    assert library.find(timeline.movie.id) == timeline


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=3),
    score=st.floats(0, 1),
)
def test_any_timeline_comes_back_equal_in_the_place_of_the_last(
    library: Library, lengths: list[int], names: list[str], score: float
) -> None:
    timeline = make_timeline(shot_frames=lengths, scene_shots=(len(lengths),), labels=names)
    first = replace(timeline.shots[0], labels=(LabelScore("any", score),))
    timeline = replace(timeline, shots=(first, *timeline.shots[1:]))
    library.put_timeline(timeline)
    assert library.timeline(timeline.movie.id) == timeline
    assert [movie.num_shots for movie in library.movies()] == [len(lengths)]


def test_shots_and_labels_are_columns_that_can_be_asked(library: Library) -> None:
    timeline = make_timeline()
    library.put_timeline(timeline)
    shots = library.tables.rows("shots", where="start_s > 1 AND array_has(kept, 'bar')")
    assert sorted(shots["id"].to_pylist()) == [shot.id for shot in timeline.shots[1:]]
    assert sorted(shots["scene_index"].to_pylist()) == [0, 1]
    kitchen = "name = 'kitchen' AND level = 'shot' AND NOT borrowed AND score >= 0.7"
    labels = library.tables.rows("labels", where=kitchen)
    assert sorted(labels["item_id"].to_pylist()) == [shot.id for shot in timeline.shots]
    scenes = library.tables.rows("scenes", where="first_shot <= 2 AND 2 < end_shot")
    assert timeline.scenes is not None
    assert scenes["id"].to_pylist() == [timeline.scenes[1].id]


def test_pictures_come_back_by_shot(library: Library) -> None:
    timeline = make_timeline()
    thumbs = make_thumbs(timeline)
    del thumbs[timeline.shots[2].id]
    library.put_timeline(timeline, thumbs)
    assert library.thumb(timeline.shots[1].id) == thumbs[timeline.shots[1].id]
    assert library.thumb(timeline.shots[2].id) is None
    assert library.thumb("nothing/00000") is None


def test_pictures_are_read_from_the_folder_of_the_timeline(
    library: Library, tmp_path: Path
) -> None:
    timeline = make_timeline()
    (tmp_path / "thumbs").mkdir()
    for shot in timeline.shots:
        (tmp_path / str(shot.thumb)).write_bytes(make_thumbs(timeline)[shot.id])
    assert library.put_timeline(timeline, tmp_path)
    assert library.thumb(timeline.shots[0].id) == make_thumbs(timeline)[timeline.shots[0].id]
    assert not library.put_timeline(timeline, make_thumbs(timeline))


def test_the_list_of_films_is_sorted_by_path_and_says_what_they_are(
    library: Library, tmp_path: Path
) -> None:
    file = tmp_path / "b.mp4"
    file.write_bytes(b"film")
    for name in (str(file), str(tmp_path / "a.mp4")):
        library.put_timeline(make_timeline(name))
    absent, present = library.movies()
    assert (absent.file, absent.size_bytes) == (str(tmp_path / "a.mp4"), None)
    assert (present.file, present.size_bytes) == (str(file), 4)
    assert (present.num_shots, present.num_scenes, present.num_frames) == (3, 2, 120)
    assert present.duration_s == pytest.approx(120 * 1001 / 24000)


def test_a_film_answers_to_each_of_its_names_and_their_starts(
    library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    library.put_timeline(make_timeline("it's.mp4"))
    (film,) = library.movies()
    names = (film.id, film.id[:3], "it's.mp4", "it's", "it", "x/../it's.mp4")
    for name in (*names, tmp_path / "it's.mp4", str(tmp_path / "it's.mp4")[:-2]):
        assert library.movie(name) == film


def test_a_name_that_is_no_film_or_several_is_one_sentence(library: Library) -> None:
    first = make_timeline("0.mp4")
    twins = (make_timeline(str(n)) for n in range(1, 100))
    second = next(it for it in twins if it.movie.id[0] == first.movie.id[0])
    library.put_timeline(first)
    library.put_timeline(second)
    for name in ("other.mp4", "", "%", "' OR 'a' = 'a", "\0", "\udce9"):
        with pytest.raises(LibraryError, match=r"holds no film .*; `mastershot library ls"):
            library.movie(name)
    with pytest.raises(
        LibraryError,
        match=r"names 2 films of .*\), .*\); give an id, or more of the",
    ):
        library.movie(first.movie.id[0])
    with pytest.raises(LibraryError, match=r"`mastershot .* it holds; did you mean '0\.mp4'\?"):
        library.movie("0.MP4")
    with pytest.raises(LibraryError, match="holds no film 'absent'"):
        library.timeline("absent")


def test_a_long_list_of_films_of_one_name_is_cut_short(library: Library) -> None:
    for number in range(7):
        library.put_timeline(make_timeline(f"{number}/film.mp4"))
    with pytest.raises(LibraryError, match=r"'film' names 7 films .*4/film\.mp4 .* and 2 more"):
        library.movie("film")


def test_a_film_whose_name_is_not_utf8_is_kept_and_found_as_it_is_called(tmp_path: Path) -> None:
    file = tmp_path / "caf\udce9.mp4"
    file.write_bytes(b"film")
    library = Library(tmp_path / "films\udce9.mastershot", create=True)
    timeline = make_timeline()
    timeline = replace(timeline, movie=replace(timeline.movie, path=str(file)))
    assert fill(library, timeline)
    assert not library.put_timeline(timeline, make_thumbs(timeline))
    film = Library(library.path).movie("caf\udce9.mp4")
    assert (film.path, film.file, film.size_bytes) == (str(file), str(file), 4)
    assert library.timeline(film.id) == timeline
    assert list(find_problems(library)) == []
    assert library.remove("caf") == film


def test_adding_a_film_twice_changes_no_table(library: Library) -> None:
    timeline = make_timeline()
    assert fill(library, timeline)
    content, before = library.dump(), versions(library)
    later = replace(timeline, made_by=replace(timeline.made_by, created="2030-01-01T00:00:00Z"))
    assert not fill(library, timeline)
    assert not fill(library, later)
    assert versions(library) == before
    assert library.dump() == content
    assert library.timeline(timeline.movie.id).made_by.created == timeline.made_by.created


@pytest.mark.parametrize(
    "changed",
    [
        make_timeline(shot_frames=(60, 60), scene_shots=(2,)),
        make_timeline(steps={"shots": {"detector": "adaptive"}}),
        make_timeline(labels=("river",)),
        replace(make_timeline(), movie=replace(make_timeline().movie, path="moved.mp4")),
    ],
    ids=["other shots", "other settings", "other labels", "other path"],
)
def test_another_run_of_a_film_takes_the_place_of_the_first(
    library: Library, tmp_path: Path, changed: Timeline
) -> None:
    fill(library, make_timeline("neighbour.mp4"))
    fill(library, make_timeline())
    assert fill(library, changed)
    assert library.timeline(changed.movie.id) == changed

    fresh = Library(tmp_path / "fresh.mastershot", create=True)
    fill(fresh, make_timeline("neighbour.mp4"))
    fill(fresh, changed)
    found, expected = library.dump(), fresh.dump()
    for name in (*TABLES_OF_A_RUN, "movies"):
        assert found[name] == expected[name], name


def test_pictures_alone_make_another_run(library: Library) -> None:
    timeline = make_timeline()
    library.put_timeline(timeline)
    assert library.put_timeline(timeline, make_thumbs(timeline))
    assert library.thumb(timeline.shots[0].id) == make_thumbs(timeline)[timeline.shots[0].id]


def test_a_film_whose_file_came_later_is_updated_and_its_rows_are_not_doubled(
    library: Library, tmp_path: Path
) -> None:
    file = tmp_path / "film.mp4"
    timeline = make_timeline(str(file))
    library.put_timeline(timeline)
    (before,) = library.movies()
    shots = library.tables.version("shots")
    file.write_bytes(b"film")
    assert library.put_timeline(timeline)
    assert library.movies() == [replace(before, size_bytes=4)]
    assert library.tables.version("shots") == shots


def test_a_run_that_is_replaced_while_it_is_read_is_read_again(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.put_timeline(make_timeline(labels=("river",)))
    (film,) = library.movies()
    timeline = make_timeline()
    library.put_timeline(timeline)
    answers = [film.run_id]
    run = library._run
    monkeypatch.setattr(library, "_run", lambda name: answers.pop() if answers else run(name))
    assert library.find(film.id) == timeline
    assert answers == []


def test_a_picture_behind_a_link_out_of_its_folder_is_refused(
    library: Library, tmp_path: Path
) -> None:
    timeline = make_timeline()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "00000.jpg").write_bytes(b"secret")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "thumbs").symlink_to(tmp_path / "secret")
    with pytest.raises(LibraryError, match=r"picture thumbs/00000\.jpg of shot .* lies outside"):
        library.put_timeline(timeline, folder)
    bare = replace(timeline, shots=tuple(replace(shot, thumb=None) for shot in timeline.shots))
    assert library.put_timeline(bare, folder)
    assert library.thumb(bare.shots[0].id) is None


def test_a_picture_of_a_run_that_was_replaced_is_not_shown(library: Library) -> None:
    timeline = make_timeline()
    library.put_timeline(timeline, make_thumbs(timeline))
    stored = library.tables.rows("shots")
    library.put_timeline(make_timeline(labels=("river",)))
    library.tables.append("shots", stored)
    assert library.thumb(timeline.shots[0].id) is None


def test_a_removed_film_leaves_nothing_and_its_neighbour_alone(library: Library) -> None:
    neighbour, film = make_timeline("neighbour.mp4"), make_timeline()
    fill(library, neighbour)
    content = library.dump()
    fill(library, film)
    assert library.remove("film.mp4").id == film.movie.id
    assert library.dump() == content
    assert library.find(film.movie.id) is None
    assert fill(library, film)
    assert library.timeline(film.movie.id) == film


def test_vectors_wait_for_their_timeline(library: Library) -> None:
    timeline = make_timeline()
    library.features(timeline.movie.id).put(make_embeddings(SPACE, [1, 2]))
    assert library.movies() == []
    assert library.spaces() == [SPACE]
    library.put_timeline(timeline)
    assert library.features(timeline.movie.id).get(SPACE).frames.tolist() == [1, 2]


def test_a_library_opened_twice_shows_both_the_same(library: Library) -> None:
    other = Library(library.path)
    fill(library, make_timeline("one.mp4"))
    fill(other, make_timeline("two.mp4"))
    assert library.movies() == other.movies()
    assert len(library.movies()) == 2
    assert Library(library.path, create=True).dump() == other.dump()


def test_many_films_are_compacted_and_indexed_without_a_change_of_content(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lance, "MANY_FRAGMENTS", 3)
    monkeypatch.setattr(lance, "INDEX_FROM_ROWS", 10)
    timelines = [make_timeline(f"{number}.mp4") for number in range(6)]
    for timeline in timelines:
        fill(library, timeline)
    for timeline in timelines:
        assert library.timeline(timeline.movie.id) == timeline
        assert library.thumb(timeline.shots[1].id) == make_thumbs(timeline)[timeline.shots[1].id]
        kept = library.features(timeline.movie.id).get(SPACE, np.array([5, 10]))
        np.testing.assert_array_equal(kept.vectors, make_embeddings(SPACE, [5, 10]).vectors)
    table = library.tables._database.open_table("shots")
    assert table.stats()["fragment_stats"]["num_fragments"] <= 4
    assert [index.columns for index in table.list_indices()] == [["movie_id"]]
    assert {problem.kind for problem in find_problems(library)} == {"file"}
    library.remove(timelines[0].movie.id)
    assert library.thumb(timelines[0].shots[0].id) is None
    assert library.thumb(timelines[1].shots[0].id) is not None


@pytest.mark.parametrize("name", ["plain", "with space", "50% #1?", "été 日本", "a'b", "s3:"])
def test_a_library_may_lie_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    library = Library(tmp_path / name / "films.mastershot", create=True)
    fill(library, make_timeline())
    assert Library(library.path).timeline(make_timeline().movie.id) == make_timeline()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_library_may_be_named_relative_to_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    library = Library("films.mastershot", create=True)
    monkeypatch.chdir("/")
    assert fill(library, make_timeline())
    assert len(Library(tmp_path / "films.mastershot").movies()) == 1


def test_importing_the_store_imports_no_heavy_library() -> None:
    code = (
        "import sys, mastershot.store.library, mastershot.store.features;"
        "print([name for name in ('lancedb', 'pyarrow', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
