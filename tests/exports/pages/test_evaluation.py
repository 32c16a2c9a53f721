import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.factories.tag_scores import drawn_scores

from mastershot.core.errors import OutputError
from mastershot.evaluation.tagging import evaluate_tagging
from mastershot.exports.pages.evaluation import curves_of, write_tagging_page


def page_of(path: Path, **sets: float) -> str:
    scores = {name: drawn_scores(skill=skill) for name, skill in sets.items()}
    write_tagging_page(evaluate_tagging(scores), path, notes=["A note."])
    return path.read_text("utf-8")


def test_a_page_shows_every_class_and_asks_for_nothing(tmp_path: Path) -> None:
    page = page_of(tmp_path / "evaluation.html", swin=0.4)
    for words in (
        "Tagging: swin", "200 samples", "40 films", "7 of 8 classes", "weighted mAP", "A note.",
        "Classes that are confused", "drawn &lt;at&gt; random",
    ):  # fmt: skip
        assert words in page, words
    assert page.count("<svg") == 2
    assert "What each class gains" not in page
    assert re.findall(r"(?:src|href)=|url\(|@import", page) == []


def test_several_results_are_compared_with_the_first(tmp_path: Path) -> None:
    page = page_of(tmp_path / "evaluation.html", lstm=0.4, swin=0.6)
    assert "Tagging: lstm, swin" in page
    assert "gain in mAP" in page
    assert page.count("What each class gains") == 1
    assert "Gain of swin over lstm" in page
    assert page.count("<svg") == 5


def test_classes_without_confusions_are_said_to_have_none(tmp_path: Path) -> None:
    assert "is always one that the sample shows" in page_of(tmp_path / "page.html", perfect=1)


def test_curves_are_the_mean_the_best_and_the_worst_of_frequent_classes() -> None:
    scores = drawn_scores(300, 12)
    truth = scores.truth.copy()
    truth[:, 0] = np.arange(300) < 4  # Too rare to be shown, however good or bad.
    (result,) = evaluate_tagging({"one": replace(scores, truth=truth)})
    curves = curves_of(result.figures)
    averages = {row.name: row.average_precision.value for row in result.figures.per_class[1:]}
    ranked = sorted(averages, key=lambda name: -averages[name])
    assert [curve.name for curve in curves] == ["mean over classes", *ranked[:4], *ranked[-5:]]
    assert np.mean(curves[0].precisions) == pytest.approx(
        result.figures.mean_precision.value, abs=0.02
    )


def test_a_page_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        page_of(tmp_path / "none" / "page.html", swin=0.4)
