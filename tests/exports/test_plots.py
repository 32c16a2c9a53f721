import re
from xml.etree import ElementTree

import pytest

from mastershot.evaluation.bootstrap import UNDEFINED, Figure, Interval
from mastershot.evaluation.shot_sweep import SweepPoint
from mastershot.exports.drawings import Scale
from mastershot.exports.plots import (
    Bar,
    Curve,
    draw_bars,
    draw_columns,
    draw_curves_of_precision,
    draw_gains,
    draw_rankings,
    draw_sweep,
)

SVG = "{http://www.w3.org/2000/svg}"


def elements(text: str, name: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(text).findall(f"{SVG}{name}")


def texts(text: str) -> list[str]:
    return [element.text or "" for element in elements(text, "text")]


def bars_of(text: str) -> list[ElementTree.Element]:
    return [rect for rect in elements(text, "rect") if rect.get("height") == "10"]


def bar(name: str, value: float, spread: float = 0.05) -> Bar:
    return Bar(name, Figure(value, Interval(value - spread, value + spread), 1200))


def test_a_bar_is_as_long_as_its_value_and_says_all_of_it() -> None:
    rows = [bar("half", 0.5), bar("<all>", 1.0), Bar("none", Figure(float("nan"), UNDEFINED, 0))]
    text = draw_bars(rows, axis=Scale(0, 1), title="a & b", value_name="AP")
    half, whole = bars_of(text)
    assert 2 * float(half.get("width", "")) == float(whole.get("width", ""))
    assert half.get("x") == whole.get("x")
    shown = texts(text)
    for words in ("a & b", "AP", "samples", "half", "0.500", "<all>", "1,200", "–"):
        assert words in shown, words


@pytest.mark.parametrize(("number", "columns"), [(20, 1), (21, 2), (60, 2), (61, 3), (150, 3)])
def test_many_bars_stand_in_columns_of_equal_length(number: int, columns: int) -> None:
    text = draw_bars(
        [bar(f"class {n}", 0.5) for n in range(number)],
        axis=Scale(0, 1), title="", value_name="AP",
    )  # fmt: skip
    places = [one.get("x") for one in bars_of(text)]
    assert len(places) == number
    assert len(set(places)) == columns
    height = int(ElementTree.fromstring(text).get("height", ""))
    assert max(float(one.get("y", "")) for one in bars_of(text)) + 10 < height < 1000


def test_no_name_is_wider_than_its_column_and_the_whole_of_it_can_be_read() -> None:
    text = draw_bars([bar("a place with a very long name", 1)], axis=Scale(0, 1), title="",
                     value_name="AP")  # fmt: skip
    assert "a place with a very …" in texts(text)
    assert "<title>a place with a very long name</title>" in text


def test_gains_stand_on_both_sides_of_nothing_largest_first() -> None:
    text = draw_gains(
        [bar("worse", -0.2), bar("better", 0.4), bar("unsure", 0.01),
         Bar("one film", Figure(0.1, UNDEFINED, 3))],
        title="gain",
    )  # fmt: skip
    shown = [one for one in texts(text) if one in ("worse", "better", "unsure", "one film")]
    assert shown == ["better", "one film", "unsure", "worse"]
    assert {"+0.400", "−0.200", "+0.010"} <= set(texts(text))
    drawn = bars_of(text)
    assert [one.get("fill-opacity") for one in drawn] == [None, "0.45", "0.45", None]
    better, worse = drawn[0], drawn[-1]
    end_of_worse = float(worse.get("x", "")) + float(worse.get("width", ""))
    assert end_of_worse == pytest.approx(float(better.get("x", "")))
    assert len(bars_of(draw_gains([bar("same", 0, 0)], title=""))) == 1
    # A loss that rounds to nothing is not written as one.
    assert "+0.000" in texts(draw_gains([bar("same", -0.0001)], title=""))


def test_each_curve_has_a_panel_with_the_first_for_comparison() -> None:
    mean = Curve("mean", "mAP 0.5", (1.0, 0.5, 0.0), float("nan"))
    rare = Curve("a <rare> one", "AP 0.1", (0.5, 0.1, 0.1), 0.05)
    text = draw_curves_of_precision([mean, *[rare] * 5], title="curves")
    lines = elements(text, "polyline")
    assert len(lines) == 1 + 2 * 5
    points = [tuple(map(float, pair.split(","))) for pair in lines[0].get("points", "").split()]
    (left, top), (_, middle), (right, bottom) = points
    assert right - left == bottom - top == 2 * (middle - top) > 0
    assert len(re.findall("stroke-dasharray", text)) == 5
    assert texts(text).count("a <rare> one") == 5
    root = ElementTree.fromstring(text)
    assert bottom < float(root.get("height", "")) / 2  # The sixth is in a second row.


def test_what_ranks_first_is_relative_to_the_first_of_its_group() -> None:
    groups = {"War & peace": [("field", 40), ("tent", 10)], "Comedy": [("kitchen", 4)]}
    text = draw_rankings(groups, title="Places", value_name="shots")
    widths = [float(one.get("width", "")) for one in bars_of(text)]
    assert widths[0] == widths[2] == pytest.approx(4 * widths[1])
    assert {"Places (shots)", "War & peace", "field", "40"} <= set(texts(text))
    ElementTree.fromstring(draw_rankings({}, title="none", value_name="shots"))


def test_a_sweep_is_drawn_against_recall_and_threshold_with_its_best_marked() -> None:
    points = [
        SweepPoint(10.0, 8, 0.5, 1.0, 2 / 3),
        SweepPoint(20.0, 4, 0.75, 0.75, 0.75),
        SweepPoint(30.0, 0, float("nan"), 0.0, 0.0),
    ]
    text = draw_sweep(points, points[1], title="a & b")
    curve, *lines = (line.get("points", "").split() for line in elements(text, "polyline"))
    # What is not defined, precision of nothing found, is not drawn.
    assert [len(line) for line in (curve, *lines)] == [2, 2, 2, 2]
    (x_one, y_one), (x_two, y_two) = (map(float, place.split(",")) for place in curve)
    assert x_one > x_two  # less recall
    assert y_one > y_two  # more precision, which is up
    shown = texts(text)
    for words in ("a & b", "recall", "threshold", "best F1: 0.750 at 20", "10", "30"):
        assert words in shown, words
    best = [one for one in elements(text, "circle") if one.get("r") == "6"]
    assert [float(best[0].get("cx", "")), float(best[0].get("cy", ""))] == [x_two, y_two]
    assert "nan" not in text


def test_a_sweep_of_one_threshold_has_an_axis() -> None:
    point = SweepPoint(0.5, 1, 1.0, 1.0, 1.0)
    assert "nan" not in draw_sweep([point], point, title="")


def test_a_histogram_has_a_column_a_bin_and_its_count_under_the_pointer() -> None:
    svg = draw_columns([("1990", 3), ("1991", 0), ("<b>", 12)], title="years", value_name="films")
    assert svg.count('fill="#5b8fb0"') == 3
    heights = [float(text) for text in re.findall(r'width="26" height="([\d.]+)"', svg)]
    assert heights[1] == 0
    assert heights[2] == pytest.approx(4 * heights[0], rel=0.01)
    assert "<title>1990: 3</title>" in svg
    assert "&lt;b&gt;" in svg
    assert "<b>" not in svg
    assert "years (films)" in svg
    assert draw_columns([], title="none", value_name="films").startswith("<svg")
