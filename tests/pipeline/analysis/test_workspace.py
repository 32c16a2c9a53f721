"""A film's folder of results: whole or absent, its own, and mended by the next run."""

import contextlib
from fractions import Fraction
from pathlib import Path

import pytest
from tests.factories.timelines import JPEG, make_embeddings, make_space, make_timeline

from mastershot.core.errors import EncoderError, OutputError
from mastershot.core.timeline import Timeline
from mastershot.media.probe import FilmFile
from mastershot.pipeline.analysis import workspace as workspaces
from mastershot.pipeline.analysis.workspace import changing_results, open_workspace

SPACE = make_space(8)


def film_of(timeline: Timeline, *, path: str = "films/film.mp4") -> FilmFile:
    movie = timeline.movie
    return FilmFile(
        path=Path(path), content_hash=movie.content_hash, width_px=64, height_px=48,
        nominal_rate=None, mean_rate=None, time_base=movie.time_base,
        sample_aspect_ratio=Fraction(1), has_audio=False, stated_frames=None, stated_end_s=None,
    )  # fmt: skip


def run(out: Path, timeline: Timeline) -> Path:
    """Do what an analysis does in the workspace: pictures, vectors, results."""
    with open_workspace(out, film_of(timeline)) as workspace:
        thumbs = workspace.fresh_thumbs()
        for index in range(len(timeline.shots)):
            (thumbs / f"{index:05}.jpg").write_bytes(JPEG)
        workspace.features.put(make_embeddings(SPACE, range(timeline.movie.num_frames)))
        workspace.publish(timeline, ())
        return workspace.folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


ONE, OTHER = make_timeline("one"), make_timeline("other", shot_frames=(9,), scene_shots=None)


def test_two_films_of_one_stem_keep_a_folder_each(tmp_path: Path) -> None:
    folders = [run(tmp_path, timeline) for timeline in (ONE, OTHER, ONE, OTHER)]
    distinct = tmp_path / f"film-{OTHER.movie.id[:8]}"
    assert folders == [tmp_path / "film", distinct] * 2
    assert Timeline.load(folders[0] / "timeline.json") == ONE
    assert Timeline.load(folders[1] / "timeline.json") == OTHER
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["film", distinct.name]


def test_a_film_of_the_same_stem_that_comes_between_keeps_its_folder(tmp_path: Path) -> None:
    with open_workspace(tmp_path, film_of(ONE)) as workspace:
        assert workspace.folder == tmp_path / "film"
        assert run(tmp_path, OTHER) == tmp_path / "film"
        workspace.publish(ONE, ())
    assert workspace.folder == tmp_path / f"film-{ONE.movie.id[:8]}"
    assert Timeline.load(workspace.folder / "timeline.json") == ONE
    assert Timeline.load(tmp_path / "film" / "timeline.json") == OTHER


def test_a_file_in_the_place_of_the_folder_is_stepped_around(tmp_path: Path) -> None:
    (tmp_path / "film").write_text("a file")
    assert run(tmp_path, ONE).name == f"film-{ONE.movie.id[:8]}"
    assert (tmp_path / "film").read_text() == "a file"


@pytest.mark.parametrize(
    "text", [b"", b"\xff", b"null", b"[]", b"{}", b'{"movie": 5}', b'{"movie": {}}', b'"movie"']
)
def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "timeline.json").write_bytes(text)
    assert run(tmp_path, ONE) == tmp_path / f"film-{ONE.movie.id[:8]}"
    assert contents(tmp_path / "film") == {"timeline.json": text}


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "film").mkdir()
    assert run(tmp_path, ONE) == tmp_path / "film"


def test_new_results_replace_the_old_ones_whole_and_nothing_of_the_users(tmp_path: Path) -> None:
    folder = run(tmp_path, ONE)
    (folder / "notes.txt").write_text("mine")
    shorter = make_timeline("one", shot_frames=(70, 50), scene_shots=None)
    assert run(tmp_path, shorter) == folder
    assert sorted(path.name for path in (folder / "thumbs").iterdir()) == ["00000.jpg", "00001.jpg"]
    assert Timeline.load(folder / "timeline.json") == shorter
    assert (folder / "notes.txt").read_text() == "mine"
    assert len((folder / "shots.csv").read_text().splitlines()) == 3
    assert [entry.name for entry in tmp_path.iterdir()] == ["film"]
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("parts_done", range(4))
def test_killed_while_results_are_put_in_place_the_next_run_mends_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts_done: int
) -> None:
    folder, replace_part = run(tmp_path, ONE), workspaces._replace
    anew = make_timeline("one", shot_frames=(70, 50), scene_shots=None)
    done: list[Path] = []

    def killed(source: Path, target: Path) -> None:
        if len(done) == parts_done:
            raise KeyboardInterrupt
        replace_part(source, target)
        done.append(target)

    with monkeypatch.context() as patch:
        patch.setattr(workspaces, "_replace", killed)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, anew)
    assert not (folder / "timeline.json").exists()
    with open_workspace(tmp_path, film_of(ONE)) as workspace:
        assert workspace.folder == folder
        assert len(workspace.features.get(SPACE).frames) == 120
    assert run(tmp_path, anew) == folder
    assert Timeline.load(folder / "timeline.json") == anew
    assert len(list((folder / "thumbs").iterdir())) == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["film"]


