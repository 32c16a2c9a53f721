import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import encode_film, flat_images
from tests.factories.timelines import make_timeline

import mastershot as ms
from mastershot.core.errors import (
    EditsError,
    OutputError,
    SettingError,
    ShotListError,
    TimelineError,
)
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Transition
from mastershot.core.timeline import Timeline
from mastershot.media.probe import probe
from mastershot.pipeline.analysis.plan import Plan
from mastershot.pipeline.edits import (
    Changes,
    EditList,
    cut_changes,
    export,
    import_edits,
    listed_shots,
    read_edits,
)
from mastershot.shots.lists import ShotList
from mastershot.store.frames import FrameTable, frame_times_of, write_frames

FILM = make_timeline()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "film"
    home.mkdir()
    (home / "timeline.json").write_text(FILM.to_json())
    return home


@pytest.mark.parametrize("name", ["edl", "otio", "fcpxml"])
def test_the_public_names_write_and_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"film.{name}"
    done = ms.export(FILM, name, path, start_timecode="01:00:00:00")
    assert (done.path, done.notes) == (path, ())
    lanes = {lane.name: lane for lane in ms.read_edits(path, FILM)}
    assert [one.span for one in lanes["shots"].intervals] == [s.span for s in FILM.shots]
    assert {"scenes", "labels", "audio"} <= set(lanes)


def test_an_export_lies_beside_its_timeline_and_has_what_was_asked_for(folder: Path) -> None:
    done = export(folder, "edl", lanes=["audio"], min_score=0.8)
    assert done.path == folder / "film.edl"
    (lane,) = read_edits(done.path, folder / "timeline.json")
    assert [one.text for one in lane.intervals] == ["Speech"]


@pytest.mark.parametrize("score", [-0.1, 1.5, float("nan"), float("inf")])
def test_a_score_that_means_nothing_is_refused(score: float, folder: Path) -> None:
    with pytest.raises(SettingError, match="means nothing; it is from 0 to 1"):
        export(folder, "edl", min_score=score)


def test_where_nothing_can_be_written_it_is_said(folder: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        export(folder, "edl", folder / "none" / "film.edl")
    with pytest.raises(TimelineError, match="cannot be read"):
        export(folder / "nothing.json", "edl")


def test_a_variable_rate_is_exact_with_the_times_of_all_frames(folder: Path) -> None:
    pts = np.cumsum(np.random.default_rng(5).integers(700, 1400, 121))
    shots = []
    for shot in FILM.shots:
        first, end = shot.span.first_frame, shot.span.end_frame
        span = replace(shot.span, start_pts=int(pts[first]), end_pts=int(pts[end]))
        shots.append(replace(shot, span=span))
    movie = replace(
        FILM.movie, start_pts=int(pts[0]), end_pts=int(pts[-1]), variable_frame_rate=True
    )
    timeline = replace(FILM, movie=movie, shots=tuple(shots), scenes=None)
    (folder / "timeline.json").write_text(timeline.to_json())
    write_frames(FrameTable(pts.astype(np.int64)), folder / "frames.npz")
    done = export(folder, "otio")
    assert "work at that rate in the editor" in " ".join(done.notes)
    assert "interpolated" not in " ".join(done.notes)
    lanes = read_edits(done.path, folder)
    assert [one.span for one in lanes[0].intervals] == [shot.span for shot in timeline.shots]
    notes = ms.export(timeline, "otio", folder / "b.otio").notes
    assert "are interpolated" in notes[-1]


EDITED = """TITLE: film
FCM: NON-DROP FRAME

001  FILM V C 00:00:00:00 00:00:01:18 01:00:00:00 01:00:01:18
002  FILM V C 00:00:01:18 00:00:04:00 01:00:01:18 01:00:04:00
003  FILM V C 00:00:04:00 00:00:05:00 01:00:04:00 01:00:05:00
* LOC: 01:00:04:02 RED     too long
"""


def test_an_import_says_what_changed_and_stays_with_the_timeline(folder: Path) -> None:
    edl = folder.parent / "back.edl"
    edl.write_text(EDITED)
    done = import_edits(edl, folder)
    assert done.changes == Changes(((40, 42),), (70,), (96,))
    assert done.changes.sentence() == "1 cut moved (40 → 42), 1 removed (70), 1 added (96)"
    kept = Timeline.load(folder / "timeline.json")
    assert kept.shots == FILM.shots
    assert [(lane.name, lane.role, lane.source) for lane in kept.lanes] == [
        ("edits", "shots", "back.edl"), ("edits-markers", "notes", "back.edl"),
    ]  # fmt: skip
    # What was brought in can be exported, and brought in again in its place.
    path = export(folder, "edl", folder / "again.edl", lanes=["edits", "edits-markers"]).path
    again = import_edits(path, folder, name="edits")
    assert again.replaced == ("edits",)
    kept = Timeline.load(folder / "timeline.json")
    cuts = next(lane for lane in kept.lanes if lane.name == "edits")
    assert [one.span.first_frame for one in cuts.intervals] == [0, 42, 96]


def test_the_purpose_of_an_import_is_its_role(folder: Path) -> None:
    edl = folder.parent / "back.edl"
    edl.write_text(EDITED)
    for purpose, role in (("truth", "truth"), ("notes", "notes"), ("edits", "shots")):
        done = import_edits(edl, folder, purpose=purpose, name=f"by {purpose}")  # type: ignore[arg-type]
        assert done.lanes[0].role == role
    assert len(Timeline.load(folder / "timeline.json").lanes) == 6


def test_a_list_of_shots_is_imported_too(folder: Path) -> None:
    path = folder.parent / "list.txt"
    path.write_text("0 41\n42 119\n")
    done = import_edits(path, folder)
    assert done.changes == Changes(((40, 42),), (70,), ())
    path.write_text("start_s\n0\n1.7517\n")
    assert [one.span.first_frame for one in read_edits(path, folder)[0].intervals] == [0, 42]
    path.write_text("0 41\n42 190\n")
    with pytest.raises(ShotListError, match="names frame 190, but the film's last is 119"):
        import_edits(path, folder)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"name": "a,b"}, "'a,b' is no name of a lane"),
        ({"name": " "}, "is no name of a lane"),
        ({"name": "headings"}, "'headings' is one that analysis makes"),
        ({"purpose": "fun"}, "'fun' is no purpose; use edits, notes, truth"),
    ],
)
def test_names_and_purposes_that_mean_nothing_are_refused(
    settings: dict[str, str], sentence: str, folder: Path
) -> None:
    edl = folder.parent / "back.edl"
    edl.write_text(EDITED)
    before = (folder / "timeline.json").read_bytes()
    with pytest.raises(SettingError, match=sentence):
        import_edits(edl, folder, **settings)  # type: ignore[arg-type]
    assert (folder / "timeline.json").read_bytes() == before


