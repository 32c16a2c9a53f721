import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import encode_film, flat_images

from mastershot.core.errors import DatasetError, LibraryError, SettingError
from mastershot.core.names import NamedFilm
from mastershot.pipeline.library import Library
from mastershot.training.movies2scenes.settings.encoders import ShotSource, StageRecipe
from mastershot.training.movies2scenes.shots import gather_shots, named_films

COLOURS = [(210, 40, 40), (20, 20, 20), (230, 230, 230)]


def film(path: Path) -> Path:
    return encode_film(path, flat_images(COLOURS, each=48))


def test_an_npz_becomes_one_file_a_film(tmp_path: Path) -> None:
    rows = np.arange(12, dtype=np.float64).reshape(4, 3)
    np.savez(tmp_path / "cached.npz", tt1=rows, tt2=rows[:2].astype(np.float16))
    source = ShotSource(str(tmp_path / "cached.npz"))
    with pytest.raises(DatasetError, match=r"cached\.npz differ .*; all films must be alike"):
        gather_shots(source, tmp_path / "run")
    assert not any((tmp_path / "run").iterdir())
    np.savez(tmp_path / "same.npz", tt2=rows[:2], tt1=rows)
    source = ShotSource(str(tmp_path / "same.npz"))
    gathered = gather_shots(source, tmp_path / "run")
    assert tuple(named_films(source)) == gathered.arrays.movies == ("tt2", "tt1")
    assert np.array_equal(gathered.arrays.movie(1), rows.astype(np.float32))
    again = gather_shots(source, tmp_path / "run")
    assert again.arrays.folder == gathered.arrays.folder


def test_a_film_may_be_called_whatever_a_file_may_be(tmp_path: Path) -> None:
    names = ("What? [2010] – No. 1: #Alive!", "<b>&\"'", "-x", ".hidden", "..", "日本", "a\\b")
    rows = {name: np.full((2, 3), place, np.float32) for place, name in enumerate(names)}
    with zipfile.ZipFile(tmp_path / "cached.npz", "w") as file:
        for name, array in rows.items():
            with file.open(f"{name}.npy", "w") as member:
                np.save(member, array)
    arrays = gather_shots(ShotSource(str(tmp_path / "cached.npz")), tmp_path / "run").arrays
    assert arrays.movies == names
    assert arrays.shots(np.arange(0, 14, 2))[:, 0].tolist() == list(range(7))


