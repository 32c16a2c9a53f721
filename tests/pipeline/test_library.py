import json
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import drawn_film
from tests.factories.models import make_tiny_clip

import mastershot as ms
from mastershot.core.errors import MediaError
from mastershot.pipeline import analyze as story
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.scenes.grouping import COLOR_SPACE

WITHOUT_WORDS = Plan(steps=("shots", "scenes"))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("films")
    drawn_film(folder / "one.mp4", num_scenes=3)
    drawn_film(folder / "two.mp4", num_scenes=2, shots_per_scene=3)
    return [folder / "one.mp4", folder / "two.mp4"]


def versions(library: ms.Library) -> dict[str, int]:
    names = [*library.dump()]
    return {name: library.tables.version(name) for name in names}


def test_a_film_is_analysed_and_kept_once(films: list[Path], tmp_path: Path) -> None:
    library = ms.Library(tmp_path / "films.mastershot")
    loaded = prepare(WITHOUT_WORDS)
    timeline = library.add(films[0], loaded=loaded)
    assert library.timeline(timeline.movie.id) == timeline
    assert [movie.id for movie in library.movies()] == [timeline.movie.id]
    frames = [frame for shot in timeline.shots for frame in shot.sampled_frames]
    kept = library.features(timeline.movie.id).get(COLOR_SPACE)
    np.testing.assert_array_equal(kept.frames, frames)
    assert library.thumb(timeline.shots[0].id)
    assert library.verify() == []
    before = library.dump(), versions(library)
    assert library.add(films[0], loaded=loaded) == timeline
    assert (library.dump(), versions(library)) == before


def test_a_film_that_was_moved_is_found_again(films: list[Path], tmp_path: Path) -> None:
    library, loaded = ms.Library(tmp_path / "films.mastershot"), prepare(WITHOUT_WORDS)
    here, there = tmp_path / "here.mp4", tmp_path / "there.mp4"
    shutil.copy(films[0], here)
    first = library.add(here, loaded=loaded)
    assert library.add(films[0], loaded=loaded) == first  # a copy: the film is still where it was
    here.rename(there)
    moved = library.add(there, loaded=loaded)
    assert moved == replace(first, movie=replace(first.movie, path=str(there)))
    [movie] = library.movies()
    assert movie.path == movie.file == str(there)
    assert library.thumb(moved.shots[0].id)
    assert library.verify() == []


def test_new_labels_are_made_from_what_is_kept(
    films: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = ms.Library(tmp_path / "films.mastershot")
    plan = Plan(encoder=str(make_tiny_clip(tmp_path / "tiny")))
    first = library.add(films[0], loaded=prepare(plan))
    monkeypatch.setattr(story, "decode_film", None)
    second = library.add(films[0], loaded=prepare(replace(plan, taxonomy="movieclip-150")))
    assert second.shots[0].span == first.shots[0].span
    assert second.made_by.steps["labels"]["taxonomy"] == "movieclip-150"
    assert library.timeline(second.movie.id) == second
    assert library.thumb(second.shots[0].id)
    assert library.verify() == []


def test_analysed_beside_a_library_both_hold_the_same(films: list[Path], tmp_path: Path) -> None:
    library = ms.Library(tmp_path / "films.mastershot")
    loaded = prepare(WITHOUT_WORDS)
    story.analyze_movie(films[0], loaded, tmp_path / "out")
    timeline = library.add(films[0], loaded=loaded, out=tmp_path / "out")
    assert library.timeline(timeline.movie.id) == timeline
    assert ms.Timeline.load(tmp_path / "out" / "one" / "timeline.json") == timeline
    assert len(library.features(timeline.movie.id).get(COLOR_SPACE))
    assert library.verify() == []


def test_a_film_that_fails_leaves_no_row(films: list[Path], tmp_path: Path) -> None:
    library = ms.Library(tmp_path / "films.mastershot")
    path = tmp_path / "cut.mkv"
    drawn_film(path, num_scenes=6)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(MediaError, match="truncated"):
        library.add(path, loaded=prepare(WITHOUT_WORDS))
    assert not any(library.dump().values())
    assert not any(library.path.glob("building-*"))


def without_times(library: Path) -> str:
    """Return all a library holds but for when it was made."""
    text = json.dumps(ms.Library(library).dump(), default=repr, sort_keys=True)
    for movie in ms.Library(library).movies():
        text = text.replace(ms.Library(library).timeline(movie.id).made_by.created, "")
    return text


def add_all(films: list[Path], library: Path) -> list[str]:
    names = [str(film) for film in films]
    return [
        sys.executable, "-m", "mastershot", "library", "add", *names,
        "--library", str(library), "--steps", "shots,scenes", "--sampling", "rate:12", "--quiet",
    ]  # fmt: skip


def kill_at_random_and_compare(films: list[Path], folder: Path, kills: int) -> None:
    undisturbed, killed = folder / "undisturbed.mastershot", folder / "killed.mastershot"
    started_s = time.monotonic()
    subprocess.run(add_all(films, undisturbed), check=True, capture_output=True)
    duration_s = time.monotonic() - started_s
    chance = random.Random(5)
    landed = 0
    for round_number in range(kills):
        if round_number % 5 == 0:
            shutil.rmtree(killed, ignore_errors=True)
        process = subprocess.Popen(
            add_all(films, killed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0.2, 1.0) * duration_s)
        if process.poll() is None:
            landed += 1
        elif not landed:  # It was quicker than the run that was timed.
            duration_s /= 2
        process.send_signal(signal.SIGKILL)
        process.wait()
        if round_number % 5 == 4 or round_number == kills - 1:
            subprocess.run(add_all(films, killed), check=True, capture_output=True)
            assert without_times(killed) == without_times(undisturbed)
            assert ms.Library(killed).verify() == []
            assert not any(killed.glob("building-*"))
    assert landed > 0


def test_killed_at_random_the_next_run_makes_the_same_library(
    films: list[Path], tmp_path: Path
) -> None:
    kill_at_random_and_compare(films, tmp_path, kills=3)


@pytest.mark.slow
def test_killed_twenty_times_at_random_the_library_is_the_same(
    films: list[Path], tmp_path: Path
) -> None:
    kill_at_random_and_compare(films, tmp_path, kills=20)
