"""A strip of boundaries counts and draws what is found, missed and false."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from mastershot.core.errors import SettingError
from mastershot.exports.boundaries import BoundaryStrip, draw_boundaries

SCORES = np.array([0.9, 0.5, 0.2, 0.0])
TRUTH = np.array([True, False, True, False])


def strip(**changes: object) -> BoundaryStrip:
    given: dict[str, object] = {
        "name": "<one>", "end_s": 100.0, "times_s": np.array([10.0, 20, 50, 90]),
        "scores": SCORES, "truth": TRUTH,
    }  # fmt: skip
    return BoundaryStrip(**{**given, **changes})  # type: ignore[arg-type]


def test_boundaries_are_counted_from_the_threshold_on() -> None:
    assert strip().counts(0.5) == (1, 1, 1)
    assert strip().counts(0.51) == (1, 0, 1)
    assert strip().counts(0.1) == (2, 1, 0)


def test_heads_are_filled_where_a_found_boundary_is_true() -> None:
    text = draw_boundaries(strip(), threshold=0.5)
    root = ET.fromstring(text)
    assert root.get("aria-label") == "<one>: 1 boundaries found, 1 missed, 1 false"
    spaced = "{http://www.w3.org/2000/svg}"
    fills = [head.get("style") for head in root.iter(f"{spaced}circle")]
    assert fills == ["fill:#5b8fb0", "fill:var(--paper, #fff)", "fill:var(--paper, #fff)"]
    hints = [hint.text for hint in root.iter(f"{spaced}title")]
    assert hints[0] == "0:00:10.000, score 0.90, true"
    places = [float(head.get("cx", 0)) for head in root.iter(f"{spaced}circle")]
    assert places == pytest.approx([64 + 880 * share for share in (0.1, 0.2, 0.5)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": SCORES[:3]}, r"<one>: times, scores and truth .* shapes \(3,\), \(4,\)"),
        ({"scores": SCORES + 0.5}, "<one>: scores should be from 0 to 1$"),
        ({"scores": SCORES * np.nan}, "scores should be from 0 to 1$"),
        ({"end_s": 60.0}, "times should be from 0 to 60$"),
    ],
)
def test_arrays_that_do_not_fit_are_a_sentence(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        strip(**changes)
