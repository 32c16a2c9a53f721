import re
from xml.etree import ElementTree

from mastershot.exports.drawings import draw_curves


def test_each_figure_has_a_panel_that_spans_its_values() -> None:
    entries = [{"step": s, "seconds": 1.0, "loss": 9.0 - s, "why": "<&>"} for s in (1, 2, 4)]
    entries.append({"step": 8, "loss": 2.0, "knn_accuracy": 0.5})
    text = draw_curves(entries, "a <run>")
    root = ElementTree.fromstring(text)
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 2
    points = [tuple(map(float, pair.split(","))) for pair in lines[0].attrib["points"].split()]
    assert [y for _, y in points] == sorted(y for _, y in points)
    assert points[-1][0] == 624
    assert re.search("knn accuracy", text)
    assert "a &lt;run&gt;" in text
    assert "why" not in text


def test_a_log_without_figures_is_an_empty_drawing() -> None:
    ElementTree.fromstring(draw_curves([]))
