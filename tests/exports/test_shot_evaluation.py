import json

from mastershot.datasets.boundaries.boundary import Boundary
from mastershot.evaluation.shot_sweep import SweepPoint
from mastershot.evaluation.shots import FilmBoundaries, evaluate_boundaries
from mastershot.exports.shot_evaluation import shot_facts, shot_table, sweep_facts, sweep_lines

FOUND = (Boundary("cut", 100, 100), Boundary("fade", 300, 320), Boundary("cut", 700, 700))
TRUE = (Boundary("cut", 101, 101), Boundary("fade", 302, 320))
ONE = FilmBoundaries("one", FOUND, TRUE, num_frames=1000, flashes=(699, 900))
OTHER = FilmBoundaries("other", (), TRUE, num_frames=1000)


def test_a_table_has_a_row_a_kind_that_occurs_and_says_what_it_measures() -> None:
    lines = list(shot_table(evaluate_boundaries([ONE])))
    assert [line.split()[0] for line in lines[:6]] == [
        "true", "detected", "located", "cut", "gradual", "fade",
    ]  # fmt: skip
    assert lines[1].split()[1:4] == ["2", "3", "2"]
    text = "\n".join(lines)
    assert "wipe" not in text
    assert "1 gradual transitions touch a true one: they start 2.0 and end 0.0 frames off" in text
    assert "share of the 2 flashes that have a false boundary within 2 frames: 0.500" in text
    assert "within 2 frames of a true boundary" in text
    assert lines[-1] == "in brackets, 95 % intervals by bootstrap over 20 stretches of the film"


def test_several_films_have_a_row_each() -> None:
    lines = list(shot_table(evaluate_boundaries([ONE, OTHER])))
    at = next(place for place, line in enumerate(lines) if line.startswith("film"))
    assert lines[at + 1].split()[:4] == ["one", "2", "3", "2"]
    assert lines[at + 2].split() == ["other", "2", "0", "0", "–", "0.000", "0.000", "0.000"]


def test_facts_are_json_without_nan() -> None:
    facts = shot_facts(evaluate_boundaries([OTHER]))
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert facts["detected"]["precision"]["value"] is None
    assert facts["interval_error"] == {"num_measured": 0, "start": None, "end": None}
    assert facts["flashes"] is None
    assert facts["films"][0]["film"] == "other"


def test_a_sweep_names_its_best_and_warns_of_it() -> None:
    points = [
        SweepPoint(float(n), 50 - n, 0.5 if n < 49 else float("nan"), 0.5, 0.5 - n / 100)
        for n in range(50)
    ]
    lines = list(sweep_lines(points, points[3], "content"))
    assert len(lines) < 20
    assert [line.split()[0] for line in lines if line.endswith("best")] == ["3"]
    assert "best F1 of the content detector: 0.470 at threshold 3. It was chosen on" in lines[-1]
    facts = sweep_facts(points, points[3])
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert facts["points"][49]["precision"] is None
