"""Reels read as one film: its frames, its clock, what is missing, what is noted."""

import itertools
import tracemalloc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import encode_film, flat_images, remux
from tests.factories.reels import write_reels
from tests.factories.sounds import frames_with_flash, sounding_film, tone
from tests.media.test_orientation import ORIENTATIONS, with_matrix

from mastershot.core.errors import MediaError
from mastershot.core.movie import Movie
from mastershot.media.reels.facts import probe_film
from mastershot.media.reels.film import JoinedFilm, film_of
from mastershot.media.sound import SoundPiece
from mastershot.media.video import Film, open_video

NTSC = Fraction(30_000, 1001)


def read(*paths: Path) -> tuple[JoinedFilm, Movie]:
    film = film_of(probe_film(paths))
    assert isinstance(film, JoinedFilm)
    frames = [(frame.index, frame.pts) for frame in film.frames()]
    assert [index for index, _ in frames] == list(range(len(frames)))
    assert [pts for _, pts in frames] == film.pts[:-1].tolist()
    assert (np.diff(film.pts) > 0).all()
    return film, film.movie()


def seconds(film: Film | JoinedFilm) -> list[Fraction]:
    return [pts * film.file.time_base for pts in film.pts.tolist()]


def gray(each: int) -> list[np.ndarray]:
    return flat_images([(99, 99, 99)], each=each)


