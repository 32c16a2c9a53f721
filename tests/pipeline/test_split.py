"""A tape of several films: a folder each, after one decoding pass, and what a second run leaves."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from tests.factories.commands import run
from tests.factories.films import encode_film, flat_images

import mastershot as ms
from mastershot.core.embeddings import ImageArray
from mastershot.core.lanes import Interval, Lane
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline, timeline_schema
from mastershot.pipeline import analyze as story
from mastershot.pipeline.analysis import decode_pass
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.parts import SplitRule
from mastershot.pipeline.split import analyze_films
from mastershot.scenes.grouping import COLOR_SPACE
from mastershot.shots.settings import ShotSettings
from mastershot.store.features import FolderFeatures
from mastershot.store.frames import frame_times_of, read_frames

PLAN = Plan(steps=("shots", "scenes"), shots=ShotSettings("content"))
FILMS = ((0, 40), (90, 150), (200, 240))


def tape_images() -> list[ImageArray]:
    """Three films at 24 frames a second, of 1, 2 and 1 shots, with 50 black frames between."""
    colours = ((200, 30, 30), (0, 0, 0), (30, 200, 30), (240, 240, 240), (0, 0, 0), (200, 200, 30))
    lengths = (40, 50, 30, 30, 50, 40)
    images = []
    for colour, length in zip(colours, lengths, strict=True):
        images += flat_images([colour], each=length)
    return images


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tape")
    return encode_film(folder / "tape.mkv", tape_images(), options={"crf": "5"})


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how often the tape was decoded."""
    decode, counts = decode_pass.decode_film, list[int]()

    def counted(*args: object, **settings: object) -> object:
        counts.append(1)
        return decode(*args, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(story, "decode_film", counted)
    return counts


def test_each_film_of_a_tape_has_its_folder_after_one_pass(
    tape: Path, passes: list[int], tmp_path: Path
) -> None:
    (whole, folder), *films = analyze_films(tape, prepare(PLAN), tmp_path)
    assert len(passes) == 1
    assert folder == tmp_path / "tape"
    assert [place.name for _, place in films] == ["tape-01", "tape-02", "tape-03"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tape", "tape-01", "tape-02", "tape-03"]
    whole_times = frame_times_of(whole, folder)
    for (timeline, place), (first, end) in zip(films, FILMS, strict=True):
        assert Timeline.load(place / "timeline.json") == timeline
        jsonschema.validate(json.loads(timeline.to_json()), timeline_schema())
        times = frame_times_of(timeline, place)
        assert times.are_exact
        np.testing.assert_array_equal(times.pts, whole_times.pts[first : end + 1])
        assert set(read_frames(place / "frames.npz").scores) == set(
            read_frames(folder / "frames.npz").scores
        )
        assert timeline.movie.path == str(tape)
        page = (place / "report.html").read_text()
        assert "this file, which is divided where it is black for long" in page
        assert len((place / "shots.csv").read_text().splitlines()) == 1 + len(timeline.shots)
        for shot in timeline.shots:
            assert shot.thumb is not None
            assert (place / shot.thumb).read_bytes().startswith(b"\xff\xd8")
    pictures = [
        [(place / shot.thumb).read_bytes() for shot in timeline.shots if shot.thumb]
        for timeline, place in films
    ]
    assert pictures[1][0] == (folder / "thumbs" / "00002.jpg").read_bytes()
    assert [len(timeline.shots) for timeline, _ in films] == [1, 2, 1]


def test_the_vectors_of_a_film_are_those_of_its_frames_in_the_tape(
    tape: Path, passes: list[int], tmp_path: Path
) -> None:
    (_, folder), *films = analyze_films(tape, prepare(PLAN), tmp_path)
    kept = FolderFeatures(folder / "features").get(COLOR_SPACE)
    for (timeline, place), (first, _) in zip(films, FILMS, strict=True):
        own = FolderFeatures(place / "features").get(COLOR_SPACE)
        sampled = [frame for shot in timeline.shots for frame in shot.sampled_frames]
        assert own.frames.tolist() == sampled
        rows = np.searchsorted(kept.frames, own.frames + first)
        np.testing.assert_array_equal(own.vectors, kept.vectors[rows])


def test_a_second_run_changes_no_byte_and_what_was_brought_in_stays(
    tape: Path, passes: list[int], tmp_path: Path
) -> None:
    def files() -> dict[str, tuple[bytes, int]]:
        return {
            str(p): (p.read_bytes(), p.stat().st_mtime_ns)
            for p in tmp_path.rglob("*") if p.is_file()
        }  # fmt: skip

    _, _, (timeline, place), _ = analyze_films(tape, prepare(PLAN), tmp_path)
    before = files()
    analyze_films(tape, prepare(PLAN), tmp_path)
    assert files() == before
    times = FrameTimes(frame_times_of(timeline, place).pts, timeline.movie.time_base)
    lane = Lane("notes", "notes", "mine.csv", (Interval(times.span(3, 9), "here"),))
    edited = replace(timeline, lanes=(lane,))
    (place / "timeline.json").write_text(edited.to_json())
    again = analyze_films(tape, prepare(PLAN), tmp_path)
    assert again[2] == (edited, place)
    anew = analyze_films(tape, prepare(replace(PLAN, steps=("shots",))), tmp_path)
    assert anew[2][0].lanes == (lane,)
    assert anew[2][0].scenes is None
    assert len(passes) == 1


def test_another_division_leaves_the_folders_of_the_first(
    tape: Path, passes: list[int], tmp_path: Path
) -> None:
    loaded = prepare(PLAN)
    first = analyze_films(tape, loaded, tmp_path)
    (_, _), *films = analyze_films(tape, loaded, tmp_path, rule=SplitRule(min_film_s=2))
    assert [place.name for _, place in films] == []
    other = encode_film(tmp_path / "tape-01.mkv", tape_images()[:30])
    timeline, place = story.analyze_movie(other, loaded, tmp_path)
    assert place.name == f"tape-01-{timeline.movie.id[:8]}"
    assert Timeline.load(first[1][1] / "timeline.json") == first[1][0]


def test_a_library_keeps_the_films_of_a_tape(tape: Path, passes: list[int], tmp_path: Path) -> None:
    library, loaded = ms.Library(tmp_path / "films.mastershot"), prepare(PLAN)
    for timeline, place in analyze_films(tape, loaded, tmp_path)[1:]:
        assert library.keep(timeline, place, loaded) == timeline
        assert library.timeline(timeline.movie.id) == timeline
        assert library.thumb(timeline.shots[0].id)
    assert len(library.movies()) == 3
    assert library.verify(hashes=True) == []


def test_the_command_names_each_film(tape: Path, tmp_path: Path) -> None:
    """End to end: the detector of black finds where the films lie."""
    done = run("analyze", tape, "--split-at-black", "--steps", "shots", "--out", tmp_path, "--json",
               "--library", tmp_path / "films.mastershot")  # fmt: skip
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert [(film["first_frame"], film["end_frame"]) for film in found["films"]] == list(FILMS)
    assert [Path(film["timeline"]).parent.name for film in found["films"]] == [
        "tape-01", "tape-02", "tape-03",
    ]  # fmt: skip
    listed = run("library", "ls", "--library", tmp_path / "films.mastershot", "--json")
    assert {film["id"] for film in json.loads(listed.stdout)} == {
        film["id"] for film in found["films"]
    }
    longer = run("analyze", tape, "--split-at-black", "--min-black", "3", "--steps", "shots",
                 "--out", tmp_path)  # fmt: skip
    assert longer.returncode == 0
    assert "one film: between no pictures is it black, and silent, for 3 s" in longer.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--split-at-black", "--as-one"), "--as-one joins files and --split-at-black divides"),
        (("--min-black", "2"), "--min-black says where --split-at-black divides"),
        (("--split-at-black", "--min-black", "0"), "shortest black is 0 s; it must be above 0"),
    ],
)
def test_options_that_make_no_sense_are_usage_errors(
    tape: Path, tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    done = run("analyze", tape, *options, cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.split()).replace("│ ", "")
