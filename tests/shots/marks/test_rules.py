"""Marks of drawn films, exact to the frame, and what is taken for none."""

from fractions import Fraction

import numpy as np
import pytest
from tests.factories import marks as drawn
from tests.factories.marks import (
    HEIGHT,
    LINES,
    WIDTH,
    bars,
    behind_antlers,
    card,
    even_times,
    faded,
    flat,
    grained,
    letterboxed,
    marks_in,
    page,
    rolling,
    scene,
)

from mastershot.core.embeddings import ImageArray
from mastershot.core.time import FrameTimes
from mastershot.shots.marks.measures import MEASURES, FrameMeter
from mastershot.shots.marks.rules import find_marks
from mastershot.shots.marks.settings import MarkSettings

FADE = np.arange(1, 13) / 13
NTSC = Fraction(24_000, 1001)


def halves(frames: ImageArray) -> tuple[ImageArray, ImageArray]:
    return frames[: len(frames) // 2], frames[len(frames) // 2 :]


# Black


def test_black_is_exact_at_both_ends() -> None:
    assert marks_in(scene(40), flat(30), scene(50, seed=1)) == [("black", 40, 70)]


@pytest.mark.parametrize("sigma", [0.0, 3.0])
def test_greyish_black_with_grain_is_black(sigma: float) -> None:
    film = np.concatenate([scene(40), flat(30, 12), scene(50, seed=1)])
    assert marks_in(grained(film, sigma)) == [("black", 40, 70)]


def test_frames_of_a_fade_that_show_a_picture_are_not_black() -> None:
    out, into = faded(scene(12), FADE[::-1]), faded(scene(12, seed=1), FADE)
    film = (scene(40), out, flat(20), into, scene(40, seed=1))
    assert marks_in(*film) == [("black", 52, 72)]


def test_a_slow_fade_is_black_only_while_nothing_is_left_of_the_picture() -> None:
    slow = np.arange(1, 49) / 49
    film = (faded(scene(48), slow[::-1]), flat(24), faded(scene(48, seed=1), slow))
    ((kind, first, end),) = marks_in(*film)
    assert kind == "black"
    assert abs(first - 48) <= 1
    assert abs(end - 72) <= 1


def test_black_shorter_than_two_fifths_of_a_second_is_none() -> None:
    assert marks_in(scene(40), flat(9), scene(40, seed=1)) == []
    assert marks_in(scene(40), flat(10), scene(40, seed=1)) == [("black", 40, 50)]


@pytest.mark.parametrize("rate", [Fraction(24), NTSC, Fraction(25), Fraction(30_000, 1001)])
def test_lengths_are_counted_in_time(rate: Fraction) -> None:
    least = next(n for n in range(1, 60) if n / rate >= Fraction("0.398"))
    film = (scene(30), flat(least), scene(30, seed=1))
    assert marks_in(*film, times=even_times(60 + least, rate)) == [("black", 30, 30 + least)]
    film = (scene(30), flat(least - 1), scene(30, seed=1))
    assert marks_in(*film, times=even_times(59 + least, rate)) == []


def test_lengths_are_those_of_a_variable_rate() -> None:
    film = (scene(30), flat(3), scene(30, seed=1))
    pts = np.cumsum([0, *[40] * 30, *[150] * 3, *[40] * 30])
    times = FrameTimes(pts, Fraction(1, 1000))
    assert marks_in(*film, times=times) == [("black", 30, 33)]


def test_a_film_that_is_all_black_is_one_mark() -> None:
    assert marks_in(flat(100)) == [("black", 0, 100)]


def test_a_night_scene_is_not_black() -> None:
    assert marks_in(scene(30), faded(scene(60), np.full(60, 0.12)), scene(30, seed=1)) == []


def test_one_frame_and_no_frame_have_no_mark() -> None:
    assert marks_in(scene(1)) == []
    assert marks_in(flat(1)) == []
    none = find_marks(np.empty(0, MEASURES), FrameTimes(np.zeros(1, int), NTSC), MarkSettings())
    assert none == ()
    assert len(FrameMeter(MarkSettings(), 24).measures()) == 0


# Colour bars


@pytest.mark.parametrize("kind", ["smpte", "ebu 75", "ebu 100"])
@pytest.mark.parametrize("sigma", [0.0, 4.0])
def test_colour_bars_are_exact(kind: str, sigma: float) -> None:
    film = np.concatenate([scene(30), bars(24, kind), scene(30, seed=1)])
    assert marks_in(grained(film, sigma)) == [("bars", 30, 54)]


def test_bars_beside_which_the_picture_is_black_are_bars() -> None:
    narrow = bars(24, "smpte")[:, :, ::4][:, :, : WIDTH // 4]
    wide = np.repeat(narrow, 3, axis=2)
    film = flat(24)
    film[:, :, WIDTH // 8 : WIDTH * 7 // 8] = wide
    assert ("bars", 30, 54) in marks_in(scene(30), film, scene(30, seed=1))


def test_bars_of_less_than_half_a_second_are_none() -> None:
    assert marks_in(scene(30), bars(11, "smpte"), scene(30, seed=1)) == []


def test_a_striped_shirt_and_a_fence_are_no_bars() -> None:
    across = np.arange(WIDTH)
    frames = []
    for at in range(60):
        on = ((across + at // 2) // 14) % 2 == 0
        line = np.where(on[:, None], (200, 30, 40), (30, 40, 190))
        frames.append(np.repeat(line[None], HEIGHT, axis=0))
    assert marks_in(scene(30), np.array(frames, np.uint8), scene(30, seed=1)) == []


def test_a_test_picture_with_the_colours_in_another_order_is_no_bars() -> None:
    assert marks_in(scene(30), bars(24, "smpte")[:, :, ::-1], scene(30, seed=1)) == []


# Letterbox


def test_bars_that_come_and_go_are_exact() -> None:
    film = (scene(60), letterboxed(scene(40, seed=1), rows=18), scene(60, seed=2))
    assert marks_in(*film) == [("letterbox", 60, 100)]
    film = (scene(60), letterboxed(scene(40, seed=1), columns=32), scene(60, seed=2))
    assert marks_in(*film) == [("letterbox", 60, 100)]


def test_a_film_that_has_bars_all_along_has_no_mark() -> None:
    assert marks_in(letterboxed(scene(100), rows=18)) == []


def test_a_full_picture_in_a_letterboxed_film_is_marked() -> None:
    wide = letterboxed(scene(60), rows=18)
    assert marks_in(wide, scene(30, seed=1), wide) == [("letterbox", 60, 90)]


def test_bars_of_less_than_a_second_are_none() -> None:
    film = (scene(60), letterboxed(scene(23, seed=1), rows=18), scene(60, seed=2))
    assert marks_in(*film) == []


def test_a_dark_scene_is_no_letterbox() -> None:
    dark = scene(60, seed=1).astype(float)
    down = np.clip(np.abs(np.arange(HEIGHT) - HEIGHT / 2) / (HEIGHT / 2), 0, 1)
    light = np.clip(1.1 - 1.4 * down, 0, 1)[None, :, None, None] * 0.5
    assert marks_in(scene(60), (dark * light).astype(np.uint8), scene(60, seed=2)) == []


def test_a_dark_shot_amid_a_letterbox_does_not_divide_it() -> None:
    wide = letterboxed(scene(40, seed=1), rows=18)
    dark = faded(wide, np.full(40, 0.05))
    film = (scene(100), wide, dark + 1, wide, scene(100, seed=2))
    assert ("letterbox", 100, 220) in marks_in(*film)


def test_subtitles_in_the_bars_do_not_end_a_letterbox() -> None:
    wide = letterboxed(scene(60, seed=1), rows=22)
    text = page(("a line", "of words"), height=60)[8:30]
    wide[20:40, -22:] = text
    assert marks_in(scene(90), wide, scene(90, seed=2)) == [("letterbox", 90, 150)]


# Static pictures


@pytest.mark.parametrize("sigma", [0.0, 2.0])
def test_a_picture_that_is_held_for_two_seconds_is_static(sigma: float) -> None:
    held = np.repeat(scene(1, seed=5), 48, axis=0)
    film = np.concatenate([scene(30), held, scene(30, seed=1)])
    assert marks_in(grained(film, sigma)) == [("static", 30, 78)]


def test_a_drawing_that_is_held_for_less_is_not_static() -> None:
    held = np.repeat(scene(1, seed=5), 47, axis=0)
    assert marks_in(scene(30), held, scene(30, seed=1)) == []


def test_a_slow_pan_is_not_static() -> None:
    assert marks_in(np.repeat(scene(60, speed=1), 3, axis=0)) == []


def test_a_slide_of_a_variable_rate_is_static() -> None:
    pts = np.cumsum([0, *[40] * 30, 3000, *[40] * 30])
    film = (scene(30), scene(1, seed=5), scene(30, seed=1))
    assert marks_in(*film, times=FrameTimes(pts, Fraction(1, 1000))) == [("static", 30, 31)]


def test_a_white_scene_in_which_something_moves_has_no_mark() -> None:
    white = (225 + scene(72) * 0.1).astype(np.uint8)
    assert marks_in(scene(30), white, scene(30, seed=1)) == []


def test_a_mouth_that_moves_is_not_static() -> None:
    talking = np.repeat(scene(1, seed=5), 72, axis=0)
    talking[::2, 70:78, 120:136] = 0
    assert marks_in(scene(30), talking, scene(30, seed=1)) == []


def test_cards_of_two_colours_of_one_light_are_two_static_pictures() -> None:
    red, blue = (180, 59, 80), (60, 101, 178)  # Both are 98 in grey.
    film = (scene(30), flat(50, red), flat(50, blue), scene(30, seed=1))
    assert marks_in(*film) == [("static", 30, 80), ("static", 80, 130)]


# Credits


def test_rolling_text_at_the_end_is_credits() -> None:
    film = (scene(100), rolling(96), flat(20))
    assert marks_in(*film) == [("credits", 100, 196), ("black", 196, 216)]


def test_cards_at_the_end_with_short_gaps_are_one_run_of_credits() -> None:
    one, other = card(48), card(48, ("The End",))
    film = (scene(100), one, flat(8), other)
    assert marks_in(*film) == [("credits", 100, 204)]


def test_a_card_that_comes_out_of_black_at_the_start_is_credits() -> None:
    title = faded(card(60), np.concatenate([FADE, np.ones(36), FADE[::-1]]))
    ((black, first, end), (kind, start, until)) = marks_in(flat(24), title, scene(300))
    assert (black, first, end, kind) == ("black", 0, 24, "credits")
    assert abs(start - 24) <= 3
    assert abs(until - 84) <= 3


def test_a_card_on_a_white_ground_is_credits() -> None:
    assert marks_in(scene(100), card(48, ground=240)) == [("credits", 100, 148)]


def test_an_intertitle_amid_the_film_is_no_credits() -> None:
    assert marks_in(scene(100), card(40), scene(100, seed=1)) == []
    found = marks_in(scene(100), card(60), scene(100, seed=1))
    assert found == [("static", 100, 160)]


def test_subtitles_on_a_picture_are_no_credits() -> None:
    film = scene(100)
    text = page(("words that", "are said"), height=60)
    film[20:, -64:-4] = np.maximum(film[20:, -64:-4], text)
    assert marks_in(film) == []


def test_specks_that_are_not_in_lines_are_no_text() -> None:
    rng = np.random.default_rng(0)
    stars = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    at = rng.integers(0, (HEIGHT, WIDTH), (300, 2))
    stars[at[:, 0], at[:, 1]] = 230
    film = (scene(100), np.repeat(stars[None], 40, axis=0))
    assert marks_in(*film) == []


def test_credits_go_on_behind_a_figure() -> None:
    text = rolling(240)
    text[70:190] = behind_antlers(text[70:190])
    assert marks_in(scene(200), text) == [("credits", 200, 440)]


def test_a_figure_alone_is_no_credits() -> None:
    text = rolling(240)
    text[70:190] = behind_antlers(flat(120, 10))
    ((_, first, end),) = (one for one in marks_in(scene(200), text) if one[0] == "credits")
    assert (first, end) == (390, 440)


def test_a_figure_before_credits_is_none_of_them() -> None:
    text = rolling(240)
    text[:120] = behind_antlers(text[:120])
    ((kind, first, end),) = marks_in(scene(200), text)
    assert (kind, first, end) == ("credits", 320, 440)


# Slates


def test_a_card_after_colour_bars_is_a_slate() -> None:
    film = (bars(48, "smpte"), flat(24), card(48), flat(48), scene(100))
    assert marks_in(*film) == [
        ("bars", 0, 48), ("black", 48, 72), ("slate", 72, 120), ("black", 120, 168),
    ]  # fmt: skip


def test_a_card_of_many_lines_before_black_at_the_head_is_a_slate() -> None:
    film = (card(48, LINES), flat(48), scene(200))
    assert marks_in(*film) == [("slate", 0, 48), ("black", 48, 96)]


def test_a_title_of_two_lines_at_the_head_is_credits() -> None:
    film = (card(48, LINES[:2]), flat(48), scene(200))
    assert marks_in(*film) == [("credits", 0, 48), ("black", 48, 96)]


def test_settings_say_how_long_a_mark_is() -> None:
    short = MarkSettings(black_s=0.1, static_s=1.0)
    held = np.repeat(scene(1, seed=5), 24, axis=0)
    film = (scene(30), flat(3), held, scene(30, seed=1))
    assert marks_in(*film, settings=short) == [("black", 30, 33), ("static", 33, 57)]


def test_frames_of_any_size_are_measured() -> None:
    for height, width in ((1, 1), (2, 3), (9, 16), (128, 72), (144, 256), (13, 128), (300, 500)):
        meter = FrameMeter(MarkSettings(), 24)
        for value in (0, 10, 200):
            meter.add(np.full((height, width, 3), value, np.uint8))
        assert meter.measures()["light"].tolist() == [0, 10, 200]


def test_the_measures_of_blocks_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    film = np.concatenate([scene(20), rolling(60), card(60), flat(30), bars(20, "smpte")])

    def measured(block: int) -> object:
        monkeypatch.setattr("mastershot.shots.marks.measures._BLOCK", block)
        meter = FrameMeter(MarkSettings(), 24)
        for frame in film:
            meter.add(drawn.points(frame))
        return meter.measures()

    np.testing.assert_array_equal(measured(7), measured(500))
