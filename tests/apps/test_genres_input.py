"""What is wrong with trailers, lists and vectors is one sentence, and nothing in them is run."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from tests.factories.commands import invoke
from tests.factories.films import encode_film, flat_images

from mastershot.datasets.genres.table import read_genre_dataset

QUICK = ("--experts", "motion", "--detector", "content", "--quiet")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for name, colour in (("a", (200, 10, 10)), ("b", (10, 200, 10)), ("c", (10, 10, 200))):
        encode_film(folder / f"{name}.mp4", flat_images([colour, (240, 240, 240)], each=12))
    (folder / "text.mp4").write_text("no film")
    (folder / "zero.mp4").write_bytes(b"")
    return folder


def refused(*command: object) -> str:
    """Run a command that fails and return its one sentence."""
    done = invoke(*command)
    assert done.exit_code in (1, 2), done.output
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("mastershot: ")
    return line


def test_files_that_are_no_films_are_listed_and_the_others_made(
    films: Path, tmp_path: Path
) -> None:
    names = ("a", "b", "gone", "text", "zero")
    rows = [f"{name}.mp4,{'XY'[place % 2]}" for place, name in enumerate(names)]
    (tmp_path / "l.csv").write_text("\n".join(["file,genres", *rows, ""]))
    command = ("genres", "build", films, "--genres", tmp_path / "l.csv", "--out", tmp_path / "o")
    for _ in range(2):
        done = invoke(*command, *QUICK)
        assert done.exit_code == 1
        ends = ("gone.mp4 does not exist", "when processing input)", "there is no film in it")
        lines = done.stderr.splitlines()
        assert len(lines) == 3
        assert all(line.endswith(end) for line, end in zip(lines, ends, strict=True))
    assert "nothing was decoded" in done.stdout
    assert [one.id for one in read_genre_dataset(tmp_path / "o").trailers] == ["a", "b"]


def test_folders_and_lists_without_trailers_are_refused(films: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = ("--out", tmp_path / "o")
    assert "holds no trailer" in refused("genres", "build", tmp_path / "empty", *out)
    assert "is no folder of trailers" in refused("genres", "build", tmp_path / "gone", *out)
    for text, sentence in (
        ("", "has no column 'genres'"),
        ("id,genres\n", "states no genre of any trailer"),
        ("id,genres\na,X\na,Y\n", "line 3: id 'a' is not the first of its kind"),
        ("id,genres,year\na,X,soon\n", "line 2: year is 'soon'"),
        ("id,genres,split\na,X,dev\n", "line 2: split 'dev' is none of train, val, test"),
    ):
        (tmp_path / "l.csv").write_text(text)
        line = refused("genres", "build", films, "--genres", tmp_path / "l.csv", *out, *QUICK)
        assert sentence in line
    (tmp_path / "l.csv").write_text("id,genres\na,X\n")
    line = refused("genres", "build", films, "--genres", tmp_path / "l.csv", *out,
                   "--audio", tmp_path / "gone.pth")  # fmt: skip
    assert line.endswith("gone.pth, which is to be the expert audio, does not exist")
    line = refused("genres", "build", films, "--genres", tmp_path / "l.csv", *out,
                   "--experts", "motion", "--location", films / "a.mp4")  # fmt: skip
    assert "add location" in line


class Harmful:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.path}",)


def test_vectors_that_are_none_are_refused_and_nothing_is_run(tmp_path: Path) -> None:
    place = tmp_path / "in" / "experts" / "image"
    place.mkdir(parents=True)
    (tmp_path / "in" / "genres.csv").write_text("id,genres\na,X\nb,Y\n")
    np.save(place / "a.npy", np.ones((3, 4), np.float32))
    out = ("--out", tmp_path / "out")
    harmful = Harmful(tmp_path / "run")
    for array, sentence in (
        (np.array([harmful], object), "Object arrays cannot be loaded"),
        (np.full((3, 4), np.inf, np.float32), "holds numbers that are infinite"),
        (np.full((3, 4), 1e300), "holds numbers that are infinite"),
        (np.ones((3, 5), np.float32), "of width 5, and "),
        (np.zeros((0, 4), np.float32), "holds float32 of shape (0, 4)"),
        (np.array(["x"]), "holds <U1 of shape (1,)"),
    ):
        np.save(place / "b.npy", array, allow_pickle=True)
        assert sentence in refused("genres", "convert", "mmx", tmp_path / "in", *out)
    (place / "b.npy").write_bytes(b"")
    assert "b.npy cannot be read" in refused("genres", "convert", "mmx", tmp_path / "in", *out)
    (place / "b.npy").unlink()
    (place / "b.pkl").write_bytes(pickle.dumps(harmful))
    line = refused("genres", "convert", "mmx", tmp_path / "in", *out)
    assert "is no pickle of plain values" in line
    (place / "b.pkl").unlink()
    line = refused(
        "genres", "convert", "mmx", tmp_path / "in", "--vectors", tmp_path / "gone", *out
    )
    assert line.endswith("gone is no folder of vectors; it is to hold experts/NAME/ID.npy")
    assert not (tmp_path / "run").exists()
    # A trailer without a vector, or with NaN alone, is there, and nothing is said of it.
    np.save(place / "b.npy", np.full((2, 4), np.nan, np.float32))
    for _ in range(2):
        done = invoke("genres", "convert", "mmx", tmp_path / "in", *out)
        assert done.exit_code == 0, done.output
    data = read_genre_dataset(tmp_path / "out")
    assert np.isnan(data.vectors("image", 1)).all()


def test_a_damaged_data_set_is_refused_and_nothing_is_run(tmp_path: Path) -> None:
    place = tmp_path / "in" / "experts" / "image"
    place.mkdir(parents=True)
    (tmp_path / "in" / "genres.csv").write_text("id,genres\na,X\nb,Y\n")
    for name in "ab":
        np.save(place / f"{name}.npy", np.ones((3, 4), np.float32))
    data = tmp_path / "data"
    assert invoke("genres", "convert", "mmx", tmp_path / "in", "--out", data).exit_code == 0
    vectors, card, table = data / "experts" / "image.npy", data / "card.json", data / "trailers.csv"
    good = {path: path.read_bytes() for path in (vectors, card, table)}

    def check(sentence: str) -> None:
        assert sentence in refused("genres", "stats", data)
        for path, before in good.items():
            path.write_bytes(before)

    np.save(vectors, np.array([Harmful(tmp_path / "run")] * 6, object), allow_pickle=True)
    check("image.npy: Array can't be memory-mapped")
    np.save(vectors, np.ones((6, 5), np.float32))
    check("by the card and the trailers it should be float16 or float32 of shape (6, 4)")
    vectors.write_bytes(b"")
    check("no vectors that can be read")
    card.write_text("[1]")
    check("card.json is no card of a data set of genres: it holds no JSON object")
    card.write_text("{}")
    check("it lacks 'schema'")
    card.write_text("")
    check("is no card of a data set of genres: Expecting value")
    table.write_text(table.read_text().replace("\nb,", "\na,"))
    check("line 3: id 'a' is empty or not the first of its kind")
    table.write_text(table.read_text().replace(",3,", ",-3,"))
    check("line 2: clips is '-3'")
    assert not (tmp_path / "run").exists()