@pytest.mark.parametrize("frame_rate", [Fraction(24), Fraction(25), NTSC, Fraction(24_000, 1001)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_fifty_reels_of_a_constant_rate_do_not_drift(
    tmp_path: Path, suffix: str, frame_rate: Fraction
) -> None:
    """Matroska rounds to milliseconds: added up, the last reel would be a frame off."""
    starts = [0, *itertools.accumulate(5 + number % 3 for number in range(49))]
    images = gray(starts[-1] + 5)
    film, movie = read(*write_reels(tmp_path, images, starts, frame_rate=frame_rate, suffix=suffix))
    assert (movie.num_frames, movie.variable_frame_rate) == (len(images), False)
    assert movie.frame_rate == pytest.approx(frame_rate, rel=1e-5)
    assert [reel.first_frame for reel in movie.reels] == starts
    first_s = movie.start_pts * movie.time_base
    for reel, start in zip(movie.reels, starts, strict=True):
        assert reel.start_pts * movie.time_base - first_s == start / movie.frame_rate
    for frame, at_s in enumerate(seconds(film)):
        assert round((at_s - first_s) * frame_rate) == frame
        assert abs(at_s - first_s - frame / frame_rate) < Fraction(2, 1000)


def test_a_film_in_one_file_and_in_three_has_the_same_times(tmp_path: Path) -> None:
    images = gray(100)
    (whole,) = write_reels(tmp_path / "whole", images, [0], frame_rate=NTSC)
    film = open_video(whole)
    list(film.frames())
    joined, movie = read(*write_reels(tmp_path / "reels", images, [0, 31, 64], frame_rate=NTSC))
    assert seconds(joined) == seconds(film)
    assert movie.duration_s == film.movie().duration_s
    assert movie.frame_rate == film.movie().frame_rate == NTSC


def test_a_reel_starts_where_the_one_before_ended_whatever_its_own_clock(tmp_path: Path) -> None:
    late = encode_film(
        tmp_path / "a.mkv", gray(10), pts=[2000 + 40 * n for n in range(10)],
        time_base=Fraction(1, 1000),
    )  # fmt: skip
    later = encode_film(
        tmp_path / "b.mkv", gray(10), pts=[7000 + 40 * n for n in range(10)],
        time_base=Fraction(1, 1000),
    )  # fmt: skip
    film, movie = read(late, later)
    assert seconds(film)[0] == 2
    first, second = movie.reels
    assert second.start_pts == first.end_pts
    assert seconds(film)[10] == second.start_pts * movie.time_base
    assert (first.file_start_pts, second.file_start_pts) == (2000, 7000)
    assert second.file_time_base == Fraction(1, 1000)
    # The way back from the film's clock to the file's, as the documentation says.
    in_film_s = seconds(film)[13] - second.start_pts * movie.time_base
    assert second.file_start_pts * second.file_time_base + in_film_s == Fraction(7120, 1000)


def test_frames_of_variable_length_keep_their_distances_in_a_common_unit(tmp_path: Path) -> None:
    steps = [0, 40, 80, 200, 240, 440]
    one = encode_film(tmp_path / "a.mkv", gray(6), pts=steps, time_base=Fraction(1, 1000))
    other = encode_film(
        tmp_path / "b.mp4", gray(6), pts=[9 * step for step in steps], time_base=Fraction(1, 9000)
    )
    film, movie = read(one, other)
    assert movie.variable_frame_rate
    for reel in movie.reels:
        times = film.pts[reel.first_frame : reel.end_frame] - reel.start_pts
        assert [pts * movie.time_base * 1000 for pts in times.tolist()] == steps
    held = open_video(one)
    list(held.frames())
    own = held.movie()
    length = (movie.reels[1].start_pts - movie.start_pts) * movie.time_base
    assert length == (own.end_pts - own.start_pts) * own.time_base


def test_a_last_picture_that_is_held_takes_its_time(tmp_path: Path) -> None:
    images = gray(12)
    slide = encode_film(
        tmp_path / "a.mkv", images, pts=[40 * n for n in range(11)] + [3000],
        time_base=Fraction(1, 1000),
    )  # fmt: skip
    plain = encode_film(tmp_path / "b.mp4", images)
    film, movie = read(slide, plain)
    assert movie.variable_frame_rate
    assert seconds(film)[12] > 3


def test_a_reel_of_another_rate_that_only_its_frames_show_is_refused(tmp_path: Path) -> None:
    one = encode_film(tmp_path / "a.mp4", gray(30))
    (other,) = write_reels(tmp_path, gray(30), [0], frame_rate=Fraction(25))
    with pytest.raises(MediaError, match=r"reel 2 \(reel1\.mp4\) has 25 frames a second"):
        read(one, other)


def test_a_reel_that_lies_on_its_side_is_refused(tmp_path: Path) -> None:
    one = encode_film(tmp_path / "a.mp4", gray(6))
    with pytest.raises(MediaError, match=r"shown with 48×64 pixels, but reel 1 .* turned on its"):
        read(one, with_matrix(one, tmp_path / "b.mp4", ORIENTATIONS["a quarter turn"]))


def test_missing_frames_are_where_they_are_in_the_film(tmp_path: Path) -> None:
    images = gray(60)
    options = {"g": "1000", "crf": "10"}
    whole = encode_film(tmp_path / "a.mkv", images, options=options)
    broken = remux(whole, tmp_path / "b.mkv", lambda n, data: b"\xff" * 9 if n == 30 else data)
    alone = open_video(broken)
    list(alone.frames())
    film, movie = read(whole, broken, whole)
    assert alone.damaged
    assert len(film.damaged) == len(alone.damaged)
    own = alone.movie()
    shift_s = movie.reels[1].start_pts * movie.time_base - own.start_pts * own.time_base
    for found, expected in zip(film.damaged, alone.damaged, strict=True):
        assert found.frames_missing == expected.frames_missing
        assert found.start_pts * found.time_base == expected.start_pts * own.time_base + shift_s
        assert found.end_pts * found.time_base == expected.end_pts * own.time_base + shift_s
    assert movie.num_frames == 120 + own.num_frames
    assert round((movie.reels[2].start_pts - movie.start_pts) * movie.time_base * 24) == 120
    assert any(note.startswith("reel 2 (b.mkv): it is damaged") for note in film.notes())


def test_frames_missing_at_the_end_of_a_reel_keep_their_time(tmp_path: Path) -> None:
    images = gray(60)
    whole = encode_film(tmp_path / "a.mkv", images, options={"g": "1000", "crf": "10"})
    broken = remux(whole, tmp_path / "b.mkv", lambda n, data: b"\xff" * 9 if n >= 55 else data)
    film, movie = read(broken, whole)
    assert movie.reels[0].end_frame == 55
    assert not movie.variable_frame_rate
    assert (movie.reels[1].start_pts - movie.start_pts) * movie.time_base == Fraction(60, 24)
    (gap,) = film.damaged
    assert gap.end_pts == movie.reels[1].start_pts


def test_a_reel_that_holds_no_frame_says_which(tmp_path: Path) -> None:
    whole = encode_film(tmp_path / "a.mkv", gray(20))
    empty = remux(whole, tmp_path / "b.mkv", lambda n, data: b"\xff" * 9)
    with pytest.raises(MediaError, match=r"^reel 2 of 2: .*b\.mkv holds a video stream but no fra"):
        read(whole, empty)


def test_a_reel_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    one = encode_film(tmp_path / "a.mkv", gray(20))
    other = encode_film(tmp_path / "b.mkv", gray(20))
    film = film_of(probe_film([one, other]))
    frames = film.frames()
    for _ in range(25):
        next(frames)
    one.write_bytes(one.read_bytes() + b"\0")
    with pytest.raises(MediaError, match=r"a\.mkv changed while it was read"):
        list(frames)


def test_the_sound_of_each_reel_starts_with_its_picture(tmp_path: Path) -> None:
    images = frames_with_flash(48, None)
    one = sounding_film(tmp_path / "a.mkv", images, tone(5.0))  # 3 s more than pictures.
    mute = encode_film(tmp_path / "b.mkv", images)
    late = sounding_film(
        tmp_path / "c.mkv", images, tone(1.0), video_start_s=Fraction(1), sound_start_s=Fraction(2)
    )
    film = film_of(probe_film([one, mute, late]))
    assert isinstance(film, JoinedFilm)
    pieces: list[SoundPiece] = []
    for _ in film.frames(pieces.append):
        pass
    assert [key for key, _ in itertools.groupby(piece.recording for piece in pieces)] == [0, 1]
    shifts_s, bounds_s = film.sound_shifts_s, film.sound_bounds_s
    first = next(piece for piece in pieces if piece.recording == 1)
    assert first.start_s + shifts_s[1] == pytest.approx(5, abs=0.002)
    assert bounds_s[0] == (-np.inf, pytest.approx(2))
    assert bounds_s[1] == (pytest.approx(4), np.inf)
    notes = "; ".join(film.notes())
    assert "reel 1 (a.mkv): its sound goes on for 3.0 s after its last picture" in notes
    assert "reel 2 (b.mkv) has no sound, the other reels have" in notes
    assert "reel 3" not in notes
    assert film.movie().has_audio


def test_reels_are_read_in_bounded_memory(tmp_path: Path) -> None:
    paths = write_reels(tmp_path, gray(400), range(0, 400, 10))

    def peak(reels: list[Path]) -> int:
        film = film_of(probe_film(reels), threads=1)
        tracemalloc.start()
        for _ in film.frames():
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(paths[:2])
    assert peak(paths) < peak(paths[:4]) + 200_000
