import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.factories.exports import export_of, without_source
from tests.factories.timelines import make_timeline

from mastershot.core.errors import EditsError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.eaf import read_eaf, write_eaf
from mastershot.exports.formats.lanes import lanes_of
from mastershot.store.frames import frame_times_of

SCHEMA = os.environ.get("MASTERSHOT_EAF_SCHEMA", "")

# The order of EAF 3.0's elements, and what each must and may have (its schema, December 2016).
CHILDREN = ["LICENSE", "HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LOCALE", "LANGUAGE",
            "CONSTRAINT", "CONTROLLED_VOCABULARY", "LEXICON_REF", "REF_LINK_SET",
            "EXTERNAL_REF"]  # fmt: skip
REQUIRED = {
    "ANNOTATION_DOCUMENT": {"DATE", "AUTHOR", "VERSION"},
    "MEDIA_DESCRIPTOR": {"MEDIA_URL", "MIME_TYPE"},
    "TIME_SLOT": {"TIME_SLOT_ID"},
    "TIER": {"TIER_ID", "LINGUISTIC_TYPE_REF"},
    "ALIGNABLE_ANNOTATION": {"ANNOTATION_ID", "TIME_SLOT_REF1", "TIME_SLOT_REF2"},
    "LINGUISTIC_TYPE": {"LINGUISTIC_TYPE_ID"},
}


def violations(path: Path) -> list[str]:
    """Return where a file is not as EAF 3.0 has it: order, attributes, ids and references."""
    root = ElementTree.parse(path).getroot()
    order = [CHILDREN.index(node.tag) for node in root]
    found = [] if order == sorted(order) else ["the elements are out of order"]
    found += [
        f"{node.tag} lacks {name}"
        for node in root.iter()
        for name in REQUIRED.get(node.tag, set()) - set(node.attrib)
    ]
    slots = [node.get("TIME_SLOT_ID") for node in root.iter("TIME_SLOT")]
    annotations = list(root.iter("ALIGNABLE_ANNOTATION"))
    ids = [*slots, *(node.get("ANNOTATION_ID") for node in annotations)]
    found += [] if len(set(ids)) == len(ids) else ["an id is not unique"]
    refs = {node.get(f"TIME_SLOT_REF{end}") for node in annotations for end in (1, 2)}
    found += [f"{ref} is no slot" for ref in refs - set(slots)]
    tiers = [node.get("TIER_ID") for node in root.iter("TIER")]
    found += [] if len(set(tiers)) == len(tiers) else ["a tier's name is not unique"]
    types = {node.get("LINGUISTIC_TYPE_ID") for node in root.iter("LINGUISTIC_TYPE")}
    found += [f"{node} is no type" for node in root.iter("TIER")
              if node.get("LINGUISTIC_TYPE_REF") not in types]  # fmt: skip
    values = [int(node.get("TIME_VALUE", "")) for node in root.iter("TIME_SLOT")]
    return found + [f"{value} is no time" for value in values if not 0 <= value < 2**32]


def written(tmp_path: Path, timeline: Timeline | None = None) -> tuple[Path, Timeline]:
    timeline = timeline or make_timeline()
    times, path = frame_times_of(timeline), tmp_path / "film.eaf"
    write_eaf(export_of(timeline, times, lanes_of(timeline, times)), path)
    return path, timeline


def test_a_file_is_as_the_format_has_it_and_within_a_tier_nothing_overlaps(tmp_path: Path) -> None:
    path, timeline = written(tmp_path)
    assert violations(path) == []
    root = ElementTree.parse(path).getroot()
    tiers = [node.get("TIER_ID") for node in root.iter("TIER")]
    assert tiers[:3] == ["shots", "scenes", "labels"]
    media = root.find("HEADER/MEDIA_DESCRIPTOR")
    assert media is not None
    assert media.attrib["MEDIA_URL"].startswith("file:///")
    assert media.attrib["RELATIVE_MEDIA_URL"].endswith("/film.mp4")
    assert media.attrib["TIME_ORIGIN"] == "0"
    times = frame_times_of(timeline)
    found = without_source(read_eaf(path, timeline, times))
    assert found == without_source(lanes_of(timeline, times))


@pytest.mark.skipif(
    not SCHEMA or shutil.which("xmllint") is None,
    reason="MASTERSHOT_EAF_SCHEMA names no EAFv3.0.xsd, or xmllint is missing",
)
def test_a_file_validates_against_the_schema_of_elan(tmp_path: Path) -> None:
    timeline = make_timeline()
    times = frame_times_of(timeline)
    odd = Interval(times.span(5, 9), "\x07 <&> \ud83d", 0.25)
    lanes = (Lane("labels (2)", "notes", "", (odd, odd)), Lane("labels", "notes", "", (odd, odd)))
    path, _ = written(tmp_path, replace(timeline, lanes=lanes))
    subprocess.run(["xmllint", "--noout", "--nonet", "--schema", SCHEMA, path], check=True)


