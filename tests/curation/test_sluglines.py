import csv
import time
from pathlib import Path

import pytest

import mastershot as ms
from mastershot.curation.sluglines import parse_heading

SAMPLE = Path(__file__).with_name("headings_sample.tsv")


def parsed(text: str) -> tuple[str | None, list[str], str | None]:
    heading = parse_heading(text)
    assert heading is not None, text
    return heading.setting, heading.places, heading.time_of_day


def places(text: str) -> list[str]:
    return parsed(text)[1]


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("INT. CAR", "INT"),
        ("ext car", "EXT"),
        ("INT./EXT. CAR", "INT/EXT"),
        ("EXT./INT. CAR", "INT/EXT"),
        ("INT/EXT CAR", "INT/EXT"),
        ("I/E. CAR", "INT/EXT"),
        ("I./E. CAR", "INT/EXT"),
        ("INT\\EXT. CAR", "INT/EXT"),
        ("EXT. ROAD/INT. CAR - DAY", "INT/EXT"),
        ("EST. CITY", None),
        ("EXT./ESTAB. CITY", "EXT"),
        ("A12 INT. CAR - DAY A12", "INT"),
        ("(12) INT. CAR - DAY", "INT"),
        ("Scene 4: INT. CAR", "INT"),
        ("INT. AND EXT. CAR", "INT/EXT"),
        ("INTERIOR. CAR - DAY", "INT"),
        ("EXTERIOR CAR - DAY", "EXT"),
    ],
)
def test_a_heading_says_whether_it_is_inside_or_outside(text: str, setting: str | None) -> None:
    assert parsed(text)[0] == setting


@pytest.mark.parametrize(
    "text",
    [
        "",
        "JOHN",
        "Interior designers meet.",
        "Extra cheese, please.",
        "Int'l flights",
        "He walks to the EXT. DOOR",
        "n ext to her in bed",
        "EST-HER",
        "(INT. THE CAR) HE SHOVES THE THROTTLE",
    ],
)
def test_prose_is_no_heading(text: str) -> None:
    assert parse_heading(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "C'est la vie",
        "C'EST LA VIE",
        "Est-ce que tu viens?",
        "EST CE QUE VOUS VENEZ?",
        "Qu'est ce que c'est",
        "Où est la gare?",
        "L'EST DE LA FRANCE",
        "A EST la porte",
        "12 est ouvert",
        "est sur le roche de mon oncle",
        "Est, ovest, nord",
    ],
)
def test_dialogue_of_other_languages_is_no_heading(text: str) -> None:
    assert parse_heading(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Interesting.",
        "External pressure",
        "INTO the night",
        "Ext. 204, please",
        "ext 204 at the office",
        "Ext. 12-B?",
        "Int. - that is\u2026",
        "int. - the house is what I meant",
        "Int. I mean the house.",
        "Int. medicine ward, she said.",
        "Ext. door\u2019s fine, it\u2019s the house",
        "Int. Airport arrivals? No.",
        "Int or ext?",
        "I/E ratio is low",
        "I / E, yes",
        "Ext. 12, s'il vous plaît.",
        "C'est un bar.",
        "Est-ce que c'est l'hôtel ?",
        "EST UN HOTEL",
        "EST L'HOTEL",
        "Int. 5, scala B",
        "Interno 5, scala B",
        "Esterno giorno, disse",
        "Io e te, in cucina",
        "E i bambini?",
        "Ext. 3, por favor",
        "Esta noche, en el hotel",
        "Est es la casa",
    ],
)
def test_sentences_of_mixed_case_are_no_headings(text: str) -> None:
    assert parse_heading(text) is None


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Ext. 42nd street - day", ["street"]),
        ("Int. 204, office - Day", ["office"]),
        ("Int. World War I trench - Day", ["trench"]),
        ("int. ground floor of facility - DAY", ["ground floor"]),
        ("Ext. White ROOM", ["white room"]),
        ("Ext. Bar - He is waiting", ["bar"]),
        ("Int. Kitchen. Marie is waiting.", ["kitchen"]),
        ("INT. CAR as she slides into the seat", ["car", "seat"]),
        ("i/e car - day", ["car"]),
        ("Int. maison - jour", []),
        ("EST. 42ND STREET", ["street"]),
    ],
)
def test_headings_of_mixed_case_are_headings(text: str, places: list[str]) -> None:
    heading = parse_heading(text)
    assert heading is not None
    assert heading.places == places


