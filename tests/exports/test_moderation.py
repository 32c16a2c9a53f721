import csv
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from tests.factories.moderation import scored_timeline

from mastershot.core.errors import TimelineError
from mastershot.core.timeline import Timeline, timeline_schema
from mastershot.exports.formats.lanes import lanes_of
from mastershot.exports.moderation import (
    moderation_lines,
    moderation_of_shots,
    write_moderation_csv,
)
from mastershot.exports.pages.report import write_report
from mastershot.exports.tables import write_shots_csv
from mastershot.labelling.moderation.intervals import evidence_name
from mastershot.store.features import FolderFeatures
from mastershot.store.frames import frame_times_of

JPEG = b"\xff\xd8\xff\xe0"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Timeline:
    store = FolderFeatures(tmp_path_factory.mktemp("features"))
    return scored_timeline(store, porn={45: 0.9, 55: 0.8}, gunshots={2.4: 0.9})


def test_the_timeline_is_valid_and_reads_back(film: Timeline) -> None:
    jsonschema.validate(json.loads(film.to_json()), timeline_schema())
    assert Timeline.from_json(film.to_json()) == film
    value = json.loads(film.to_json())
    assert {"name": "drug use", "source": "seen", "status": "not covered"}.items() <= next(
        row for row in value["moderation_coverage"] if row["name"] == "drug use"
    ).items()
    for one in value["moderation"]:
        assert one["evidence"]
        assert all(("frame" in each) == (one["source"] == "seen") for each in one["evidence"])


def test_a_timeline_with_an_interval_without_its_evidence_is_refused(film: Timeline) -> None:
    for wrong in ([], [{"time_s": 2.0, "score": 0.9}]):
        value = json.loads(film.to_json())
        sex = next(one for one in value["moderation"] if one["source"] == "seen")
        sex["evidence"] = wrong
        with pytest.raises(TimelineError, match=f"{sex['id']} is seen, but has no evidence"):
            Timeline.from_json(json.dumps(value))


@pytest.mark.parametrize(
    ("source", "path", "wrong", "sentence"),
    [
        ("seen", ["end_s"], 1e308, r"names 1e\+308 s; it is seen, and the film lasts from"),
        ("seen", ["start_s"], -2, "names -2 s; it is seen, and the film lasts from"),
        ("seen", ["end_s"], 7.5, "names 7.5 s; it is seen, and the film lasts from"),
        ("seen", ["evidence", 0, "time_s"], 90, "names 90 s; it is seen"),
        ("seen", ["evidence", 0, "frame"], 120, "rests on frame 120; the film has frames 0 to 119"),
        ("seen", ["end_s"], 0.5, r"starts at 1\.75\d* s and ends before that, at 0.5 s"),
        ("heard", ["end_s"], 1e6, r"names 1e\+06 s; it is heard"),
        ("heard", ["start_s"], -1e6, r"names -1e\+06 s; it is heard"),
        ("seen", ["end_s"], float("nan"), "NaN is no number"),
        ("seen", ["evidence", 0], 2.0, r"evidence\[0\]: 2.0 should be dict"),
        ("seen", ["end_s"], "1e400", r"moderation\[\d\]\.end_s: inf should be a finite number"),
    ],
)
def test_times_beyond_the_film_are_refused_in_one_sentence(
    film: Timeline, source: str, path: list[str | int], wrong: object, sentence: str
) -> None:
    value = json.loads(film.to_json())
    inner = next(one for one in value["moderation"] if one["source"] == source)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = wrong
    text = json.dumps(value).replace('"1e400"', "1e400")
    with pytest.raises(TimelineError, match=sentence) as caught:
        Timeline.from_json(text, name="film/timeline.json")
    assert str(caught.value).startswith("film/timeline.json is not ")
    assert "\n" not in str(caught.value)


def test_sound_may_go_on_beyond_the_frames(film: Timeline) -> None:
    heard = next(one for one in film.moderation or () if one.source == "heard")
    longer = replace(film, moderation=(replace(heard, end_s=3600.0),))
    assert Timeline.from_json(longer.to_json()) == longer