def test_a_stopped_run_leaves_its_vectors_to_the_next_and_its_pictures_to_nobody(
    tmp_path: Path,
) -> None:
    def stop() -> None:
        with open_workspace(tmp_path, film_of(ONE)) as workspace:
            (workspace.fresh_thumbs() / "99999.jpg").write_bytes(JPEG)
            workspace.features.put(make_embeddings(SPACE, range(60)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    with open_workspace(tmp_path, film_of(ONE)) as workspace:
        assert workspace.previous() is None
        assert len(workspace.features.get(SPACE).frames) == 60
        assert list(workspace.fresh_thumbs().iterdir()) == []


def test_a_failed_run_leaves_nothing_but_what_was_there(tmp_path: Path) -> None:
    def fail(out: Path) -> None:
        with open_workspace(out, film_of(ONE)) as workspace:
            workspace.fresh_thumbs()
            raise EncoderError("broken")

    with pytest.raises(EncoderError, match=r"^broken$"):
        fail(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    folder = run(tmp_path / "out", ONE)
    before = contents(folder)
    with pytest.raises(EncoderError, match=r"^broken$"):
        fail(tmp_path / "out")
    assert contents(tmp_path / "out") == {f"film/{name}": data for name, data in before.items()}
    (tmp_path / "empty").mkdir()
    with pytest.raises(EncoderError, match=r"^broken$"):
        fail(tmp_path / "empty")
    assert (tmp_path / "empty").is_dir()


def test_a_disk_that_fails_meanwhile_is_one_sentence(tmp_path: Path) -> None:
    sentence = r"^results for film\.mp4 cannot be written to .*out: No space left on device$"
    with (
        pytest.raises(OutputError, match=sentence),
        open_workspace(tmp_path / "out", film_of(ONE)),
    ):
        raise OSError(28, "No space left on device")


def test_two_runs_on_one_film_exclude_each_other_and_two_films_do_not(tmp_path: Path) -> None:
    with open_workspace(tmp_path, film_of(ONE)) as workspace:
        workspace.features.put(make_embeddings(SPACE, range(9)))
        with (
            pytest.raises(OutputError, match=r"^another run is analysing film\.mp4 in "),
            open_workspace(tmp_path, film_of(ONE)),
        ):
            pytest.fail("the folder is in use")
        with open_workspace(tmp_path, film_of(OTHER)):
            pass
        assert len(workspace.features.get(SPACE).frames) == 9
    with open_workspace(tmp_path, film_of(ONE)):
        pass


def test_results_are_not_changed_while_a_run_is_at_work_nor_the_other_way_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run(tmp_path, ONE)

    def require_busy() -> None:
        with (
            pytest.raises(OutputError, match=r"^another run is analysing one in .*, or changing"),
            changing_results(folder, ONE.movie),
        ):
            pytest.fail("the film is in use")

    replace_part = workspaces._replace
    replaced: list[str] = []

    def replace_while_busy(source: Path, target: Path) -> None:
        require_busy()
        replaced.append(target.name)
        replace_part(source, target)

    monkeypatch.setattr(workspaces, "_replace", replace_while_busy)
    with open_workspace(tmp_path, film_of(ONE)) as workspace:
        require_busy()
        workspace.fresh_thumbs()
        workspace.publish(ONE, ())
    assert "timeline.json" in replaced
    with changing_results(folder, ONE.movie):
        with (
            pytest.raises(OutputError, match=r"or changing it$"),
            open_workspace(tmp_path, film_of(ONE)),
        ):
            pytest.fail("the film is in use")
        require_busy()
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_changing_results_keeps_what_a_stopped_run_left(tmp_path: Path) -> None:
    with contextlib.suppress(KeyboardInterrupt), open_workspace(tmp_path, film_of(ONE)) as stopped:
        stopped.features.put(make_embeddings(SPACE, range(9)))
        raise KeyboardInterrupt
    with changing_results(tmp_path / "film", ONE.movie):
        pass
    with open_workspace(tmp_path, film_of(ONE)) as again:
        assert len(again.features.get(SPACE).frames) == 9


def test_results_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    folder = run(tmp_path, ONE)
    text = (folder / "timeline.json").read_text()
    with open_workspace(tmp_path, film_of(ONE)) as workspace:
        assert workspace.previous() == ONE
        (folder / "timeline.json").write_text(text[: len(text) // 2])
        assert workspace.previous() is None