@pytest.mark.parametrize(
    "text",
    [
        "9:00 P.M. EST",
        "Est. 1923",
        "EST LER",
        "est of Honolulu is farther than",
        "int he said",
        "Ext. 4032.",
        "555-1234 ext. 12",
        "Interior, yes, that is what she does.",
        "INTERIOR MONOLOGUE",
    ],
)
def test_a_time_zone_a_year_and_a_parted_word_are_no_heading(text: str) -> None:
    assert parse_heading(text) is None


def test_an_established_place_is_a_heading_with_or_without_a_stop() -> None:
    assert parsed("EST LEFT BANK STREET") == (None, ["street"], None)
    assert parsed("EST. LEFT BANK STREET - DAY") == (None, ["street"], "DAY")
    assert parsed("12 EST. PARIS 12") == (None, [], None)
    assert parsed("Est. Paris - night") == (None, [], "NIGHT")


def test_a_name_of_common_words_is_a_name() -> None:
    assert places("EXT. LEFT BANK STREET - DAY") == ["street"]
    assert places("EXT. LONG ISLAND BEACH") == ["beach"]
    assert places("EXT. PROVIDENCE, RHODE ISLAND") == []
    assert places("INT. WALL STREET BALLROOM") == ["ballroom"]
    assert places("EXT. WALL STREET") == ["street"]
    assert places("INT. HOLIDAY INN - LOBBY") == ["inn", "lobby"]
    assert places("INT. PLAZA HOTEL SUITE") == ["hotel suite"]
    assert places("EXT. TIMES SQUARE SUBWAY STATION") == ["subway station"]
    assert places("INT. CAMDEN CITY HALL") == ["city hall"]
    assert places("EXT. TOWN SQUARE CAFE") == ["town square cafe"]


def test_two_places_joined_by_an_and_sign_are_two() -> None:
    assert places("INT. HALL & LIVING ROOM") == ["hall", "living room"]
    assert places("INT. ARTS & CRAFTS CABIN") == ["arts crafts cabin"]
    assert places("INT. KATE & CHARLIE'S HOUSE") == ["house"]


def test_after_a_room_a_name_starts_another_place() -> None:
    assert places("INT. KITCHEN HOLMES HOUSE - DAY") == ["kitchen", "house"]
    assert places("INT. HOTEL THERESA LOBBY") == ["hotel", "lobby"]
    assert places("INT. MOTEL ROOM 21 BATHROOM") == ["motel room", "bathroom"]
    assert places("INT. HOTEL LOBBY") == ["hotel lobby"]
    assert places("INT. DOWNTOWN DETROIT STREET") == ["street"]


def test_brackets_are_left_out_unless_they_alone_name_the_place() -> None:
    assert places("INT. HOUSE (ON THE STREET) - DAY") == ["house"]
    assert places("INT. JIM'S (KITCHEN) - DAY") == ["kitchen"]
    assert places("INT. [KITCHEN] - DAY") == ["kitchen"]
    assert places("INT. BARN {STUDIO} - DAY") == ["barn"]
    assert places("EXT. LOS ANGELES - NIGHT (2nd Unit)") == []


def test_a_season_a_year_and_a_number_are_no_place() -> None:
    assert places("EXT. FARM - SPRING 1946") == ["farm"]
    assert places("EXT. FARM - SPRING, 1967 - DAY") == ["farm"]
    assert places("EXT. HOT SPRINGS - DAY") == ["hot spring"]
    assert places("EXT. 42ND ST. - DAY") == ["street"]
    assert places("EXT. ST. MARY'S CHURCH - DAY") == ["church"]