def test_keyframes_of_films_are_found_on_the_fly(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    film(tmp_path / "films" / "one.mp4")
    (tmp_path / "films" / "broken.mp4").write_bytes(b"no film")
    source = ShotSource(str(tmp_path / "films"), "keyframes", frames_per_shot=3, image_px=32)
    gathered = gather_shots(source, tmp_path / "run")
    assert len(gathered.unread) == 1
    assert "broken.mp4" in gathered.unread[0]
    frames = gathered.arrays.movie(0)
    assert frames.shape == (3, 3, 32, 32, 3)
    means = frames.mean((1, 2, 3))
    assert np.abs(means - np.array(COLOURS)).max() < 12


def test_a_library_gives_features_and_keyframes(tmp_path: Path) -> None:
    library = Library(tmp_path / "films.mastershot")
    library.add(film(tmp_path / "tt0001.mp4"))
    path = str(tmp_path / "films.mastershot")
    gathered = gather_shots(ShotSource(path, names="file"), tmp_path / "run")
    assert gathered.arrays.movies == ("tt0001",)
    assert gathered.arrays.row_shape == (384,)
    assert gathered.arrays.num_shots == 3
    assert gathered.space in library.spaces()
    folder = gathered.arrays.folder
    assert gather_shots(ShotSource(str(folder)), tmp_path / "run").space == gathered.space
    (known,) = named_films(ShotSource(str(folder))).values()
    assert known == library.movies()[0].names
    index = (folder / "shots.json").read_text()
    for index_text in ("{", '{"names": ["tt0001"]}'):
        (folder / "shots.json").write_text(index_text)
        with pytest.raises(DatasetError, match="does not say what was gathered; remove the"):
            named_films(ShotSource(str(folder)))
    (folder / "shots.json").write_text(index.replace('"names"', '"other"'))
    assert named_films(ShotSource(str(folder))) == {"tt0001": NamedFilm("tt0001")}
    (folder / "shots.json").write_text("[]")
    with pytest.raises(DatasetError, match="does not say what was gathered; remove the folder"):
        gather_shots(ShotSource(str(folder)), tmp_path / "run")
    middle = gather_shots(ShotSource(path, pooling="middle"), tmp_path / "run")
    assert middle.arrays.movie(0).shape == (3, 384)
    ids = gather_shots(ShotSource(path, names="id"), tmp_path / "run")
    assert ids.arrays.movies == (library.movies()[0].id,)
    frames = gather_shots(ShotSource(path, "keyframes", image_px=32), tmp_path / "run")
    assert frames.space is None
    colours = frames.arrays.movie(0)[:, 0].mean((1, 2))
    assert np.abs(colours - np.array(COLOURS)).max() < 12
    (tmp_path / "other").mkdir()
    library.add(encode_film(tmp_path / "other" / "tt0001.mp4", flat_images(COLOURS[:2], each=48)))
    with pytest.raises(DatasetError, match=r"two films called 'tt0001'; .*; shots\.names=id"):
        gather_shots(ShotSource(path), tmp_path / "again")
    assert len(gather_shots(ShotSource(path, names="id"), tmp_path / "again").arrays.movies) == 2
    with pytest.raises(LibraryError, match=r"holds vectors of .*; name the encoder to use"):
        gather_shots(ShotSource(path, encoder="clip"), tmp_path / "run")


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        (
            {"a": np.zeros(3, np.float32)},
            r"holds for a float32 \(3,\); it must hold one row a shot",
        ),
        ({"a": np.zeros((0, 3), np.float32)}, "must hold one row a shot"),
        ({"a": np.array(["x"])}, "must hold one row a shot"),
        ({"a": np.array([{}], object)}, r"film a of .*odd\.npz is not .* allow_pickle=False"),
        ({"a": np.zeros((2, 3), np.int64)}, "must hold one row a shot"),
        ({"a": np.zeros((2, 1, 4, 4, 3), np.uint16)}, "must hold one row a shot"),
        ({"x" * 241: np.zeros((2, 3), np.float32)}, "which cannot name a file"),
        ({"../a": np.zeros((2, 3), np.float32)}, "called '../a', which cannot name a file"),
        ({}, "no film that can be read is in"),
    ],
)
def test_an_npz_of_something_else_is_said(
    tmp_path: Path, arrays: dict[str, np.ndarray], sentence: str
) -> None:
    np.savez(tmp_path / "odd.npz", **arrays)
    with pytest.raises(DatasetError, match=sentence):
        gather_shots(ShotSource(str(tmp_path / "odd.npz")), tmp_path / "run")


def test_features_where_keyframes_are_asked_for_are_said(tmp_path: Path) -> None:
    rows = np.zeros((2, 3), np.float32)
    np.savez(tmp_path / "cached.npz", a=rows)
    np.save(tmp_path / "a.npy", rows)
    for path in (tmp_path / "cached.npz", tmp_path):
        with pytest.raises(DatasetError, match=r"holds features, .* set shots\.content to feat"):
            gather_shots(ShotSource(str(path), "keyframes"), tmp_path / "run")


def test_a_text_in_an_npz_is_no_film(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "cached.npz", "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(DatasetError, match=r"holds for readme\.txt .* must hold one row a shot"):
        gather_shots(ShotSource(str(tmp_path / "cached.npz")), tmp_path / "run")


def test_sources_that_are_none_are_said(tmp_path: Path) -> None:
    (tmp_path / "half.npz").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(DatasetError, match=r"half\.npz is not an \.npz of one array a film"):
        gather_shots(ShotSource(str(tmp_path / "half.npz")), tmp_path)
    with pytest.raises(SettingError, match="gone do not exist; name a library"):
        gather_shots(ShotSource(str(tmp_path / "gone")), tmp_path)
    assert len(StageRecipe(ShotSource("gone"), data=str(tmp_path)).missing()) == 1
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingError, match="holds no features; name a library"):
        gather_shots(ShotSource(str(tmp_path / "empty")), tmp_path)
    with pytest.raises(DatasetError, match="no film that can be read is in"):
        gather_shots(ShotSource(str(tmp_path / "empty"), "keyframes"), tmp_path)
    for folder in ("x", "y"):
        (tmp_path / "films" / folder).mkdir(parents=True)
        (tmp_path / "films" / folder / "one.mp4").write_bytes(b"")
    with pytest.raises(DatasetError, match="holds two films called 'one'; names must differ"):
        gather_shots(ShotSource(str(tmp_path / "films"), "keyframes"), tmp_path)
