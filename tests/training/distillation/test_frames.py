import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet
from tests.factories.distillation import write_labelled_table, write_pictures
from tests.factories.films import encode_film, flat_images
from tests.factories.timelines import make_timeline

from mastershot.core.errors import LibraryError, SettingError
from mastershot.training.distillation.frames import FRAME_PX, gather_frames
from mastershot.training.distillation.settings import FrameSource
from mastershot.training.engine.augmentations import square


def write_film(path: Path) -> Path:
    return encode_film(path, flat_images([(200, 30, 30), (30, 30, 200)], each=24))


def test_pictures_and_films_of_a_folder_become_squares_with_names(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "source" / "deep", count=3)
    write_film(folder / "film.mp4")
    (folder / "notes.txt").write_text("passed over")
    pool = gather_frames((FrameSource(str(tmp_path / "source"), rate_hz=2.0),), tmp_path)
    assert pool.names[:3] == ("000.png", "001.png", "002.png")
    assert pool.names[3:] == ("film.mp4@0", "film.mp4@12", "film.mp4@24", "film.mp4@36")
    assert pool.squares.shape == (7, FRAME_PX, FRAME_PX, 3)
    assert pool.aspects[:2] == pytest.approx([60 / 80, 80 / 60])
    assert np.abs(pool.squares[6].astype(int).mean((0, 1)) - (30, 30, 200)).max() < 12


def test_frames_are_gathered_once(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "source", count=2)
    sources = (FrameSource(str(folder)),)
    gather_frames(sources, tmp_path)
    (folder / "000.png").unlink()
    assert len(gather_frames(sources, tmp_path)) == 2
    assert len(gather_frames((FrameSource(str(folder), rate_hz=2.0),), tmp_path)) == 1


@pytest.mark.parametrize("damage", ["cut", "gone", "no json"])
def test_a_pool_that_is_not_whole_is_gathered_anew(tmp_path: Path, damage: str) -> None:
    sources = (FrameSource(str(write_pictures(tmp_path / "source", count=2))),)
    before = gather_frames(sources, tmp_path).squares[:]
    if damage == "cut":
        (tmp_path / "frames.bin").write_bytes(b"123")
    elif damage == "gone":
        (tmp_path / "frames.bin").unlink()
    else:
        (tmp_path / "frames.json").write_text("[")
    assert np.array_equal(gather_frames(sources, tmp_path).squares[:], before)


def test_a_file_that_cannot_be_read_is_passed_over_and_listed(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "source", count=1)
    (folder / "bad.jpg").write_text("no picture")
    assert gather_frames((FrameSource(str(folder)),), tmp_path).names == ("000.png",)
    (unread,) = json.loads((tmp_path / "frames.json").read_text())["unread"]
    assert "bad.jpg is not a picture" in unread


def test_progress_is_reported_file_by_file(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "source", count=2)
    reported: list[tuple[str, int, int | None]] = []
    gather_frames(
        (FrameSource(str(folder)),), tmp_path, lambda *progress: reported.append(progress[:3])
    )
    assert reported == [("frames", 1, 2), ("frames", 2, 2)]


@pytest.mark.parametrize("name", ["films.mastershot", "films"])
def test_a_library_of_any_name_gives_the_frames_of_its_films(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from mastershot.store.library import Library

    write_film(tmp_path / "film.mp4")
    library = Library(tmp_path / name, create=True)
    monkeypatch.chdir(tmp_path)
    for film in ("film.mp4", "gone.mp4"):
        library.put_timeline(make_timeline(film))
    pool = gather_frames((FrameSource(str(library.path)),), tmp_path)
    assert pool.names == ("film.mp4@0", "film.mp4@24")
    (unread,) = json.loads((tmp_path / "frames.json").read_text())["unread"]
    assert "gone.mp4 does not exist" in unread


def test_what_is_no_library_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "empty.mastershot"
    folder.mkdir()
    with pytest.raises(SettingError, match=r"no picture or film .* is in .*empty\.mastershot"):
        gather_frames((FrameSource(str(folder)),), tmp_path)
    (folder / "library.json").write_text("[")
    with pytest.raises(LibraryError, match=r"empty\.mastershot"):
        gather_frames((FrameSource(str(folder)),), tmp_path)


def test_a_source_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="gone do not exist; name a folder"):
        gather_frames((FrameSource(str(tmp_path / "gone")),), tmp_path)


def test_a_source_without_a_frame_is_reported_with_the_first_reason(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    with pytest.raises(SettingError, match=r"no picture or film that can be read is in .*bad$"):
        gather_frames((FrameSource(str(tmp_path / "bad")),), tmp_path)
    (tmp_path / "bad" / "film.mp4").touch()
    with pytest.raises(SettingError, match=r"is in .*bad; the first problem: .*film\.mp4"):
        gather_frames((FrameSource(str(tmp_path / "bad")),), tmp_path)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"path": ""}, "path is ''; it must not be empty"),
        ({"path": "a", "share": 0.0}, "share is 0.0; it must be above 0"),
        ({"path": "a", "rate_hz": -1.0}, "rate_hz is -1.0; it must be above 0"),
        ({"path": "a", "share": float("inf")}, "share is inf; it must be a finite number"),
    ],
)
def test_a_source_that_cannot_be_is_reported(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        FrameSource(**settings)


def test_a_square_of_the_right_size_is_left_alone(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (FRAME_PX, FRAME_PX, 3), np.uint8)
    assert np.array_equal(square(pixels, FRAME_PX), pixels)
    half = square(pixels, FRAME_PX // 2)
    expected = np.asarray(Image.fromarray(pixels).resize((FRAME_PX // 2,) * 2, 2), int)
    assert np.abs(half.astype(int) - expected).max() <= 1


def test_tables_of_labelled_pictures_are_frames_and_a_pattern_chooses_among_them(
    tmp_path: Path,
) -> None:
    for number in range(3):
        write_labelled_table(tmp_path / f"t-{number}.parquet", count=2, labels=("bar", "sea"))
    pool = gather_frames((FrameSource(str(tmp_path / "t-[02].parquet")),), tmp_path)
    assert pool.names == tuple(f"t-{n}.parquet@{row}" for n in (0, 2) for row in (0, 1))
    assert pool.labels == ("bar", "sea") * 2
    assert pool.aspects == pytest.approx([1.5] * 4)
    assert pool.squares[0].mean((0, 1)).argmax() == 0
    assert pool.squares[3].mean((0, 1)).argmax() == 1


def test_a_picture_of_a_table_that_cannot_be_read_is_named_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    path = write_labelled_table(tmp_path / "t.parquet", count=3)
    table = parquet.read_table(path).to_pydict()
    first, _, last = table["jpeg"]
    parquet.write_table(pa.table({**table, "jpeg": [first, b"none", last]}), path)
    pool = gather_frames((FrameSource(str(path)),), tmp_path)
    assert pool.names == ("t.parquet@0", "t.parquet@2")
    (unread,) = json.loads((tmp_path / "frames.json").read_text())["unread"]
    assert "t.parquet@1 is not a picture" in unread


def test_a_file_whose_name_looks_like_a_pattern_means_itself(tmp_path: Path) -> None:
    for name in ("t[1].parquet", "t1.parquet"):
        write_labelled_table(tmp_path / name, count=2)
    pool = gather_frames((FrameSource(str(tmp_path / "t[1].parquet")),), tmp_path)
    assert pool.names == ("t[1].parquet@0", "t[1].parquet@1")
