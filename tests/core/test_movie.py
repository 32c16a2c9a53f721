from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.timelines import make_movie, make_timeline

from mastershot.core.errors import MediaError
from mastershot.core.movie import (
    SCALES,
    DamagedSpan,
    Part,
    Reel,
    likeliest_scale,
    movie_id,
    require_one_file,
    scene_id,
    shot_id,
)


def test_ids_follow_from_content_and_place_alone() -> None:
    movie = movie_id("blake2b:9f0c0123456789abcdef0123456789ab")
    assert movie == "9f0c0123456789ab"
    assert shot_id(movie, 12) == "9f0c0123456789ab/00012"
    assert scene_id(movie, 3) == "9f0c0123456789ab/s0003"


@given(st.integers(0, 9998))
def test_ids_sort_as_the_shots_and_scenes_they_name(index: int) -> None:
    assert shot_id("f", index) < shot_id("f", index + 1) < shot_id("f", 99_999)
    assert scene_id("f", index) < scene_id("f", index + 1)


def test_a_movie_lasts_from_its_first_frame_wherever_its_clock_starts() -> None:
    assert make_movie(num_frames=24).duration_s == float(Fraction(24 * 1001, 24000))
    assert make_movie(start_pts=-48_000, end_pts=24_000).duration_s == 3


def test_a_damaged_span_is_on_the_clock_of_the_film() -> None:
    span = DamagedSpan(2002 + 1001, 2002 + 5005, Fraction(1, 24000), 4)
    assert (span.start_s, span.end_s) == (0.125125, float(Fraction(7007, 24000)))


@pytest.mark.parametrize(
    ("shares", "likeliest"),
    [
        ((0.125, 0.25, 0.5, 0.125, 0.0), "MS"),
        ((0.0, 0.1, 0.4, 0.1, 0.4), "MS"),  # Of equal ones the closest.
        ((0.2,) * 5, "ECS"),
        ((0.0, 0.0, 0.0, 0.0, 1.0), "LS"),
    ],
)
def test_the_likeliest_scale_is_the_closest_of_equal_ones(
    shares: tuple[float, ...], likeliest: str
) -> None:
    scale = dict(zip(SCALES, shares, strict=True))
    assert likeliest_scale(scale) == likeliest
    assert likeliest_scale(dict(reversed(scale.items()))) == likeliest


def test_a_shot_without_scales_has_no_likeliest() -> None:
    assert make_timeline().shots[0].likeliest_scale is None


def test_a_film_that_is_not_one_whole_file_cannot_be_read_again_as_one() -> None:
    movie = make_movie()
    require_one_file(movie, "keyframes")
    reel = Reel("a.mp4", movie.content_hash, 0, 60, 0, 60, 0, Fraction(1, 24))
    with pytest.raises(MediaError, match=r"^keyframes can be had .* lies in 2 reels; join them"):
        require_one_file(make_movie(reels=(reel, reel)), "keyframes")
    part = Part(2, 3, movie.id, movie.content_hash, 100, 0)
    with pytest.raises(MediaError, match=r"is a part of film\.mp4; cut it out to a file"):
        require_one_file(make_movie(part=part), "keyframes")
