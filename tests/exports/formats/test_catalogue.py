from pathlib import Path

import pytest

from mastershot.core.errors import EditsError, SettingError
from mastershot.exports.formats.catalogue import FORMATS, format_named, format_of_file


def test_formats_have_names_and_signs_of_their_own() -> None:
    names = [known.name for known in FORMATS]
    assert len(set(names)) == len(names)
    assert {"edl", "otio", "fcpxml"} <= set(names)
    assert all(format_named(name).name == name for name in names)


def test_an_unknown_format_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingError, match=r"format 'OTIOO' is unknown; use edl.*mean otio\?"):
        format_named("OTIOO")


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.EDL", "", "edl"),
        ("a.txt", "TITLE: a\nFCM: NON-DROP FRAME\n", "edl"),
        ("a.json", '{"OTIO_SCHEMA": "Timeline.1"}', "otio"),
        ("a.xml", '<?xml version="1.0"?>\n<fcpxml version="1.9">', "fcpxml"),
        ("a.dat", "0 9\n10 29\n", None),
    ],
)
def test_a_file_is_known_by_its_suffix_or_its_start(
    name: str, text: str, found: str | None, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    known = format_of_file(tmp_path / name)
    assert (known.name if known else None) == found


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EditsError, match=r"a\.dat cannot be read: No such file"):
        format_of_file(tmp_path / "a.dat")
