import json
from dataclasses import replace

import numpy as np
from tests.factories.tag_scores import drawn_scores

from mastershot.evaluation.bootstrap import UNDEFINED, Figure, Interval
from mastershot.evaluation.tagging import evaluate_tagging
from mastershot.exports.evaluation import (
    basis_of,
    figure_text,
    tagging_facts,
    tagging_markdown,
    tagging_table,
)

RESULTS = evaluate_tagging({"first|run": drawn_scores(), "<second>": drawn_scores(skill=0.6)})


def test_a_figure_says_its_interval_where_it_has_one() -> None:
    assert figure_text(Figure(0.45, Interval(0.4, 0.5), 9)) == "0.450 [0.400, 0.500]"
    assert (
        figure_text(Figure(0.1, Interval(-0.1, 0.5), 9), signed=True) == "+0.100 [-0.100, +0.500]"
    )
    assert figure_text(Figure(0.45, UNDEFINED, 9)) == "0.450"
    assert figure_text(Figure(np.nan, UNDEFINED, 0)) == "not defined"


def test_figures_of_one_film_say_that_they_have_no_interval() -> None:
    scores = drawn_scores()
    results = evaluate_tagging({"run": replace(scores, films=("f",) * len(scores))})
    assert basis_of(results).endswith("have a sample; no intervals, which take two films")
    assert "[" not in "".join(tagging_table(results))
    assert tagging_facts(results[0])["mean_precision"]["low"] is None


def test_facts_are_json_without_nan_and_say_what_the_figures_say() -> None:
    first, second = (json.loads(json.dumps(tagging_facts(one), allow_nan=False)) for one in RESULTS)
    assert "gains" not in first
    assert (first["num_samples"], first["num_films"]) == (200, 40)
    assert (first["num_classes"], first["num_classes_counted"]) == (8, 7)
    assert first["per_class"]["a"]["average_precision"]["value"] is None
    assert "a" not in first["precisions"]
    assert len(first["precisions"]["h"]) == len(first["recalls"]) == 101
    gained = second["mean_precision"]["value"] - first["mean_precision"]["value"]
    assert abs(second["gains"]["mean_precision"]["value"] - gained) < 1e-12
    gain = second["gains"]["per_class"]["h"]["value"]
    averages = [one["per_class"]["h"]["average_precision"]["value"] for one in (first, second)]
    assert abs(gain - (averages[1] - averages[0])) < 1e-12
    assert first["confusions"][0]["num_samples"] >= first["confusions"][-1]["num_samples"] > 0


def test_one_table_compares_the_results_with_the_first() -> None:
    columns, one, other, basis = tagging_table(RESULTS)
    assert columns.split()[:4] == ["scores", "gain", "in", "mAP"]
    assert one.startswith("first|run  –")
    assert other.startswith("<second>   +0.")
    assert "over the 7 of 8 classes that have a sample" in basis
    assert basis.endswith("gains are over first|run")
    alone, _, basis = tagging_table(RESULTS[:1])
    assert "gain" not in alone + basis


def test_markdown_has_the_table_and_the_classes_of_each_result() -> None:
    text = tagging_markdown(RESULTS, notes=["A note"])
    lines = text.splitlines()
    assert lines[0] == "# Evaluation: tagging"
    assert "A note." in lines
    assert r"## first\|run: classes" in lines
    assert "## &lt;second>: classes that are confused" in lines
    table = lines[lines.index("## &lt;second>: classes") + 2 :]
    assert table[:2] == ["| class | samples | films | AP | gain |", "|---|---|---|---|---|"]
    most = drawn_scores().truth.sum(axis=0)[7]
    assert table[2].startswith(f"| h | {most} | ")
    assert not any(line.startswith("| a |") for line in table)