def test_lines_never_pass_over_what_was_not_looked_for(film: Timeline) -> None:
    assert moderation_lines(film) == [
        "sex, seen: 1 interval, by nsfw",
        "suggestive, seen: none found, by nsfw",
        "violence, seen: not covered: no detector of it was used; --moderation-model names one",
        "violence, heard: 1 interval, by yamnet",
        "drug use, seen: not covered: no detector of it was used; --moderation-model names one",
    ]
    assert moderation_lines(replace(film, moderation=None, moderation_coverage=None)) == []


def test_the_table_has_a_row_for_each_interval_and_each_class_without_one(
    film: Timeline, tmp_path: Path
) -> None:
    write_moderation_csv(film, tmp_path / "moderation.csv")
    with (tmp_path / "moderation.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = [(row["class"], row["source"], row["status"]) for row in rows]
    assert found == [
        ("sex", "seen", "flagged"),
        ("violence", "heard", "flagged"),
        ("suggestive", "seen", "none found"),
        ("violence", "seen", "not covered"),
        ("drug use", "seen", "not covered"),
    ]
    sex, violence = rows[:2]
    assert (sex["evidence_frames"], sex["shots"], sex["policy"]) == ("45;55", "00001", "default")
    assert (violence["evidence_frames"], violence["evidence_s"]) == ("", "2.4375")
    assert rows[3]["reason"].startswith("no detector")


def test_shots_say_what_they_are_flagged_for_and_what_was_not_covered(
    film: Timeline, tmp_path: Path
) -> None:
    missing = "violence (seen): not covered;drug use (seen): not covered"
    first, second, third = moderation_of_shots(film)
    assert (first, third) == (missing, missing)
    assert second == f"sex (seen);violence (heard);{missing}"
    write_shots_csv(film, tmp_path / "shots.csv")
    with (tmp_path / "shots.csv").open(newline="") as file:
        assert [row["moderation"] for row in csv.DictReader(file)] == [first, second, third]
    covered = tuple(row for row in film.moderation_coverage or () if row.status == "covered")
    clean = replace(film, moderation=(), moderation_coverage=covered)
    assert moderation_of_shots(clean) == ["none found"] * 3
    assert moderation_of_shots(replace(film, moderation=None)) == [""] * 3


def test_lanes_carry_source_and_policy_and_say_what_is_not_covered(film: Timeline) -> None:
    times = frame_times_of(film)
    flagged, missing = lanes_of(film, times, ["moderation", "not covered"])
    assert [one.text for one in flagged.intervals] == [
        "sex (seen, nsfw, severity 4, policy default)",
        "violence (heard, yamnet, severity 4, policy default)",
    ]
    sex, violence = flagged.intervals
    # The frames nearer to 45 and 55 than to others of shot 1, which has frames 40 to 69.
    assert (sex.span.first_frame, sex.span.end_frame, sex.score) == (40, 60, 0.91)
    assert violence.score == 0.9
    (whole,) = missing.intervals
    assert (whole.span.first_frame, whole.span.end_frame) == (0, film.movie.num_frames)
    assert whole.text == "not covered: violence (seen), drug use (seen) (policy default)"
    plain = replace(film, moderation=None, moderation_coverage=None)
    assert not {"moderation", "not covered"} & {one.name for one in lanes_of(plain, times)}


def test_the_report_shows_why_blurred_and_what_was_not_looked_for(
    film: Timeline, tmp_path: Path
) -> None:
    for folder in ("thumbs", "evidence"):
        (tmp_path / folder).mkdir()
    (tmp_path / "thumbs" / "00001.jpg").write_bytes(JPEG + b"shot")
    (tmp_path / "evidence" / evidence_name(45)).write_bytes(JPEG + b"frame 45")
    write_report(film, tmp_path / "report.html", thumbs=tmp_path / "thumbs")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<strong>not covered: no detector of it was used" in page
    assert page.count('class="veiled"') == 2
    assert ".veiled input:not(:checked) + img { filter: blur" in page
    assert "/9j/4GZyYW1lIDQ1" in page  # frame 45 itself
    assert "/9j/4HNob3Q=" in page  # frame 55 has no picture, so that of its shot
    assert "heard at 0:00:02.438 (0.90)" in page
    without = replace(film, moderation=None, moderation_coverage=None)
    write_report(without, tmp_path / "report.html", thumbs=tmp_path / "thumbs")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "Moderation</h2>" not in page
    assert "veiled" not in page
