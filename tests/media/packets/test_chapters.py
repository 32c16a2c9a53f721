import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from tests.factories.films import drawn_film, encode_film, flat_images

from mastershot.core.errors import MediaError, OutputError
from mastershot.media.packets.chapters import FilmChapter, copy_with_chapters
from mastershot.media.video import open_video

needs_ffprobe = pytest.mark.skipif(
    shutil.which("ffprobe") is None, reason="ffprobe is not on this machine"
)


def probed_chapters(path: Path) -> list[tuple[Fraction, str]]:
    command = ["ffprobe", "-v", "error", "-print_format", "json", "-show_chapters", str(path)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return [
        (one["start"] * Fraction(one["time_base"].replace(":", "/")), one["tags"]["title"])
        for one in json.loads(done.stdout)["chapters"]
    ]


def frame_starts(path: Path) -> list[Fraction]:
    film = open_video(path)
    for _ in film.frames():
        pass
    return [pts * film.file.time_base for pts in film.pts.tolist()]


@needs_ffprobe
@pytest.mark.parametrize("start", [0, 3003])
def test_a_chapter_starts_just_when_its_first_frame_is_shown_in_the_copy(
    tmp_path: Path, start: int
) -> None:
    # 23.976 frames a second: in Matroska's milliseconds half of the times are rounded down.
    film, copy = tmp_path / "film.mp4", tmp_path / "copy.mkv"
    images = flat_images([(200, 30, 30), (20, 200, 60), (30, 60, 220)], each=11)
    pts = [start + 1001 * place for place in range(33)]
    encode_film(film, images, pts=pts, time_base=Fraction(1, 24000), options={"bf": "2"})
    chapters = [
        FilmChapter(pts[first], pts[first] + 11 * 1001, f"Part {first} é")
        for first in (0, 11, 13, 22)
    ]
    assert copy_with_chapters(film, copy, chapters, time_base=Fraction(1, 24000)) == ()
    starts = frame_starts(copy)
    assert len(starts) == 34
    assert probed_chapters(copy) == [
        (starts[first], f"Part {first} é") for first in (0, 11, 13, 22)
    ]


def test_sound_and_pictures_are_copied_as_they_are(tmp_path: Path) -> None:
    film, copy = tmp_path / "film.mp4", tmp_path / "copy.mkv"
    drawn_film(film)
    copy_with_chapters(film, copy, [FilmChapter(0, 512, "One")], time_base=Fraction(1, 12288))
    before, after = (list(open_video(path).frames()) for path in (film, copy))
    assert len(before) == len(after)
    assert (before[-1].rgb() == after[-1].rgb()).all()
    assert open_video(copy).file.has_audio == open_video(film).file.has_audio
    assert [path.name for path in tmp_path.iterdir()] in (
        ["film.mp4", "copy.mkv"], ["copy.mkv", "film.mp4"],
    )  # fmt: skip


def test_a_copy_onto_the_film_or_of_no_film_is_refused(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    encode_film(film, flat_images([(9, 9, 9)], each=4))
    with pytest.raises(OutputError, match=r"film\.mkv is the film itself"):
        copy_with_chapters(film, film, [], time_base=Fraction(1, 24))
    with pytest.raises(MediaError, match="does not exist"):
        copy_with_chapters(tmp_path / "no.mp4", film, [], time_base=Fraction(1, 24))
    with pytest.raises(OutputError, match=r"copy\.mkv cannot be written"):
        copy_with_chapters(film, tmp_path / "no" / "copy.mkv", [], time_base=Fraction(1, 24))
