from dataclasses import replace
from pathlib import Path

import pytest
from tests.exports.formats.editors.test_edits import export_of
from tests.factories.timelines import make_timeline

from mastershot.core.errors import EditsError
from mastershot.core.lanes import Interval, Lane
from mastershot.exports.formats.editors.fcpxml import read_fcpxml, write_fcpxml
from mastershot.store.frames import frame_times_of

FILM = make_timeline()


def document(spine: str, asset: str = 'src="file:///films/film.mp4" start="0s"') -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="1.8">'
        '<resources><format id="r1" frameDuration="1001/24000s"/>'
        f'<asset id="r2" name="film" {asset} format="r1"/></resources>'
        '<library><event><project name="x"><sequence format="r1" tcStart="3600/1s" tcFormat="NDF">'
        f"<spine>{spine}</spine></sequence></project></event></library></fcpxml>"
    )


def read(text: str, folder: Path) -> dict[str, Lane]:
    path = folder / "cut.fcpxml"
    path.write_text(text, "utf-8")
    return {lane.name: lane for lane in read_fcpxml(path, FILM, frame_times_of(FILM))}


def frames(lane: Lane) -> list[tuple[int, int]]:
    return [(one.span.first_frame, one.span.end_frame) for one in lane.intervals]


CLIP = '<asset-clip ref="r2" name="a" offset="3600/1s" start="0s" duration="40040/24000s"/>'


def test_a_spine_of_other_editors_is_read(tmp_path: Path) -> None:
    spine = (
        CLIP.replace("/>", ">")
        + '<marker start="10010/24000s" duration="1001/24000s" value="look" note="twice"/>'
        + '<chapter-marker start="20020/24000s" duration="1001/24000s" value="Two"/></asset-clip>'
        + '<transition name="Cross Dissolve" offset="86436031/24000s" duration="8008/24000s"/>'
        + '<clip name="b" offset="86440035/24000s" start="60060/24000s" duration="30030/24000s">'
        + '<video ref="r2" offset="60060/24000s" start="60060/24000s" duration="30030/24000s"/>'
        + "</clip>"
        + '<gap offset="86470065/24000s" duration="10010/24000s" start="0s"/>'
        + '<asset-clip ref="r2" name="c" start="100100/24000s" duration="20020/24000s"/>'
    )
    lanes = read(document(spine), tmp_path)
    assert frames(lanes["shots"]) == [(0, 40), (60, 90), (100, 120)]
    assert [one.text for one in lanes["shots"].intervals] == ["a", "b, dissolve 56-64", "c"]
    assert frames(lanes["markers"]) == [(10, 11), (20, 21)]
    assert [one.text for one in lanes["markers"].intervals] == ["look: twice", "Two"]


def test_the_asset_says_where_it_starts(tmp_path: Path) -> None:
    clip = CLIP.replace('start="0s"', 'start="86496410/24000s"')
    text = document(clip, 'start="36036/10s"')
    source = '<media-rep kind="original-media" src="film.mp4"/>'
    text = text.replace('format="r1"/></resources>', f'format="r1">{source}</asset></resources>')
    assert frames(read(text, tmp_path)["shots"]) == [(10, 50)]


def test_holes_are_gaps_and_markers_in_them_come_back(tmp_path: Path) -> None:
    times = frame_times_of(FILM)
    mine = Lane("mine", "shots", "", (Interval(times.span(10, 20)), Interval(times.span(90, 100))))
    notes = Lane("notes", "notes", "", (Interval(times.span(3, 5), "a\x07b"),
                                        Interval(times.span(50, 95), ""),))  # fmt: skip
    timeline = replace(FILM, lanes=(mine, notes))
    path = tmp_path / "film.fcpxml"
    write_fcpxml(export_of(timeline, names=["mine", "notes"]), path)
    assert path.read_text().count("<gap ") == 2
    lanes = {lane.name: lane for lane in read_fcpxml(path, FILM, times)}
    assert frames(lanes["shots"]) == [(10, 20), (90, 100)]
    assert frames(lanes["notes"]) == [(3, 5), (50, 95)]
    assert [one.text for one in lanes["notes"].intervals] == ["a\\x07b", ""]


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE fcpxml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    '<fcpxml version="1.10">&b;</fcpxml>'
)
OUTSIDE = (
    '<!DOCTYPE fcpxml [<!ENTITY a SYSTEM "file:///etc/passwd">]><fcpxml version="1.10">&a;</fcpxml>'
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (BOMB, "defines entities, which no FCPXML does; it is refused"),
        (OUTSIDE, "defines entities"),
        ("<fcpxml", "is no well-formed XML"),
        ("<xmeml/>", "its root is 'xmeml', not fcpxml"),
        ('<fcpxml version="2.0"/>', "is FCPXML of version '2.0'; versions 1.x are read"),
        ('<fcpxml version="1.10"/>', "has no sequence with a spine; export a project"),
        (document(""), "has no event of picture and no marker"),
        (document(CLIP.replace("40040/24000s", "nan")), "duration='nan' .* is no time"),
        (document(CLIP.replace("40040/24000s", "4/0s")), "duration='4/0s' .* is no time"),
        (document(CLIP.replace("40040/24000s", "-1s")), "clip 1 ends at or before its start"),
        (document(CLIP.replace("40040/24000s", "99s")), "the film ends at"),
        (document(CLIP.replace('start="0s"', 'start="-1s"')), "before the film's first frame"),
        (document(CLIP + CLIP), "clip 1 and clip 2 overlap by 40 frames"),
        (document(CLIP).replace('name="film" src="file:///films/film', 'name="b" src="b'),
         "is a list of 'b.mp4', and this film is film.mp4"),
        ("", "is empty"),
        ("\0", "is a binary file"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(EditsError, match=sentence) as refused:
        read(text, tmp_path)
    assert "\n" not in str(refused.value)
