"""Timelines against lists, from files to figures; and a sweep, with scores kept and computed."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import drawn_film
from tests.factories.timelines import make_timeline

from mastershot.core.errors import MediaError, SettingError, ShotListError, TimelineError
from mastershot.core.movie import Transition
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.evaluation.shots import Measure
from mastershot.pipeline.analysis.plan import Plan
from mastershot.pipeline.analyze import analyze
from mastershot.pipeline.evaluation.shot_scores import decider_of, scores_of
from mastershot.pipeline.evaluation.shot_truth import (
    TruthSettings,
    frames_in_list,
    read_compared,
)
from mastershot.pipeline.evaluation.shots import ShotInputs, evaluate_shots
from mastershot.shots.settings import ShotSettings
from mastershot.store.frames import FRAMES_FILE, FrameTable, read_frames, write_frames


def stored(folder: Path, timeline: Timeline) -> Path:
    folder.mkdir(parents=True)
    (folder / "timeline.json").write_text(timeline.to_json(), "utf-8")
    return folder


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return stored(tmp_path / "out" / "film", make_timeline())  # cuts at 40 and 70 of 120


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("analysed")
    plan = drawn_film(folder / "drawn.mp4", num_scenes=3, shots_per_scene=3)
    plan_of_content = Plan(steps=("shots",), shots=ShotSettings("content"))
    analyze(folder / "drawn.mp4", plan_of_content, folder / "out")
    lines = [f"{first} {end - 1}" for first, end in pairwise(plan.starts)]
    write(folder / "truth" / "drawn.txt", "\n".join(lines))
    return folder


def inputs(film: Path, truth: Path | None, **settings: object) -> ShotInputs:
    return ShotInputs((film,), TruthSettings(truth, **settings))  # type: ignore[arg-type]


def test_a_timeline_is_measured_against_a_list(film: Path, tmp_path: Path) -> None:
    truth = write(tmp_path / "list.txt", "0 40\n41 60\n61 119\n")
    done = evaluate_shots(inputs(film, truth))
    assert done.facts["detected"]["num_matched"] == 1
    assert done.facts["detected"]["f1"]["value"] == 0.5
    assert done.facts["kinds"]["cut"]["detected"]["value"] == 0.5
    assert done.facts["kinds"]["wipe"]["f1"]["value"] is None
    assert json.loads(json.dumps(done.facts, allow_nan=False)) == done.facts
    assert done.lines[1].split()[:4] == ["detected", "2", "2", "1"]
    by_file = evaluate_shots(inputs(film / "timeline.json", truth))
    assert by_file.facts["detected"] == done.facts["detected"]


def test_a_timeline_against_itself_is_perfect(film: Path) -> None:
    done = evaluate_shots(inputs(film, film / "timeline.json"))
    assert done.facts["located"]["f1"]["value"] == 1


def test_a_list_at_another_rate_is_mapped_by_time(tmp_path: Path) -> None:
    timeline = make_timeline()
    coarse = replace(timeline.movie, frame_rate=Fraction(4), time_base=Fraction(1, 4),
                     start_pts=8, end_pts=128)  # fmt: skip
    spans = [
        replace(shot.span, start_pts=8 + shot.span.first_frame, end_pts=8 + shot.span.end_frame,
                time_base=Fraction(1, 4))
        for shot in timeline.shots
    ]  # fmt: skip
    shots = zip(timeline.shots, spans, strict=True)
    shown = replace(
        timeline, movie=coarse, shots=tuple(replace(s, span=span) for s, span in shots), scenes=None
    )
    film = stored(tmp_path / "film", shown)
    truth = write(
        tmp_path / "list.txt", "0 236\n237 418\n419 719\n"
    )  # 3.5 frames of 24 off at most
    rated = evaluate_shots(
        replace(inputs(film, truth, rate=Fraction(24)), measure=Measure(tolerance=6))
    )
    assert rated.facts["detected"]["f1"]["value"] == 1
    tight = replace(inputs(film, truth, rate=Fraction(24)), measure=Measure(tolerance=2))
    assert evaluate_shots(tight).facts["detected"]["num_matched"] == 1
    with pytest.raises(
        ShotListError, match=r"goes on to frame 719, but film.mp4 ends at frame 119"
    ):
        evaluate_shots(inputs(film, truth))


def test_times_become_frames_of_a_list_to_the_nearest() -> None:
    pts = np.arange(0, 1001 * 5, 1001) + 90
    times = FrameTimes(pts, Fraction(1, 24000))
    assert frames_in_list(times, Fraction(24000, 1001)).tolist() == [0, 1, 2, 3, 4]
    assert frames_in_list(times, Fraction(48000, 1001)).tolist() == [0, 2, 4, 6, 8]
    assert frames_in_list(times, Fraction(12000, 1001)).tolist() == [0, 1, 1, 2, 2]  # halves up
    long = FrameTimes(np.array([0, 3 * 3600 * 90000]), Fraction(1, 90000))
    assert frames_in_list(long, Fraction(60000, 1001)).tolist() == [0, 647353]


def test_a_list_is_shifted_and_cut_to_a_piece_with_its_flashes(film: Path, tmp_path: Path) -> None:
    truth = write(tmp_path / "list.txt", "0 537\n538 568\n569 5000\n")
    flashes = write(tmp_path / "flashes.txt", "500\n537\n567\n900\n")
    (one,) = read_compared([film], TruthSettings(truth, shift=2, piece_at=500, flashes=flashes))
    assert [(b.start, b.end) for b in one.true.boundaries] == [(40, 40), (71, 71)]
    assert one.flashes == (2, 39, 69)
    done = evaluate_shots(inputs(film, truth, shift=2, piece_at=500, flashes=flashes))
    assert done.facts["detected"]["f1"]["value"] == 1
    assert done.facts["flashes"]["value"] == 0
    assert any("3 flashes" in line for line in done.lines)


def test_films_of_a_folder_are_added_up_with_a_row_each(film: Path, tmp_path: Path) -> None:
    other = stored(
        tmp_path / "out" / "other",
        make_timeline("other.mp4", shot_frames=(60, 60), scene_shots=None),
    )
    write(tmp_path / "truth" / "film.txt", "0 39\n40 69\n70 119\n")
    write(tmp_path / "truth" / "other_gt.txt", "0 29\n30 119\n")
    settings = TruthSettings(tmp_path / "truth")
    done = evaluate_shots(ShotInputs((film, other), settings))
    rows = [(row["film"], row["detected"]["f1"]["value"]) for row in done.facts["films"]]
    assert rows == [("film", 1), ("other", 0)]
    assert done.facts["detected"]["f1"]["value"] == pytest.approx(4 / 6)
    assert any(line.startswith("other ") for line in done.lines)
    assert done.lines[-1].endswith("by bootstrap over films")
    with pytest.raises(ShotListError, match="lists the shots of one film, and 2 timelines"):
        evaluate_shots(ShotInputs((film, other), TruthSettings(tmp_path / "truth" / "film.txt")))
    with pytest.raises(ShotListError, match=r"timeline .* is given twice"):
        evaluate_shots(ShotInputs((film, film), settings))


def test_a_list_that_ends_early_gets_a_note(film: Path, tmp_path: Path) -> None:
    done = evaluate_shots(inputs(film, write(tmp_path / "list.txt", "0 39\n40 60\n")))
    assert "ends at frame 60 of 120: what was found later counts as false" in done.facts["notes"][0]
    assert done.lines[-1] == done.facts["notes"][0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"timelines": ()}, "name at least one timeline"),
        ({"measure": Measure(tolerance=-1)}, "tolerance is -1; it must be 0 frames or more"),
        ({"measure": Measure(tolerance=float("nan"))}, "tolerance is nan"),
        ({"measure": Measure(least_overlap=1.5)}, "overlap is 1.5; it must be from 0 to 1"),
        ({"truth": TruthSettings(rate=Fraction(0))}, "truth rate is 0; it must be above 0"),
        ({"sweeps": True, "detector": "guess"}, "by guess, which has no threshold to sweep; name"),
    ],
)
def test_settings_that_mean_nothing_are_refused(
    changes: dict[str, object], message: str, film: Path
) -> None:
    given = replace(inputs(film, film / "timeline.json"), **changes)
    with pytest.raises(SettingError, match=message):
        evaluate_shots(given)


def test_a_sweep_decodes_once_keeps_the_scores_and_finds_a_threshold(
    analysed: Path, tmp_path: Path
) -> None:
    folder = analysed
    film = folder / "out" / "drawn"
    given = replace(inputs(film, folder / "truth"), sweeps=True, out=tmp_path / "report")
    table = read_frames(film / FRAMES_FILE)
    write_frames(
        FrameTable(table.pts, {"other": np.arange(len(table.pts) - 1)}), film / FRAMES_FILE
    )
    done = evaluate_shots(given)
    sweep = done.facts["sweep"]
    assert sweep["detector"] == "content"
    assert sweep["best"]["f1"] == max(point["f1"] for point in sweep["points"])
    assert sweep["best"]["f1"] >= done.facts["detected"]["f1"]["value"] > 0.5
    assert any("so it flatters" in line for line in done.lines)
    assert json.loads((tmp_path / "report" / "shots.json").read_text("utf-8")) == done.facts
    assert (tmp_path / "report" / "sweep.svg").read_text("utf-8").startswith("<svg")
    assert set(read_frames(film / FRAMES_FILE).scores) == {"content", "other"}
    (folder / "drawn.mp4").rename(folder / "away.mp4")
    try:
        assert evaluate_shots(given).facts == done.facts
    finally:
        (folder / "away.mp4").rename(folder / "drawn.mp4")


def test_the_threshold_of_the_analysis_gives_its_shots_again(
    analysed: Path,
) -> None:
    folder = analysed
    (one,) = read_compared([folder / "out" / "drawn"], TruthSettings(folder / "truth"))
    name, decider = decider_of(one.timeline, None)
    scores = scores_of(one.timeline, one.folder, decider)
    found = decider.make(one.timeline, one.times)(scores, 27.0)
    assert name == "content"
    assert one.with_found(found).found == one.with_found().found


def test_a_network_is_swept_over_its_probabilities(analysed: Path, tmp_path: Path) -> None:
    settings = ShotSettings("temporal")
    analyze(analysed / "drawn.mp4", Plan(steps=("shots",), shots=settings), tmp_path)
    done = evaluate_shots(replace(inputs(tmp_path / "drawn", analysed / "truth"), sweeps=True))
    points = done.facts["sweep"]["points"]
    assert [point["threshold"] for point in points] == [number / 50 for number in range(1, 50)]
    (half,) = (point for point in points if point["threshold"] == settings.score_threshold)
    assert half["f1"] == done.facts["detected"]["f1"]["value"]
    write_frames(
        FrameTable(read_frames(analysed / "out" / "drawn" / FRAMES_FILE).pts),
        analysed / "out" / "drawn" / FRAMES_FILE,
    )
    other = replace(inputs(analysed / "out" / "drawn", analysed / "truth"), sweeps=True)
    with pytest.raises(TimelineError, match=r"holds no scores transitions.*analyse the film again"):
        evaluate_shots(replace(other, detector="learned"))
    assert evaluate_shots(replace(other, detector="temporal")).facts["sweep"]["points"] == points


def test_a_sweep_says_what_it_lacks(film: Path, tmp_path: Path) -> None:
    empty = write(tmp_path / "one_shot.txt", "0 119\n")
    with pytest.raises(ShotListError, match="hold no boundary, so that no threshold is best"):
        evaluate_shots(replace(inputs(film, empty), sweeps=True))
    truth = write(tmp_path / "list.txt", "0 40\n41 119\n")
    with pytest.raises(
        MediaError, match=r"film\.mp4"
    ):  # The film of a made-up timeline is nowhere.
        evaluate_shots(replace(inputs(film, truth), sweeps=True))
    pts = make_timeline().movie.start_pts + 1001 * np.arange(121)
    write_frames(FrameTable(pts, {"content": np.full(120, np.nan)}), film / FRAMES_FILE)
    with pytest.raises(ShotListError, match="no frame has a score that is a number"):
        evaluate_shots(replace(inputs(film, truth), sweeps=True))
    listed = replace(make_timeline("b.mp4"), made_by=replace(make_timeline().made_by, steps={}))
    other = stored(tmp_path / "listed", listed)
    with pytest.raises(SettingError, match=r"shots of b.mp4 are by a list, which has no threshold"):
        evaluate_shots(replace(inputs(other, truth), sweeps=True))


def test_a_timeline_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TimelineError, match="cannot be read"):
        evaluate_shots(inputs(tmp_path, None))


def test_kinds_of_the_timeline_are_compared(tmp_path: Path) -> None:
    timeline = make_timeline()
    how = (Transition("fade", 0, 5), Transition("dissolve", 36, 44), Transition("cut", 70, 70))
    shots = zip(timeline.shots, how, strict=True)
    film = stored(
        tmp_path / "film",
        replace(timeline, shots=tuple(replace(s, transition_in=one) for s, one in shots)),
    )
    done = evaluate_shots(inputs(film, write(tmp_path / "list.txt", "0 33\n44 69\n70 119\n")))
    assert done.facts["located"]["f1"]["value"] == 1
    assert done.facts["kinds"]["gradual"]["num_true"] == 1
    assert done.facts["interval_error"] == {"num_measured": 1, "start": 2, "end": 0}


def test_the_whole_film_and_a_piece_are_measured_against_the_released_list(
    real_data: Path, tmp_path: Path
) -> None:
    films, truth = real_data / "films", real_data / "films/truth/big_buck_bunny.shots.txt"
    piece = films / "big_buck_bunny_480p_30s.mp4"
    analyze(piece, Plan(steps=("shots",)), tmp_path)
    done = evaluate_shots(inputs(tmp_path / piece.stem, truth, piece_at=0))
    assert done.facts["kinds"]["cut"]["f1"]["value"] == 1
    assert done.facts["detected"]["recall"]["value"] >= 0.75