def test_possessors_and_names_are_dropped() -> None:
    assert places("INT. JOHN'S APARTMENT - BEDROOM") == ["apartment", "bedroom"]
    assert places("EXT. GOTHAM RIVER") == ["river"]
    assert places("INT. THE DANVERS' LIVING ROOM") == ["living room"]
    assert places("INT. HOTEL ADLON") == ["hotel"]
    assert places("EXT. PARIS - DAY") == []


def test_places_are_split_on_dashes_slashes_commas_stops_and_prepositions() -> None:
    assert places("INT. HOTEL - LOBBY/BAR, KITCHEN. CELLAR") == [
        *("hotel", "lobby", "bar", "kitchen", "cellar")
    ]
    assert places("EXT. ROAD NEAR THE FARM") == ["road", "farm"]
    assert places("EXT. STREETS OF LONDON") == ["street"]
    assert places("EXT. EDGE OF TOWN") == ["town"]
    assert places("INT. TEMPLE-HALLWAY-DAY") == ["temple", "hallway"]
    assert places("EXT. BEACH\u2014DAY") == ["beach"]


def test_places_are_singular_without_numbers_and_named_once() -> None:
    assert places("EXT. FACTORIES - FACTORY #2") == ["factory"]
    assert places("INT. ROOM 237") == ["room"]
    assert places("EXT. BUSES - CHURCHES - HOUSES - BEACHES - SHELVES") == [
        *("bus", "church", "house", "beach")
    ]


def test_a_plural_that_means_something_else_stays() -> None:
    assert places("EXT. WOODS - BARRACKS") == ["woods", "barracks"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("APARTMNET", "apartment"),
        ("HOSPTIAL", "hospital"),
        ("CEMETERRY", "cemetery"),
        ("DINNING ROOM", "dining room"),
    ],
)
def test_a_slip_of_the_pen_is_put_right(wrong: str, right: str) -> None:
    assert places(f"INT. {wrong} - DAY") == [right]


def test_a_name_is_not_taken_for_a_misspelt_place() -> None:
    assert places("INT. HARPER - PARKER - CARTER - CLOSE ON KATE") == []


@pytest.mark.parametrize(
    ("text", "time_of_day"),
    [
        ("INT. CAR - DAY", "DAY"),
        ("INT. CAR - DAY 14", "DAY"),
        ("14 INT. CAR - 2006 - DAY14", "DAY"),
        ("INT. CAR NIGHT", "NIGHT"),
        ("INT NITE: CAR", "NIGHT"),
        ("INT. CAR - LATE AFTERNOON", "LATE AFTERNOON"),
        ("INT. CAR - A FEW MINUTES LATER", "A FEW MINUTES LATER"),
        ("INT. CAR - NIGHT - CONTINUOUS", "NIGHT"),
        ("INT. CAR - CONTINUOUS - NIGHT", "NIGHT"),
        ("INT. CAR - 9:02 A.M.", "9:02 AM"),
        ("INT. CAR - FOGGY DAWN", "DAWN"),
        ("INT. CAR (LATER)", "LATER"),
        ("INT. CAR - LATER (NIGHT)", "NIGHT"),
        ("INT. CAR - CONTINUOUS NIGHT", "NIGHT"),
        ("INT. CAR - 6:30 A. M.", "6:30 AM"),
        ("INT. CAR - 0600 HOURS", "0600 HOURS"),
        ("INT. CAR - 6 O'CLOCK", "6 O'CLOCK"),
        ("INT. CAR - NEW YEAR'S EVE", None),
        ("INT. CAR - CHRISTMAS EVE - NIGHT", "NIGHT"),
        ("INT. CAR. EVE", "EVENING"),
        ("INT. CAR, SUNSET MARQUIS - NIGHT", "NIGHT"),
        ("INT. CAR - CONTINUUOUS", "CONTINUOUS"),
        ("INT. CAR-PRE-DAWN", "PRE-DAWN"),
        ("INT. CAR - PRESENT DAY", None),
        ("EXT. NIGHT CLUB", None),
        ("INT. CAR - FLASHBACK", None),
    ],
)
def test_the_time_of_day_is_kept_beside_the_places(text: str, time_of_day: str | None) -> None:
    assert parsed(text)[2] == time_of_day
    assert parsed(text)[1] in (["car"], ["night club"])


