"""Several files analysed as one film: its shots, sound, results, resuming, and libraries."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from tests.factories.commands import run
from tests.factories.films import flat_images
from tests.factories.reels import write_reels
from tests.factories.sounds import click, frames_with_flash, sounding_film

import mastershot as ms
from mastershot.core.errors import MediaError
from mastershot.core.timeline import Timeline, timeline_schema
from mastershot.encoders.detectors.sound import WINDOW_SAMPLES
from mastershot.pipeline import analyze as story
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.analyze import analyze_movie
from mastershot.store.frames import frame_times_of
from mastershot.synthetic.films import draw_frames
from mastershot.synthetic.plan import FilmPlan, Picture, plan_film

SHOTS = Plan(steps=("shots",))
WITHOUT_WORDS = Plan(steps=("shots", "scenes"))
NTSC = Fraction(30_000, 1001)


@pytest.fixture(scope="module")
def plan() -> FilmPlan:
    return plan_film(2, 3, picture=Picture(96, 54, NTSC), seed=3)


@pytest.fixture(scope="module")
def pictures(plan: FilmPlan) -> list[np.ndarray]:
    return list(draw_frames(plan))


@pytest.fixture(scope="module")
def whole(
    plan: FilmPlan, pictures: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> Timeline:
    (path,) = write_reels(tmp_path_factory.mktemp("whole"), pictures, [0], frame_rate=NTSC)
    timeline = ms.analyze(path, WITHOUT_WORDS)
    assert [shot.span.first_frame for shot in timeline.shots[1:]] == list(plan.cuts)
    return timeline


@pytest.fixture(scope="module")
def reels(
    plan: FilmPlan, pictures: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """Three reels: the first join lies in mid-shot, the second at a cut."""
    starts = [0, plan.cuts[0] + 9, plan.cuts[3]]
    return write_reels(tmp_path_factory.mktemp("reels"), pictures, starts, frame_rate=NTSC)


def check(timeline: Timeline) -> None:
    jsonschema.validate(json.loads(timeline.to_json()), timeline_schema())
    assert Timeline.from_json(timeline.to_json()) == timeline


def spans(timeline: Timeline) -> list[tuple[int, int, Fraction, Fraction]]:
    return [
        (span.first_frame, span.end_frame, span.start, span.end)
        for span in (shot.span for shot in timeline.shots)
    ]


def test_the_shots_of_a_film_in_three_reels_are_those_of_the_whole_film(
    whole: Timeline, reels: list[Path], plan: FilmPlan, tmp_path: Path
) -> None:
    timeline = ms.analyze(reels, WITHOUT_WORDS, tmp_path)
    check(timeline)
    assert spans(timeline) == spans(whole)
    assert [shot.sampled_frames for shot in timeline.shots] == [
        shot.sampled_frames for shot in whole.shots
    ]
    assert [reel.path for reel in timeline.movie.reels] == [str(path) for path in reels]
    assert [reel.first_frame for reel in timeline.movie.reels[1:]] == [
        plan.cuts[0] + 9, plan.cuts[3],
    ]  # fmt: skip
    assert timeline.movie.path == str(reels[0])
    assert timeline.movie.reels[-1].end_frame == timeline.movie.num_frames
    folder = tmp_path / "reel1"
    assert Timeline.load(folder / "timeline.json") == timeline
    assert frame_times_of(timeline, folder).are_exact
    page = (folder / "report.html").read_text()
    assert all(path.name in page for path in reels)


@pytest.mark.parametrize("detector", ["content", "adaptive"])
def test_joins_are_no_cuts_and_cuts_at_joins_are_found(tmp_path: Path, detector: str) -> None:
    images = flat_images([(200, 30, 30)], each=80) + flat_images([(20, 30, 200)], each=40)
    paths = write_reels(tmp_path, images, [0, 25, 50, 80])
    shots = ms.detect_shots(paths, detector=detector)  # type: ignore[arg-type]
    assert [shot.span.first_frame for shot in shots] == [0, 80]


def test_fifty_reels_are_one_film(
    pictures: list[np.ndarray], plan: FilmPlan, tmp_path: Path
) -> None:
    starts = [number * len(pictures) // 50 for number in range(50)]
    timeline = ms.analyze(
        write_reels(tmp_path, pictures, starts, frame_rate=NTSC, suffix=".mkv"), SHOTS
    )
    check(timeline)
    assert [shot.span.first_frame for shot in timeline.shots[1:]] == list(plan.cuts)
    assert len(timeline.movie.reels) == 50
    for shot in timeline.shots:
        assert round((shot.span.start - timeline.shots[0].span.start) * NTSC) == (
            shot.span.first_frame
        )


def test_one_reel_is_the_film_itself(reels: list[Path]) -> None:
    alone, one = ms.analyze(reels[0], SHOTS), ms.analyze(reels[:1], SHOTS)
    assert one.movie == alone.movie
    assert one.shots == alone.shots
    assert "reels" not in json.loads(one.to_json())["movie"]


def test_a_click_in_a_later_reel_is_heard_with_its_flash(tmp_path: Path) -> None:
    """The first reel's sound is 2 s longer than its picture, that of the second starts late."""
    flash = 30
    one = sounding_film(tmp_path / "a.mkv", frames_with_flash(48, None), click(4.0, 3.9))
    other = sounding_film(
        tmp_path / "b.mkv", frames_with_flash(48, flash), click(1.5, flash / 24 - 0.5),
        video_start_s=Fraction(3), sound_start_s=Fraction(7, 2),
    )  # fmt: skip
    (tmp_path / "shots.txt").write_text("0 47\n48 77\n78 78\n79 95\n")
    plan = Plan(steps=("shots", "sound"), shot_list=tmp_path / "shots.txt")
    timeline = ms.analyze([one, other], plan)
    check(timeline)
    first, _, flashed, _ = timeline.shots
    assert flashed.span.start == Fraction(48 + flash, 24)
    assert flashed.sound is not None
    assert flashed.sound.peak_s == pytest.approx(flashed.span.start_s, abs=0.02)
    # The click after the first reel's last picture is not heard in the second; that of the second
    # begins some milliseconds before its flash, as resampling spreads it.
    assert first.sound is not None
    assert first.sound.peak_s is None
    peaks_s = [shot.sound.peak_s for shot in timeline.shots if shot.sound and shot.sound.peak_s]
    assert peaks_s == pytest.approx([flashed.span.start_s] * len(peaks_s), abs=0.02)
    window_s = WINDOW_SAMPLES / 16_000
    for event in timeline.audio or ():
        assert event.end_s <= timeline.movie.duration_s + window_s
    assert any("its sound goes on for 2.0 s" in note for note in timeline.notes)


