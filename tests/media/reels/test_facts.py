"""What several files state together, and which of them are no film."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from tests.factories.films import encode_film, flat_images

from mastershot.core.errors import MediaError
from mastershot.media.probe import FilmFile, probe
from mastershot.media.reels.facts import join_files, probe_film

NTSC = Fraction(30_000, 1001)


def stated(name: str = "a.mp4", **changes: object) -> FilmFile:
    facts = {
        "path": Path(name), "content_hash": f"blake2b:{abs(hash(name)):032x}"[:40],
        "width_px": 64, "height_px": 48, "nominal_rate": Fraction(24), "mean_rate": Fraction(24),
        "time_base": Fraction(1, 12_288), "sample_aspect_ratio": Fraction(1), "has_audio": False,
        "stated_frames": 100, "stated_end_s": 100 / 24,
    }  # fmt: skip
    return FilmFile(**(facts | changes))  # type: ignore[arg-type]


def test_one_file_is_the_film_itself(tmp_path: Path) -> None:
    path = encode_film(tmp_path / "a.mp4", flat_images([(9, 99, 9)], each=4))
    assert probe_film([path]) == probe_film(path) == probe(path)


def test_ids_follow_from_content_and_order_not_from_names(tmp_path: Path) -> None:
    one = encode_film(tmp_path / "a.mp4", flat_images([(9, 99, 9)], each=4))
    other = encode_film(tmp_path / "b.mp4", flat_images([(99, 9, 9)], each=4))
    film = probe_film([one, other])
    assert film.path == one
    assert [reel.path for reel in film.reels] == [one, other]
    assert film.id not in {probe(one).id, probe(other).id, probe_film([other, one]).id}
    moved = [path.rename(tmp_path / f"moved-{path.name}") for path in (one, other)]
    assert probe_film(moved).id == film.id


def test_what_is_stated_of_all_reels_is_added_up() -> None:
    film = join_files([stated("a"), stated("b", stated_frames=50, has_audio=True)])
    assert (film.stated_frames, film.has_audio, film.stated_end_s) == (150, True, None)
    assert join_files([stated("a"), stated("b", stated_frames=None)]).stated_frames is None


@pytest.mark.parametrize(
    ("bases", "rate", "common"),
    [
        ((Fraction(1, 12_288), Fraction(1, 90_000)), Fraction(24), Fraction(1, 23_040_000)),
        ((Fraction(1, 1000), Fraction(1, 1000)), Fraction(24), Fraction(1, 3000)),
        ((Fraction(1, 30_000), Fraction(1001, 30_000)), NTSC, Fraction(1, 30_000)),
        ((Fraction(1, 25), Fraction(1, 25)), Fraction(25), Fraction(1, 25)),
    ],
)
def test_the_time_base_counts_the_times_of_all_and_whole_frames(
    bases: tuple[Fraction, ...], rate: Fraction, common: Fraction
) -> None:
    reels = [
        stated(str(number), time_base=base, nominal_rate=rate, mean_rate=rate)
        for number, base in enumerate(bases)
    ]
    film = join_files(reels)
    assert film.time_base == common
    assert all((base / film.time_base).denominator == 1 for base in (*bases, 1 / rate))


def test_time_bases_that_have_no_common_unit_are_refused() -> None:
    odd = stated("b.mkv", time_base=Fraction(1, 999_983))
    with pytest.raises(MediaError, match=r"are 1/12288 s and 1/999983 s; remux the reels"):
        join_files([stated(), odd])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"nominal_rate": Fraction(25), "mean_rate": Fraction(25)},
            r"^reel 2 \(b\.mp4\) has 25 frames a second, but reel 1 \(a\.mp4\) has 24; .*convert",
        ),
        (
            {"nominal_rate": Fraction(24_000, 1001), "mean_rate": Fraction(24_000, 1001)},
            r"has 23\.976 frames a second, but .* has 24; ",
        ),
        ({"width_px": 128}, r"^reel 2 \(b\.mp4\) has 128×48 pixels, but reel 1 .* has 64×48 pix"),
        (
            {"sample_aspect_ratio": Fraction(4, 3)},
            r"^reel 2 \(b\.mp4\) has pixels of 4:3, but reel 1 \(a\.mp4\) has pixels of 1:1; ",
        ),
    ],
)  # fmt: skip
def test_reels_of_another_rate_or_size_are_one_sentence(
    change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(MediaError, match=sentence):
        join_files([stated(), stated("b.mp4", **change)])


def test_a_rate_that_a_container_rounds_is_the_same_rate() -> None:
    rounded = {"nominal_rate": Fraction(2997, 125), "mean_rate": Fraction(2997, 125)}
    exact = {"nominal_rate": Fraction(24_000, 1001), "mean_rate": Fraction(24_000, 1001)}
    film = join_files([stated("a", **exact), stated("b", **rounded)])
    assert film.nominal_rate == Fraction(24_000, 1001)


def test_a_rate_is_not_held_against_a_reel_of_a_variable_one() -> None:
    varies = stated("b", nominal_rate=Fraction(30), mean_rate=Fraction(23))
    film = join_files([stated("a"), varies])
    assert film.nominal_rate == 24
    assert film.mean_rate is not None
    assert float(film.mean_rate) == pytest.approx(200 / (100 / 24 + 100 / 23))


def test_the_same_file_twice_is_noted(tmp_path: Path) -> None:
    path = encode_film(tmp_path / "a.mp4", flat_images([(9, 99, 9)], each=4))
    (note,) = probe_film([path, path]).notes
    assert note.startswith("reel 2 (a.mp4) is the same file as reel 1 (a.mp4)")
    assert replace(probe_film([path, path]), notes=()).id == probe_film([path, path]).id


def test_a_missing_reel_says_which(tmp_path: Path) -> None:
    path = encode_film(tmp_path / "a.mp4", flat_images([(9, 99, 9)], each=4))
    with pytest.raises(MediaError, match=r"^reel 2 of 3: .*gone\.mp4 does not exist$"):
        probe_film([path, tmp_path / "gone.mp4", path])
    with pytest.raises(MediaError, match="at least one file"):
        probe_film([])
