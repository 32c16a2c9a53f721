import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from tests.factories.timelines import make_timeline

from mastershot.core.lanes import SoundEvent
from mastershot.exports.drawings import draw_curves, draw_film


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


def test_a_sound_is_heard_for_as_long_as_there_is_a_picture() -> None:
    timeline = make_timeline(audio=())
    start_s, end_s = timeline.shots[0].span.start_s, timeline.shots[-1].span.end_s
    half_s = 0.975 / 4  # A window stands for half its length, around its centre.

    def event(name: str, first_s: float, last_s: float) -> SoundEvent:
        return SoundEvent(name, 0.9, first_s, last_s, first_s)

    events = (
        event("Music", start_s + 1, start_s + 2),
        event("Music", end_s - 1, end_s + 60),  # goes on after the last frame
        event("Music", end_s + 70, end_s + 80),
        event("Speech", start_s - 30, start_s + 0.5),  # begins before the first
        event("Applause", end_s + 1, end_s + 90),
        event("Bell", end_s, end_s),
    )
    rows = {row.name: row for row in draw_film(replace(timeline, audio=events), median_s=1).sounds}
    assert set(rows) == {"Music", "Speech", "Bell"}
    assert rows["Music"].heard_s == pytest.approx(1 + 2 * half_s + 1 + half_s)
    assert rows["Music"].num_events == 2
    assert rows["Speech"].heard_s == pytest.approx(0.5 + half_s)
    assert rows["Bell"].heard_s == pytest.approx(half_s)
    assert re.fullmatch(r"M([\d.]+) 0H100\.000V100H\1Z", rows["Bell"].path)
    assert all(row.heard_s <= end_s - start_s for row in rows.values())