def test_a_second_run_leaves_the_results_and_a_change_of_order_is_another_film(
    reels: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = prepare(SHOTS)
    first, folder = analyze_movie(reels, loaded, tmp_path)
    turned, other = analyze_movie(reels[::-1], loaded, tmp_path)
    assert turned.movie.id != first.movie.id
    assert (folder.name, other.name) == ("reel1", "reel3")
    alone, beside = analyze_movie(reels[0], loaded, tmp_path)
    assert beside.name == f"reel1-{alone.movie.id[:8]}"
    monkeypatch.setattr(story, "decode_film", None)
    assert analyze_movie(reels, loaded, tmp_path) == (first, folder)


def test_the_same_reel_twice_is_said(reels: list[Path]) -> None:
    timeline = ms.analyze([reels[0], reels[0]], SHOTS)
    check(timeline)
    first, again = timeline.movie.reels
    assert first.content_hash == again.content_hash
    assert again.first_frame == first.end_frame
    assert timeline.notes[0].startswith("reel 2 (reel1.mp4) is the same file as reel 1")


def analyze_command(reels: list[Path], out: Path) -> list[str]:
    return [
        sys.executable, "-m", "mastershot", "analyze", *map(str, reels), "--as-one", "--out",
        str(out), "--steps", "shots,scenes", "--sampling", "every", "--quiet",
    ]  # fmt: skip


def test_killed_in_a_later_reel_the_next_run_resumes(reels: list[Path], tmp_path: Path) -> None:
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "out"
    subprocess.run(analyze_command(reels, undisturbed), check=True, capture_output=True)
    process = subprocess.Popen(
        analyze_command(reels, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None:  # Until the first vectors are kept.
        if list(out.glob(".*.partial/features/*.npz")):
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path.name for path in out.rglob("*.npz")}
    assert kept
    subprocess.run(analyze_command(reels, out), check=True, capture_output=True)
    assert [path.name for path in out.iterdir()] == ["reel1"]
    assert kept <= {path.name for path in out.rglob("*.npz")}
    left, right = (Timeline.load(folder / "reel1/timeline.json") for folder in (undisturbed, out))
    assert replace(left, made_by=right.made_by) == right


def test_a_library_keeps_a_film_of_reels_and_finds_them_moved(
    reels: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = [Path("here", path.name) for path in reels]
    shutil.copytree(reels[0].parent, "here")
    library, loaded = ms.Library("films.mastershot"), prepare(WITHOUT_WORDS)
    first = library.add(here, loaded=loaded)
    assert library.add(here, loaded=loaded) == first
    assert library.movie("reel1").id == first.movie.id
    assert library.verify(hashes=True) == []
    os.chdir("/")
    assert library.verify(hashes=True) == []
    os.chdir(tmp_path)
    here[1].rename("here/moved.mp4")
    (problem,) = library.verify()
    assert "here/reel2.mp4 cannot be read: No such file" in problem.text
    there = [here[0], Path("here/moved.mp4"), here[2]]
    moved = library.add(there, loaded=loaded)
    assert [reel.path for reel in moved.movie.reels] == [str(path) for path in there]
    assert library.timeline(first.movie.id) == moved
    assert library.verify(hashes=True) == []
    there[2].write_bytes(there[0].read_bytes())
    (problem,) = library.verify(hashes=True)
    assert "reel3.mp4 has other content than the film that was added" in problem.text


def test_the_command_takes_reels_as_one_film(reels: list[Path], tmp_path: Path) -> None:
    library = tmp_path / "films.mastershot"
    done = run("analyze", *reels, "--as-one", "--steps", "shots", "--out", tmp_path, "--json",
               "--library", library)  # fmt: skip
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert Path(found["timeline"]) == tmp_path / "reel1" / "timeline.json"
    assert len(Timeline.load(found["timeline"]).movie.reels) == 3
    again = run("library", "add", *reels, "--as-one", "--steps", "shots", "--library", library)
    assert again.returncode == 0, again.stderr
    (kept,) = json.loads(run("library", "ls", "--library", library, "--json").stdout)
    assert kept["id"] == found["id"]


def test_a_reel_that_does_not_fit_is_one_sentence_and_leaves_nothing(
    reels: list[Path], tmp_path: Path
) -> None:
    (other,) = write_reels(tmp_path, flat_images([(9, 99, 9)], each=9, width_px=96, height_px=54),
                           [0], frame_rate=Fraction(25))  # fmt: skip
    done = run(
        "analyze", reels[0], other, "--as-one", "--steps", "shots", "--out", tmp_path / "out"
    )
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert "reel 2 (reel1.mp4) has 25 frames a second, but reel 1 (reel1.mp4) has 29.97" in line
    assert not (tmp_path / "out").exists()
    images = flat_images([(9, 99, 9), (99, 9, 9)], each=90, width_px=96, height_px=54)
    (cut,) = write_reels(tmp_path / "cut", images, [0], frame_rate=NTSC, suffix=".mkv")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 3])
    with pytest.raises(MediaError, match=r"^reel 2 of 2: .*reel1\.mkv is truncated"):
        ms.analyze([reels[0], cut], SHOTS)
    assert run("analyze", "--demo", "--as-one").returncode == 2