def test_what_the_camera_does_is_no_place() -> None:
    assert places("INT. CAR - CLOSE ON THE DOOR") == ["car"]
    assert places("EXT. FIELD - HELICOPTER SHOT") == ["field"]
    assert places("EXT. FIELD - ESTABLISHING - MOVING") == ["field"]
    assert places("EXT. CHURCH ESTABLISHING SHOT") == ["church"]
    assert places("EXT. PINE VIEW HOTEL - DAY") == ["hotel"]


def test_what_the_camera_sees_is_the_place_where_no_other_is_named() -> None:
    assert places("EXT. VIEW OF THE VILLAGE - DAY") == ["village"]
    assert places("EXT. FULL SHOT LEFT BANK STREET - NIGHT") == ["street"]
    assert places("INT. CAR - VIEW OF THE VILLAGE") == ["car"]


def test_prose_that_ran_on_is_cut() -> None:
    assert parsed("EXT. YARD - DAYThe car stops at the barn.") == ("EXT", ["yard"], "DAY")
    assert parsed("EXT. YARD - NIGHT A man leaves the barn") == ("EXT", ["yard"], "NIGHT")
    assert parsed("EXT. YARD - DAYAn ox leaves the barn") == ("EXT", ["yard"], "DAY")
    assert parsed("EXT. YARD - DUSK IN THE BARN") == ("EXT", ["yard", "barn"], "DUSK")
    assert parsed("EXT. YARD - NIGHTLOW ANGLE . . . the barn") == ("EXT", ["yard"], "NIGHT")


def test_a_heading_keeps_its_text_and_line() -> None:
    heading = parse_heading("  12 INT. CAR - DAY 12 ", line=7)
    assert heading == ms.Heading("INT", ["car"], "DAY", "12 INT. CAR - DAY 12", 7)


def test_a_line_made_to_take_long_does_not() -> None:
    start_s = time.process_time()
    for text in ["INT. " + "A " * 500_000, "A-" * 500_000, "INT. " + "\u00c3" * 500_000]:
        parse_heading(text)
    assert time.process_time() - start_s < 2


def test_the_sample_read_by_hand_is_right_to_97_percent() -> None:
    rows = [
        line.split("\t")
        for line in SAMPLE.read_text(encoding="utf-8").split("\n")
        if line and not line.startswith("#")
    ]
    assert len(rows) == 300
    right = 0
    for _, setting, time_of_day, names, heading in rows:
        expected = (setting, names.split("|"), time_of_day)
        found = parsed(heading.replace("\\t", "\t"))
        right += (found[0] or "-", found[1] or ["-"], found[2] or "-") == expected
    assert right >= 0.97 * len(rows)


# Lines of prose among the listed headings: the ends of words and of sentences.
PROSE = {
    "EST LER",
    "EST room.",
    "est of Honolulu is farther than",
    "est sur le roche de mon oncle -- '",
}


def test_every_real_heading_is_one(real_data: Path) -> None:
    with (real_data / "scripts" / "headings.tsv").open(encoding="utf-8", newline="") as file:
        lines = [row[1] for row in csv.reader(file, delimiter="\t")][1:]
    headings = {line: parse_heading(line) for line in lines}
    assert len(lines) == 59_159
    assert {line.strip() for line, heading in headings.items() if heading is None} == PROSE
    with_places = sum(bool(heading and heading.places) for heading in headings.values())
    assert with_places > 0.9 * len(headings)
