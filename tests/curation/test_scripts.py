import codecs
import csv
from pathlib import Path

import pytest
from tests.curation.test_sluglines import PROSE

import mastershot as ms
from mastershot.core.errors import ScriptError
from mastershot.curation.scripts import read_script_scenes

SCRIPT = "INT. JOHN'S APARTMENT - BEDROOM - NIGHT\n\nHe sleeps.\n\nEXT. GOTHAM RIVER - DAWN\n"


def script(folder: Path, data: str | bytes, name: str = "script.txt") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def final_draft(*paragraphs: str, prolog: str = "") -> str:
    body = "".join(paragraphs)
    return f"<?xml version='1.0'?>{prolog}<FinalDraft><Content>{body}</Content></FinalDraft>"


def scene_heading(text: str) -> str:
    return f"<Paragraph Type='Scene Heading' Number='1'><Text>{text}</Text></Paragraph>"


def test_whole_scripts_give_every_heading_that_is_listed(real_data: Path) -> None:
    listed: dict[str, set[str]] = {}
    with (real_data / "scripts" / "headings.tsv").open(encoding="utf-8", newline="") as file:
        for name, heading in csv.reader(file, delimiter="\t"):
            listed.setdefault(name, set()).add(" ".join(heading.split()))
    paths = sorted((real_data / "scripts" / "full").glob("*.txt"))
    assert len(paths) == 20
    for path in paths:
        found = {" ".join(heading.text.split()) for heading in ms.parse_script(path)}
        assert listed[path.stem] - PROSE <= found


def test_a_plain_script_gives_its_headings_in_order(tmp_path: Path) -> None:
    headings = ms.parse_script(script(tmp_path, SCRIPT))
    assert [(h.places, h.line) for h in headings] == [(["apartment", "bedroom"], 1), (["river"], 5)]


def test_a_script_s_dialogue_of_other_languages_is_left_out(tmp_path: Path) -> None:
    text = f"{SCRIPT}\nMARIE\nC'est un bar?\nEst-ce que\nest un restaurant.\nC'EST LA RUE\n"
    assert [h.line for h in ms.parse_script(script(tmp_path, text))] == [1, 5]


def test_sentences_in_dialogue_are_no_headings_of_a_script(tmp_path: Path) -> None:
    said = (
        "Interesting.", "Ext. 204, please", "C'est la vie.", "Est-ce que", "Int. - that is\u2026",
        "Int. not a heading", "Ext. It is what she said to me", "Est. 1923, they say.",
    )  # fmt: skip
    text = SCRIPT + "\nMARIE\n" + "\n".join(said) + "\n"
    assert [h.line for h in ms.parse_script(script(tmp_path, text))] == [1, 5]


def test_a_scene_has_its_lines_down_to_the_next_heading(tmp_path: Path) -> None:
    text = f"A TITLE\n\n{SCRIPT}\nThe river.\n\n{'long ' * 25}\n"
    one, two = read_script_scenes(script(tmp_path, text))
    assert (one.heading.line, one.text, one.num_lines) == (3, "He sleeps.", 1)
    assert two.text == f"The river.\n{('long ' * 25).strip()}"
    assert two.num_lines == 4  # a line of 124 characters is three of at most 60


def test_fountain_and_final_draft_scenes_have_their_text(tmp_path: Path) -> None:
    fountain = "INT. CAR - DAY #1#\n\nHe waits.\n/* cut\nthis */\n.CELLAR\n\nDark.\n"
    found = read_script_scenes(script(tmp_path, fountain, "film.fountain"))
    assert [(one.heading.places, one.text) for one in found] == [
        (["car"], "He waits."),
        (["cellar"], "Dark."),
    ]
    action = "<Paragraph Type='Action'><Text>He </Text><Text>waits.</Text></Paragraph>"
    xml = final_draft(scene_heading("INT. CAR - DAY"), action, scene_heading("EXT. YARD"))
    found = read_script_scenes(script(tmp_path, xml, "film.fdx"))
    assert [(one.heading.line, one.text, one.num_lines) for one in found] == [
        (1, "He waits.", 1),
        (3, "", 0),
    ]


def test_a_time_on_the_next_line_belongs_to_the_heading(tmp_path: Path) -> None:
    text = "INT. CAR -\n   LATE NIGHT\n\nINT. BUS -\nJOHN SLEEPS\n"
    headings = ms.parse_script(script(tmp_path, text))
    assert [(h.places, h.time_of_day) for h in headings] == [
        (["car"], "LATE NIGHT"),
        (["bus"], None),
    ]


