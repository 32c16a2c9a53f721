import unicodedata
from time import perf_counter

import pytest

from mastershot.core.names import FilmNames, NamedFilm

FILMS = (
    NamedFilm("0a11aaaaaaaaaaaa", ("films/alien.mp4", "/data/films/alien.mp4")),
    NamedFilm("0a22bbbbbbbbbbbb", ("films/aliens.mp4", "/data/films/aliens.mp4")),
    NamedFilm("0b33cccccccccccc", ("other/aliens.mkv", "/data/other/aliens.mkv")),
    NamedFilm("0c44dddddddddddd", ("alien", "/data/alien")),
)
NAMES = FilmNames(FILMS)


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("0a11aaaaaaaaaaaa", [0]),
        ("films/aliens.mp4", [1]),
        ("/data/other/aliens.mkv", [2]),
        ("aliens.mkv", [2]),
        ("alien", [3]),  # a path before a stem
        ("alien.mp4", [0]),  # a file name before the start of another
        ("aliens", [1, 2]),  # two of one stem
        ("0b", [2]),
        ("films/aliens", [1]),
        ("other/", [2]),
        ("aliens.m", [1, 2]),
        ("0a", [0, 1]),
        ("Aliens.mkv", []),
        ("*", []),
        ("alien?", []),
        ("", []),
        (" ", []),
    ],
)
def test_a_name_means_id_then_path_then_file_then_stem_then_start(
    name: str, places: list[int]
) -> None:
    assert NAMES.places(name) == places


def test_a_path_from_here_is_that_file_and_not_another_of_its_name() -> None:
    assert NAMES.places("x.mp4", absolute="/data/films/alien.mp4") == [0]
    twins = FilmNames([NamedFilm("1", ("a/x.mp4", "/a/x.mp4")), NamedFilm("2", ("/b/x.mp4",))])
    assert twins.places("x.mp4") == [0, 1]
    assert twins.places("x.mp4", absolute="/b/x.mp4") == [1]


def test_an_accent_may_be_composed_or_not_and_bytes_may_be_written_out() -> None:
    composed, apart = "café.mp4", unicodedata.normalize("NFD", "café.mp4")
    names = FilmNames([NamedFilm("1", (apart,)), NamedFilm("2", ("caf\udce9.mp4",))])
    assert names.places(composed) == names.places(apart) == names.places("café") == [0]
    assert names.places("caf\udce9.mp4") == names.places(r"caf\xe9.mp4") == [1]
    both = FilmNames([NamedFilm("1", (composed,)), NamedFilm("2", (apart,))])
    assert (both.places(composed), both.places(apart)) == ([0], [1])
    spelled = FilmNames([NamedFilm("1", (r"caf\xe9",)), NamedFilm("2", ("caf\udce9",))])
    assert (spelled.places(r"caf\xe9"), spelled.places("caf\udce9")) == ([0], [1])


def test_a_start_in_a_log_counts_only_for_a_film_that_nothing_else_names() -> None:
    meant = NAMES.meant(["aliens.mkv", "other/al", "films/aliens.", "films/alien.m", "0c44", "x"])
    assert meant.film == {"aliens.mkv": 2, "films/aliens.": 1, "films/alien.m": 0}
    assert meant.by_start == ("films/aliens.", "films/alien.m")
    assert meant.ambiguous == ()


def test_a_name_in_a_log_that_may_mean_two_films_means_none() -> None:
    meant = NAMES.meant(["aliens", "films/aliens.", "films/aliens.m", "films/", "0c44dddd"])
    assert meant.film == {"0c44dddd": 3}
    assert meant.ambiguous == ("aliens", "films/", "films/aliens.", "films/aliens.m")


def test_the_closest_names_are_offered_whatever_their_case() -> None:
    assert NAMES.close_to("Aliens.MKV")[0] == "aliens.mkv"
    assert NAMES.close_to("qqqq") == []


def test_a_hundred_thousand_names_are_found_at_once() -> None:
    names = FilmNames(
        NamedFilm(f"{n:016x}", (f"{n}.mp4", f"/films/{n}.mp4")) for n in range(10_000)
    )
    begun = perf_counter()
    meant = names.meant(f"{n}.mp4" for n in range(100_000))
    assert len(meant.film) == 10_000
    assert perf_counter() - begun < 10
