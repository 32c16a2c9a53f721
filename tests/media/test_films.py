from pathlib import Path

import pytest

from mastershot.core.errors import SettingError
from mastershot.media.films import films_by_name, find_films


def write_files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_only_films_of_a_folder_are_found_and_those_below_it(tmp_path: Path) -> None:
    write_files(tmp_path, "b.mp4", "b.srt", "b.jpg", "below/a.MKV", "._b.mp4", "a.mp4.json")
    (tmp_path / "folder.mp4").mkdir()
    assert find_films(tmp_path) == [tmp_path / "b.mp4", tmp_path / "below" / "a.MKV"]
    assert films_by_name(tmp_path) == {
        "a": tmp_path / "below" / "a.MKV",
        "b": tmp_path / "b.mp4",
    }


def test_two_films_of_one_name_are_refused(tmp_path: Path) -> None:
    write_files(tmp_path, "one/a.mp4", "other/a.mkv")
    with pytest.raises(SettingError, match=r"one/a\.mp4 and .*other/a\.mkv have the name 'a'"):
        films_by_name(tmp_path)