def test_fountain_gives_forced_headings_and_skips_what_is_cut(tmp_path: Path) -> None:
    text = (
        "Title: A FILM\n\n.CELLAR - NIGHT #2A#\n\n...and so on\n\n/* INT. BARN\n\n*/\n"
        "INT. CAR - DAY #3#\n\n!EXT. YARD\n\n[[INT. SHED]]\n"
    )
    headings = ms.parse_script(script(tmp_path, text, "film.fountain"))
    assert [(h.setting, h.places, h.time_of_day, h.line) for h in headings] == [
        (None, ["cellar"], "NIGHT", 3),
        ("INT", ["car"], "DAY", 10),
    ]


def test_fountain_gives_a_forced_heading_between_dialogue_that_is_none(tmp_path: Path) -> None:
    text = (
        "INT. CAR - DAY\n\nMARIE\nC'est la vie.\nInt. not a heading\n\n.THE OLD CELLAR\n\n"
        "MARIE\nEst-ce que tu viens?\n... int. the car, she means\n"
    )
    headings = ms.parse_script(script(tmp_path, text, "film.fountain"))
    assert [(h.places, h.line) for h in headings] == [(["car"], 1), (["old cellar"], 7)]


def test_final_draft_gives_the_paragraphs_that_are_scene_headings(tmp_path: Path) -> None:
    text = final_draft(
        scene_heading("INT. CAR </Text><Text Style='Bold'>- DAY"),
        "<Paragraph Type='Action'><Text>EXT. YARD</Text></Paragraph>",
        scene_heading("THE CELLAR - NIGHT"),
        scene_heading(""),
    )
    headings = ms.parse_script(script(tmp_path, text, "film.fdx"))
    assert [(h.setting, h.places, h.time_of_day, h.line) for h in headings] == [
        ("INT", ["car"], "DAY", 1),
        (None, ["cellar"], "NIGHT", 3),
    ]


@pytest.mark.parametrize(
    "data",
    [
        SCRIPT.encode("utf-16"),
        SCRIPT.encode("utf-16-le"),
        SCRIPT.encode("utf-16-be"),
        SCRIPT.encode("utf-32"),
        codecs.BOM_UTF8 + SCRIPT.encode(),
        SCRIPT.replace("sleeps", "dort à l'été").encode("latin-1"),
        SCRIPT.replace("'", "\u2019").encode("cp1252"),
        SCRIPT.replace("\n", "\r\n").encode(),
    ],
)
def test_a_script_may_be_in_any_usual_encoding(tmp_path: Path, data: bytes) -> None:
    headings = ms.parse_script(script(tmp_path, data))
    assert [h.places for h in headings] == [["apartment", "bedroom"], ["river"]]


def test_latin_1_that_windows_1252_has_no_sign_for_is_read(tmp_path: Path) -> None:
    assert ms.parse_script(script(tmp_path, "INT. CAFÉ \x81 - DAY".encode("latin-1")))[
        0
    ].places == ["café"]


BOMB = '<!DOCTYPE a [<!ENTITY a "INT. CAR"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.txt", "", "is empty"),
        ("a.txt", " \n\n", "is empty"),
        ("a.txt", "A story without any.\n", "has no scene heading; one starts a line with INT"),
        ("a.txt", bytes(range(256)) * 40, "is a binary file, not a script's text"),
        ("a.txt", b"\xff\xfe\x00\xd8I\x00", "is not a text in UTF-8, UTF-16 or Latin-1"),
        ("a.pdf", b"%PDF-1.7\nINT. CAR", "is a PDF; save it as Fountain, .fdx or plain text"),
        ("a.docx", b"PK\x03\x04INT. CAR", "is a zipped document; save it as"),
        ("a.fountain", "Not one.", "has no scene heading"),
        ("a.fdx", "INT. CAR", "is not valid XML"),
        ("a.fdx", "<?xml version='1.0' encoding='none'?><FinalDraft/>", "is not valid XML"),
        ("a.fdx", "<svg/>", "holds <svg>, not Final Draft's <FinalDraft>"),
        ("a.fdx", final_draft(), "has no scene heading"),
        ("a.fdx", final_draft(scene_heading("&b;"), prolog=BOMB), "declares XML entities"),
        ("a.txt", final_draft(scene_heading("&b;"), prolog=BOMB), "declares XML entities"),
    ],
)
def test_what_is_no_script_is_explained_in_one_sentence(
    tmp_path: Path, name: str, data: str | bytes, sentence: str
) -> None:
    with pytest.raises(ScriptError) as raised:
        ms.parse_script(script(tmp_path, data, name))
    assert sentence in str(raised.value)
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_script_a_folder_and_a_huge_file_have_errors_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"nowhere\.txt does not exist"):
        ms.parse_script(tmp_path / "nowhere.txt")
    with pytest.raises(ScriptError, match="is a folder; name one script in it"):
        ms.parse_script(tmp_path)
    with pytest.raises(ScriptError, match="cannot be read"):
        ms.parse_script("nul\0byte.txt")
    huge = tmp_path / "huge.txt"
    with huge.open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(ScriptError, match="a script has less than"):
        ms.parse_script(huge)
