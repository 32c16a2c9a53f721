"""Drawn films are what their plans say: cuts, places, sound and files."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from scenedetect import ContentDetector, detect

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.media.write import Encoding
from mastershot.synthetic.films import draw_frames, draw_sound, write_film
from mastershot.synthetic.plan import Editing, FilmPlan, Picture, plan_demo_film, plan_film
from mastershot.synthetic.stage import GRAIN

SMALL = Picture(64, 36)


def frames_of(plan: FilmPlan) -> ImageArray:
    return np.stack(list(draw_frames(plan)))


def changes_of(frames: ImageArray) -> FloatArray:
    """Return how much each frame differs from the one before, the first from nothing."""
    wide = frames.astype(np.int16)
    steps = np.abs(wide[1:] - wide[:-1]).mean(axis=(1, 2, 3))
    return np.concatenate([[0], steps]).astype(np.float32)


def test_frames_change_most_at_the_cuts_of_the_plan() -> None:
    plan = plan_film(3, 5, picture=SMALL, seed=5)
    frames = frames_of(plan)

    assert len(frames) == plan.num_frames == plan.starts[-1]
    changes = changes_of(frames)
    assert len(plan.cuts) == 14
    assert sorted(np.argsort(changes)[-14:]) == list(plan.cuts)
    elsewhere = np.delete(changes, plan.cuts)
    assert changes[list(plan.cuts)].min() > 1.5 * elsewhere.max()


def test_a_fade_goes_through_black_where_the_plan_says() -> None:
    plan = plan_film(2, 2, picture=SMALL, editing=Editing(fades=1.0), seed=1)
    fade = plan.transitions[2]
    frames = frames_of(plan)

    assert (fade.kind, fade.end_frame - fade.start_frame) == ("fade", 19)
    assert plan.cuts == (plan.starts[1], plan.starts[3])
    assert fade.start_frame < plan.starts[2] < fade.end_frame
    light = frames.mean(axis=(1, 2, 3))
    assert frames[plan.starts[2]].max() <= GRAIN
    faded = light[fade.start_frame : fade.end_frame]
    assert (faded < light[fade.start_frame - 1]).sum() >= 9
    assert (np.diff(faded[:9]) <= 0).all()
    assert (np.diff(faded[10:]) >= 0).all()


def test_a_dissolve_mixes_its_two_shots_without_a_jump() -> None:
    editing = Editing(dissolves=1.0)
    plan = plan_film(2, 1, picture=SMALL, editing=editing, seed=2)
    change = plan.transitions[1]
    changes = changes_of(frames_of(plan))
    cut = changes_of(frames_of(plan_film(2, 1, picture=SMALL, seed=2)))[plan.starts[1]]

    assert change.kind == "dissolve"
    assert plan.cuts == ()
    inside = changes[change.start_frame : change.end_frame + 1]
    assert inside.max() < 0.3 * cut


def test_a_flash_is_one_bright_frame() -> None:
    plan = plan_film(1, 2, picture=SMALL, editing=Editing(flashes=1.0), seed=0)
    light = frames_of(plan).mean(axis=(1, 2, 3))

    for start, shot in zip(plan.starts, plan.shots, strict=False):
        (flash,) = shot.flashes
        assert light[start + flash] > light[start + flash - 1] + 20
        assert light[start + flash] > light[start + flash + 1] + 20


def test_the_same_seed_draws_the_same_film_to_the_byte() -> None:
    def film(seed: int) -> bytes:
        plan = plan_film(2, 2, picture=SMALL, editing=Editing(shot_s=(0.8, 0.9)), seed=seed)
        return b"".join(map(bytes, [*draw_frames(plan), *draw_sound(plan)]))

    assert film(7) == film(7)
    assert film(7) != film(8)


def test_a_film_shows_the_same_at_any_size() -> None:
    plan = plan_film(2, 3, picture=Picture(80, 45), editing=Editing(shot_s=(0.8, 0.9)), seed=3)
    large = replace(plan, picture=Picture(320, 180))
    small_frames = frames_of(plan)[:-1:25].astype(float)
    shrunk = frames_of(large)[:-1:25].reshape(-1, 45, 4, 80, 4, 3).mean(axis=(2, 4))

    same = np.abs(small_frames - shrunk).mean(axis=(1, 2, 3))
    other = np.abs(small_frames[1:] - shrunk[:-1]).mean(axis=(1, 2, 3))
    assert same.max() < 12
    assert other.min() > 24


@pytest.mark.parametrize("picture", [Picture(33, 17), Picture(48, 80), Picture(240, 40)])
def test_any_size_can_be_drawn(picture: Picture) -> None:
    plan = plan_film(4, 3, picture=picture, editing=Editing(shot_s=(0.1, 0.2), transition_s=0.1))
    frames = frames_of(plan)
    assert frames.shape[1:] == (picture.height_px, picture.width_px, 3)


def test_returning_to_a_set_up_looks_the_same_and_other_set_ups_do_not() -> None:
    plan = plan_film(1, 5, picture=SMALL, seed=4)
    frames = frames_of(plan)
    left, right, again = (frames[plan.starts[i] + 3].astype(float) for i in (1, 2, 3))

    assert plan.shots[1].setup == plan.shots[3].setup != plan.shots[2].setup
    assert np.abs(left - again).mean() < 0.5 * np.abs(left - right).mean()


def test_pyscenedetect_finds_every_cut_of_the_demo_film_and_none_in_its_shots(
    tmp_path: Path,
) -> None:
    plan = replace(plan_demo_film(), picture=Picture(128, 72))
    write_film(plan, tmp_path / "demo.mp4")

    scenes = detect(str(tmp_path / "demo.mp4"), ContentDetector())
    found = {start.frame_num for start, _ in scenes[1:]}
    gradual = {f for t in plan.transitions for f in range(t.start_frame, t.end_frame)}
    assert set(plan.cuts) <= found
    assert found - gradual == set(plan.cuts)


def test_sound_lasts_exactly_as_long_as_the_picture_and_belongs_to_the_place() -> None:
    picture = Picture(32, 18, Fraction(24000, 1001))
    plan = plan_film(3, 2, picture=picture, seed=6)
    chunks = list(draw_sound(plan))

    assert sum(map(len, chunks)) == round(plan.num_frames / picture.frame_rate * 16_000)
    assert all(chunk.dtype == np.float32 and np.abs(chunk).max() <= 1 for chunk in chunks)
    pitches = [int(np.argmax(np.abs(np.fft.rfft(c[:14_000])))) for c in chunks]
    assert np.abs(np.diff(pitches)[0::2]).max() <= 2
    assert np.abs(np.diff(pitches)[1::2]).min() > 10


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001)])
def test_a_written_film_reads_back_with_its_frames_rate_size_and_sound(
    tmp_path: Path, rate: Fraction
) -> None:
    picture = Picture(96, 54, rate)
    plan = plan_film(2, 2, picture=picture, editing=Editing(dissolves=1.0), seed=2)
    write_film(plan, tmp_path / "film.mkv", Encoding(quality=10))

    with av.open(str(tmp_path / "film.mkv")) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (96, 54, rate)
        assert len(film.streams.audio) == 1
        read = np.stack([f.to_ndarray(format="rgb24") for f in film.decode(stream)])
    drawn = frames_of(plan)
    assert read.shape == drawn.shape
    assert np.abs(read.astype(int) - drawn).mean() < 6


def test_the_same_plan_gives_the_same_file(tmp_path: Path) -> None:
    plan = plan_film(1, 2, picture=SMALL)
    write_film(plan, tmp_path / "one.mp4")
    write_film(plan, tmp_path / "two.mp4")
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