def eaf(
    tiers: str, slots: Sequence[int | None] = (0, 1000, 2000, 3000), *, media: str = "film.mp4",
    header: str = "",
) -> str:  # fmt: skip
    order = "".join(
        f'<TIME_SLOT TIME_SLOT_ID="ts{number}"'
        + ("/>" if time is None else f' TIME_VALUE="{time}"/>')
        for number, time in enumerate(slots, start=1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-01-01'
        'T00:00:00Z" FORMAT="3.0" VERSION="3.0"><HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">'
        f'<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/x/{media}" MIME_TYPE="video/mp4" {header}/>'
        f"</HEADER><TIME_ORDER>{order}</TIME_ORDER>{tiers}</ANNOTATION_DOCUMENT>"
    )


def aligned(name: str, first: int, second: int, text: str) -> str:
    return (
        f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="{name}" TIME_SLOT_REF1="ts{first}" '
        f'TIME_SLOT_REF2="ts{second}"><ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>'
        "</ALIGNABLE_ANNOTATION></ANNOTATION>"
    )


def referring(name: str, parent: str, text: str) -> str:
    return (
        f'<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="{name}" ANNOTATION_REF="{parent}">'
        f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>"
    )


def tier(name: str, *annotations: str) -> str:
    inner = "".join(annotations)
    return f'<TIER TIER_ID="{name}" LINGUISTIC_TYPE_REF="x">{inner}</TIER>'


def read(tmp_path: Path, text: str) -> dict[str, list[tuple[int, int, str]]]:
    path, timeline = tmp_path / "any.eaf", make_timeline()
    path.write_text(text, "utf-8")
    lanes = read_eaf(path, timeline, frame_times_of(timeline))
    return {
        lane.name: [(i.span.first_frame, i.span.end_frame, i.text) for i in lane.intervals]
        for lane in lanes
    }


def test_tiers_that_people_made_are_read_with_annotations_that_refer_to_others(
    tmp_path: Path,
) -> None:
    found = read(
        tmp_path,
        eaf(
            tier("Bild", aligned("a1", 1, 2, "eins"), aligned("a2", 3, 4, "zwei"))
            + tier("note", referring("a4", "a3", "über"))
            + tier("gloss", referring("a3", "a1", "one"))
            + tier("empty")
        ),
    )
    # 1, 2, 3 s after the first frame at 24000/1001 frames a second, to the nearest frame.
    assert found == {
        "Bild": [(0, 24, "eins"), (48, 72, "zwei")],
        "note": [(0, 24, "über")],
        "gloss": [(0, 24, "one")],
    }


def test_slots_without_a_time_lie_evenly_between_those_that_have_one(tmp_path: Path) -> None:
    words = (aligned("a1", 1, 2, "a"), aligned("a2", 2, 3, "b"), aligned("a3", 3, 4, "c"))
    found = read(tmp_path, eaf(tier("words", *words), (0, None, None, 3000)))
    assert found == {"words": [(0, 24, "a"), (24, 48, "b"), (48, 72, "c")]}


def test_the_time_origin_of_the_film_counts(tmp_path: Path) -> None:
    text = eaf(tier("x", aligned("a1", 1, 2, "a")), header='TIME_ORIGIN="1001"')
    assert read(tmp_path, text) == {"x": [(24, 48, "a")]}


def test_an_annotation_that_was_edited_counts_by_its_time_and_loses_its_score(
    tmp_path: Path,
) -> None:
    timeline = make_timeline()
    times = frame_times_of(timeline)
    one = Interval(times.span(10, 20), "kitchen", 0.75)
    lane = Lane("places", "notes", "", (one, Interval(times.span(30, 40), "bar", 0.5)))
    path = tmp_path / "film.eaf"
    write_eaf(export_of(timeline, times, [lane]), path)
    text = path.read_text("utf-8").replace(">bar<", ">pub<")
    path.write_text(text.replace('TIME_VALUE="418"', 'TIME_VALUE="459"'), "utf-8")
    (found,) = read_eaf(path, timeline, times)
    assert [(i.span.first_frame, i.text, i.score) for i in found.intervals] == [
        (11, "kitchen", None), (30, "pub", None),
    ]  # fmt: skip


GOOD = tier("x", aligned("a1", 1, 2, "a"))
BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]>'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("\x00\x01", "is not valid XML"),
        ("<ANNOTATION_DOCUMENT>", "is not valid XML"),
        ("<fcpxml/>", "holds <fcpxml>, not <ANNOTATION_DOCUMENT>"),
        ("<ANNOTATION_DOCUMENT/>", "has no HEADER"),
        (eaf(GOOD).replace('"UTF-8"?>', '"UTF-8"?>' + BOMB), "declares a document type or XML ent"),
        (eaf(GOOD).replace("?>", '?><!DOCTYPE a SYSTEM "file:///etc/passwd">'), "declares a docum"),
        (eaf(GOOD).replace("milliseconds", "PAL-frames"), "counts in PAL-frames"),
        (eaf(GOOD, media="other.mp4"), r"any\.eaf is of other\.mp4, and the timeline of film\.mp4"),
        (eaf(GOOD, (0, 90_000)), "annotation a1 ends at 0:01:30.000, and the film at 0:00:05.005"),
        (eaf(GOOD, (2000, 1000)), "annotation a1 ends before it starts"),
        (eaf(GOOD, (0,)), "annotation a1 refers to ts2, which is no slot"),
        (eaf(GOOD, (0, None)), "no time follows slot ts2"),
        (eaf(GOOD).replace('"1000"', '"-7"'), "has the time '-7'"),
        (eaf(GOOD, header='TIME_ORIGIN="soon"'), "has the TIME_ORIGIN 'soon'"),
        (eaf(tier("x", referring("a1", "a2", ""), referring("a2", "a1", ""))), "leads to none"),
        (eaf(GOOD).replace("TIME_SLOT_REF2", "X"), "without TIME_SLOT_REF2"),
        (eaf(tier("x")), "holds no annotation"),
    ],
)
def test_a_bad_file_or_one_of_another_film_is_refused_in_one_sentence(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(EditsError, match=problem) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_file_of_a_longer_film_of_that_name_is_refused(tmp_path: Path) -> None:
    path, _ = written(tmp_path, make_timeline(shot_frames=(400,), scene_shots=None))
    timeline = make_timeline()
    with pytest.raises(EditsError, match=r"film that ends at 0:00:16\.684, and film\.mp4 ends at"):
        read_eaf(path, timeline, frame_times_of(timeline))
