"""A script aligned with a film: by labels and light, by subtitles, and from drawn pixels."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.factories.timelines import make_timeline

import mastershot as ms
from mastershot.core.errors import ScriptError, SettingError, TimelineError
from mastershot.core.labels import LabelScore
from mastershot.core.lanes import Interval, Lane
from mastershot.core.timeline import Timeline
from mastershot.synthetic.films import write_film
from mastershot.synthetic.plan import plan_film

SECOND = 24
BODY = "They talk.\n\n" + "MARIE\nWe wait for the night train to the sea.\n" * 3


def film(*scenes: tuple[str, str, str], shots: int = 4) -> Timeline:
    """Return a film with one scene after the other, of label, setting and time of day each."""
    made = make_timeline(
        shot_frames=[4 * SECOND] * shots * len(scenes), scene_shots=[shots] * len(scenes), audio=()
    )
    found = [scene for scene in scenes for _ in range(shots)]

    def seen(label: str, setting: str, time: str) -> dict[str, object]:
        return {
            "labels": (LabelScore(label, 0.8), LabelScore("cave", 0.1, unsure=True)),
            "setting": LabelScore(setting, 0.9),
            "time_of_day": LabelScore(time, 0.9) if time else LabelScore("DAY", 0.6, unsure=True),
        }

    assert made.scenes is not None
    return replace(
        made,
        shots=tuple(replace(s, **seen(*f)) for s, f in zip(made.shots, found, strict=True)),
        scenes=tuple(
            replace(s, labels=(LabelScore(f[0], 0.8),))
            for s, f in zip(made.scenes, scenes, strict=True)
        ),
    )


def script(folder: Path, *headings: str, body: str = BODY) -> Path:
    path = folder / "script.txt"
    path.write_text("".join(f"{heading}\n\n{body}\n" for heading in headings), "utf-8")
    return path


def scenes_of(found: "ms.pipeline.align.script.ScriptAlignment", num_shots: int) -> list[int]:  # type: ignore[name-defined]
    scenes = [-1] * num_shots
    for run in found.runs:
        scenes[run.first_shot : run.end_shot] = [run.scene] * (run.end_shot - run.first_shot)
    return scenes


BAR, BEACH, KITCHEN = ("bar", "INT", ""), ("beach", "EXT", "DAY"), ("kitchen", "INT", "")
HEADINGS = ("INT. BAR - NIGHT", "EXT. BEACH - DAY", "INT. KITCHEN - DAY")


def test_headings_lie_on_the_shots_that_show_them(tmp_path: Path) -> None:
    timeline = film(BAR, BEACH, KITCHEN)
    found = ms.align_script(timeline, script(tmp_path, *HEADINGS))
    assert [(run.first_shot, run.end_shot, run.heading.text) for run in found.runs] == [
        (0, 4, HEADINGS[0]),
        (4, 8, HEADINGS[1]),
        (8, 12, HEADINGS[2]),
    ]
    assert min(run.score for run in found.runs) > 0.8
    assert found.differences == ()
    lane = found.lanes[0]
    assert (lane.name, lane.role, lane.source) == ("script", "script", "script.txt")
    assert [one.span for one in lane.intervals] == [scene.span for scene in timeline.scenes or ()]


def test_one_scene_that_was_found_may_hold_two_of_the_script(tmp_path: Path) -> None:
    timeline = film(BAR, BEACH, KITCHEN)
    merged = make_timeline(shot_frames=[4 * SECOND] * 12, scene_shots=[8, 4], audio=())
    timeline = replace(timeline, scenes=merged.scenes)
    found = ms.align_script(timeline, script(tmp_path, *HEADINGS))
    assert [(run.first_shot, run.end_shot) for run in found.runs] == [(0, 4), (4, 8), (8, 12)]


def test_blanks_and_tabs_in_a_heading_are_one_blank_in_the_lanes(tmp_path: Path) -> None:
    headings = ("12\tINT.  BAR - NIGHT\t\t12", HEADINGS[1], "INT. CAVE   - DAY")
    found = ms.align_script(film(BAR, BEACH, shots=8), script(tmp_path, *headings))
    assert found.lanes[0].intervals[0].text == "12 INT. BAR - NIGHT 12"
    assert found.runs[0].heading.text == headings[0]
    assert found.lanes[1].intervals[0].text.startswith("not in the film: INT. CAVE - DAY (line")


def test_a_script_that_fits_ill_is_doubted(tmp_path: Path) -> None:
    others = [f"INT. {place} - NIGHT" for place in ("OFFICE", "HOSPITAL", "PRISON", "CHURCH")]
    doubt = "is it the script of this film?"
    strange = ms.align_script(film(BEACH, KITCHEN), script(tmp_path, *others * 4))
    assert strange.notes[-1].endswith(doubt)
    fitting = ms.align_script(film(BAR, BEACH, KITCHEN), script(tmp_path, *HEADINGS))
    assert not any(doubt in note for note in fitting.notes)


def test_a_scene_that_was_cut_is_told_where_it_would_be(tmp_path: Path) -> None:
    timeline = film(BAR, BEACH, KITCHEN, shots=8)
    path = script(tmp_path, HEADINGS[0], "EXT. FOREST - NIGHT", *HEADINGS[1:])
    found = ms.align_script(timeline, path)
    assert [run.scene for run in found.runs] == [0, 2, 3]
    (missing,) = found.differences
    assert missing.kind == "not in film"
    assert missing.text == "not in the film: EXT. FOREST - NIGHT (line 12)"
    assert missing.span == timeline.shots[8].span
    assert missing.score is not None
    assert missing.score > 0.5


def test_shots_that_no_heading_fits_are_told(tmp_path: Path) -> None:
    timeline = film(BAR, BAR, ("desert", "EXT", "DAY"), KITCHEN, KITCHEN, shots=12)
    found = ms.align_script(timeline, script(tmp_path, HEADINGS[0], HEADINGS[2]))
    (added,) = [one for one in found.differences if one.kind == "not in script"]
    assert (added.span.first_frame, added.span.end_frame) == (24 * 96, 36 * 96)
    assert added.heading is None


def test_a_contrary_setting_and_time_are_told(tmp_path: Path) -> None:
    timeline = film(("bar", "EXT", "DAY"), BEACH, KITCHEN)
    found = ms.align_script(timeline, script(tmp_path, *HEADINGS))
    assert [(one.kind, one.text, one.score) for one in found.differences] == [
        ("setting", "setting is EXT: INT. BAR - NIGHT (line 1)", 0.9),
        ("time of day", "time of day is DAY: INT. BAR - NIGHT (line 1)", 0.9),
    ]


def test_a_scene_that_goes_on_has_the_time_of_the_one_before(tmp_path: Path) -> None:
    timeline = film(BAR, ("street", "EXT", "DAY"))
    path = script(tmp_path, "INT. BAR - NIGHT", "EXT. STREET - CONTINUOUS")
    (other,) = ms.align_script(timeline, path).differences
    assert other.text == "time of day is DAY: EXT. STREET - CONTINUOUS (line 12)"


def test_subtitles_decide_where_pictures_cannot(tmp_path: Path) -> None:
    timeline = film(BAR, BAR, BAR)
    words = ["we sail at dawn with the tide", "your mother never liked my cooking", "nobody won"]
    text = "".join(f"INT. BAR - NIGHT\n\nMARIE\n{said}.\n\n" for said in words)
    path = tmp_path / "script.txt"
    path.write_text(text, "utf-8")
    # The first scene is a third as long as the script has it, the second fills five shots.
    cues = [(0, 0), (1, 0), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 2), (9, 2), (11, 2)]
    lane = Lane(
        "subtitles", "subtitles", "film.srt",
        tuple(Interval(timeline.shots[shot].span, words[scene]) for shot, scene in cues),
    )  # fmt: skip
    found = ms.align_script(replace(timeline, lanes=(lane,)), path)
    assert [(run.first_shot, run.end_shot) for run in found.runs] == [(0, 2), (2, 7), (7, 12)]
    assert found.notes == ()
    silent = ms.align_script(timeline, path)
    assert "no subtitles" in silent.notes[-1]
    assert [(run.first_shot, run.end_shot) for run in silent.runs] != [(0, 2), (2, 7), (7, 12)]


def test_subtitles_of_another_language_are_left_out_and_said(tmp_path: Path) -> None:
    timeline = film(BAR, BEACH, KITCHEN)
    lane = Lane(
        "subs", "subtitles", "fr.srt",
        (Interval(timeline.shots[0].span, "Nous attendons toujours le dernier train"),),
    )  # fmt: skip
    found = ms.align_script(replace(timeline, lanes=(lane,)), script(tmp_path, *HEADINGS))
    assert "of another language" in found.notes[0]
    assert scenes_of(found, 12) == list(np.repeat(range(3), 4))


def test_headings_alone_are_aligned_by_their_lines() -> None:
    headings = [
        heading
        for line, text in zip((1, 10, 19), HEADINGS, strict=True)
        if (heading := ms_heading(text, line)) is not None
    ]
    found = ms.align_script(film(BAR, BEACH, KITCHEN), headings)
    assert [(run.first_shot, run.end_shot) for run in found.runs] == [(0, 4), (4, 8), (8, 12)]
    assert found.lanes[0].source == ""


def ms_heading(text: str, line: int) -> ms.Heading | None:
    from mastershot.curation.sluglines import parse_heading

    return parse_heading(text, line=line)


def test_lanes_replace_those_of_their_name_and_leave_the_rest(tmp_path: Path) -> None:
    timeline = film(("bar", "EXT", "DAY"), BEACH, KITCHEN)
    note = Lane("notes", "notes", "", (Interval(timeline.shots[0].span, "mine"),))
    timeline = replace(timeline, lanes=(note,))
    first = ms.align_script(timeline, script(tmp_path, *HEADINGS)).onto(timeline)
    assert [lane.name for lane in first.lanes] == ["notes", "script", "script differences"]
    fitting = film(BAR, BEACH, KITCHEN)
    again = ms.align_script(fitting, script(tmp_path, *HEADINGS)).onto(
        replace(fitting, lanes=first.lanes)
    )
    assert [lane.name for lane in again.lanes] == ["notes", "script"]
    assert Timeline.from_json(again.to_json()) == again


def test_a_timeline_without_scenes_says_which_step_makes_them(tmp_path: Path) -> None:
    timeline = make_timeline(scene_shots=None)
    with pytest.raises(TimelineError, match=r"has no scenes.*--steps shots,labels,scenes"):
        ms.align_script(timeline, script(tmp_path, *HEADINGS))


def test_a_script_without_a_heading_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="has no scene heading"):
        ms.align_script(film(BAR), script(tmp_path, "A story."))
    with pytest.raises(ScriptError, match="there is no heading to align"):
        ms.align_script(film(BAR), [])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (" ", "' ' is no name of a lane"),
        ("a,b", "'a,b' is no name of a lane"),
        ("shots", "lane 'shots' is one that analysis makes"),
        ("subs", "a lane 'subs' of subtitles"),
    ],
)
def test_a_lane_of_another_kind_is_not_replaced(tmp_path: Path, name: str, sentence: str) -> None:
    timeline = film(BAR)
    lane = Lane("subs", "subtitles", "", (Interval(timeline.shots[0].span, "hello"),))
    with pytest.raises(SettingError, match=sentence):
        ms.align_script(replace(timeline, lanes=(lane,)), script(tmp_path, *HEADINGS), name=name)


def test_a_film_without_labels_is_aligned_by_what_there_is(tmp_path: Path) -> None:
    timeline = film(BAR, BEACH, KITCHEN)
    bare = tuple(replace(shot, labels=None, kept=()) for shot in timeline.shots)
    found = ms.align_script(replace(timeline, shots=bare), script(tmp_path, *HEADINGS))
    assert found.notes[0] == "the shots have no labels, so places were not compared"
    assert scenes_of(found, 12) == list(np.repeat(range(3), 4))


def drawn_script(folder: Path, places: Sequence[str]) -> Path:
    inside = {"church", "library", "corridor", "kitchen", "cave"}
    return script(
        folder, *(f"{'INT' if p in inside else 'EXT'}. {p.upper()} - DAY" for p in places)
    )


def test_a_drawn_film_is_aligned_from_its_pixels(tmp_path: Path) -> None:
    plan = plan_film(6, 3, seed=0)
    write_film(plan, tmp_path / "film.mp4")
    kinds = [plan.shots[first].setup.place.kind for first in plan.scene_starts]
    timeline = ms.analyze(tmp_path / "film.mp4", ms.Plan(steps=("shots", "labels", "scenes",
                          "headings")))  # fmt: skip
    found = ms.align_script(timeline, drawn_script(tmp_path, kinds))
    starts = [shot.span.first_frame + 2 for shot in timeline.shots]
    shown = np.searchsorted(plan.starts, starts, side="right") - 1
    truth = np.array([plan.shots[index].scene for index in shown])
    assert (np.array(scenes_of(found, len(truth))) == truth).mean() >= 0.8