def test_a_stated_start_is_where_the_film_begins(folder: Path) -> None:
    edl = folder.parent / "back.edl"
    edl.write_text(EDITED.replace(" 00:0", " 10:0").replace(" 01:", " 11:"))
    with pytest.raises(EditsError, match=r"say so with --start-timecode|another film"):
        import_edits(edl, folder)
    done = import_edits(edl, folder, start_timecode="10:00:00:00")
    assert done.changes == Changes(((40, 42),), (70,), (96,))
    assert Timeline.load(folder / "timeline.json").movie.timecode == ""


def test_changes_are_matched_to_the_nearest_cut() -> None:
    times = frame_times_of(FILM)
    lane = read_lane([0, 35, 44, 119], FILM)
    # 35 and 44 are both near 40; the nearer one is it.
    assert cut_changes(FILM, lane, times) == Changes(((40, 44),), (70,), (35, 119))
    assert cut_changes(FILM, read_lane([0, 40, 70], FILM), times).sentence() == (
        "every cut is where it was"
    )
    assert cut_changes(FILM, read_lane([0, 41, 71], FILM), times).sentence() == (
        "2 cuts moved (40 → 41, 70 → 71)"
    )


def read_lane(starts: list[int], timeline: Timeline) -> Lane:
    times = frame_times_of(timeline)
    ends = [*starts[1:], times.num_frames]
    spans = [times.span(first, end) for first, end in zip(starts, ends, strict=True)]
    return Lane("shots", "shots", "", tuple(Interval(span) for span in spans))


COLOURS = [(200, 0, 0), (0, 0, 200)]


@pytest.mark.parametrize("name", ["edl", "otio", "fcpxml"])
@pytest.mark.parametrize("kind", ["constant", "variable"])
def test_analyze_takes_shots_of_editors_files(name: str, kind: str, tmp_path: Path) -> None:
    images = flat_images(COLOURS, each=24)
    steps = [40] * 48 if kind == "constant" else [30 + 7 * (i % 5) for i in range(48)]
    pts = [80 + sum(steps[:i]) for i in range(48)]
    film = encode_film(tmp_path / "film.mkv", images, pts=pts, time_base=Fraction(1, 1000))
    plan = Plan(steps=("shots",))
    timeline = ms.analyze(film, plan, tmp_path)
    assert [shot.span.first_frame for shot in timeline.shots] == [0, 24]
    edited = replace(
        timeline,
        shots=tuple(
            replace(
                timeline.shots[0],
                span=frame_times_of(timeline, tmp_path / "film").span(a, b),
                transition_in=Transition("cut" if a else "start", a, a),
            )
            for a, b in ((0, 10), (10, 31), (31, 48))
        ),
    )
    (tmp_path / "film" / "timeline.json").write_text(edited.to_json())
    path = export(tmp_path / "film", name, tmp_path / f"cut.{name}").path
    listed = listed_shots(path)
    assert isinstance(listed, EditList)
    shots = ms.analyze(film, replace(plan, shot_list=path), tmp_path / "again").shots
    assert [shot.span.first_frame for shot in shots] == [0, 10, 31]
    made = json.loads((tmp_path / "again" / "film" / "timeline.json").read_text())["made_by"]
    assert made["steps"]["shots"] == {"list": f"cut.{name}", "list_hash": listed.fingerprint}


def test_a_list_of_shots_stays_one_and_an_editors_file_needs_shots(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("0 9\n10 23\n")
    assert isinstance(listed_shots(path), ShotList)
    film = encode_film(tmp_path / "film.mp4", flat_images(COLOURS, each=12))
    edl = tmp_path / "notes.edl"
    edl.write_text(
        "001  001 V C 00:00:00:02 00:00:00:03 00:00:00:02 00:00:00:03\n"
        " |C:ResolveColorRed |M:Marker |D:1\n"
    )
    listed = listed_shots(edl)
    assert isinstance(listed, EditList)
    with pytest.raises(EditsError, match=r"notes\.edl has no shots in it; name a list of shots"):
        listed.shots_of(probe(film))
    file = probe(film)
    with pytest.raises(EditsError, match="as the shots of a film in 2 reels; analyse them without"):
        listed.shots_of(replace(file, reels=(file, file)))
