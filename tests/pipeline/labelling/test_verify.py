import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import DatasetError, OutputError, SettingError
from mastershot.core.labels import Taxonomy
from mastershot.core.movie import SCALES
from mastershot.datasets.movieclip import HUMAN_VERIFIED, read_split_folder
from mastershot.evaluation.agreement import NO_VALUE, krippendorff_alpha
from mastershot.labelling.draws import Draw, ShownShot, read_draw
from mastershot.labelling.verdicts import Verdict, read_verdicts
from mastershot.labelling.verify import NOT_RATED, gather_ratings
from mastershot.pipeline.labelling.verify import (
    DrawReport,
    report_facts,
    report_on_draw,
    write_draw_files,
    write_draw_report,
)

TICKS = {
    ("a/1.mp4", "ann"): ["bar"],
    ("a/1.mp4", "bob"): ["bar", "zoo"],
    ("a/2.mp4", "ann"): ["inn"],
    ("a/2.mp4", "bob"): ["inn"],
    ("b/1.mp4", "ann"): [],
    ("b/1.mp4", "cat"): ["bar"],
    ("c/1.mp4", "cat"): ["bar"],
}
VERDICTS = [
    Verdict(shot, rater, ("bar", "zoo", "inn"), tuple(ticked), "2025-01-01T00:00:00Z")
    for (shot, rater), ticked in TICKS.items()
]


PLACES = Taxonomy("places", ("bar", "zoo", "inn"))
WEIGHTS = {"a/1.mp4": 1.0, "a/2.mp4": 1.0, "b/1.mp4": 6.0, "c/1.mp4": 2.0}


def draw(
    allocation: str = "proportional",
    scale: str = "",
    *,
    weights: Mapping[str, float] = WEIGHTS,
    scales: Mapping[str, str] | None = None,
) -> Draw:
    """The shots of `VERDICTS`; shot ``b/1.mp4``, which gets no tick, stands for six."""
    scales = dict.fromkeys(weights, scale) if scales is None else scales
    shots = tuple(
        ShownShot(
            *name.split("/"), 0.0, 1.0, ("bar", "zoo", "inn"), "bar", weight, scales.get(name, "")
        )
        for name, weight in weights.items()
    )
    return Draw(PLACES, allocation, 0, 10, shots)


def report(verdicts: Sequence[Verdict] = VERDICTS, **options: float) -> DrawReport:
    return report_on_draw(draw(), verdicts, PLACES, **options)


def test_a_verification_worked_by_hand() -> None:
    found = report()
    assert (len(found.ratings.confirmed), len(found.ratings.raters)) == (4, 3)
    assert found.ratings.num_verdicts == 7
    assert found.ratings.dropped == ("b/1.mp4",)
    assert (found.agreement.best.value, found.agreement.any.value) == (0.5, 0.75)
    assert found.agreement.best.num_items == 4


def test_alpha_is_over_every_label_shown_and_drawn_by_clips() -> None:
    found = report().alpha
    assert NOT_RATED == NO_VALUE
    assert found.value == pytest.approx(krippendorff_alpha(gather_ratings(VERDICTS).ticks))
    assert found.interval.low <= found.value <= found.interval.high
    assert found.num_items == 2  # clips with a label that two people saw


def test_one_rater_alone_has_no_alpha() -> None:
    assert np.isnan(report(VERDICTS[:1]).alpha.value)


def test_shots_of_an_equal_draw_weigh_what_they_were_drawn_for() -> None:
    found = report_on_draw(draw("equal"), VERDICTS, PLACES)
    assert report_facts(found)["weighted"]
    assert found.agreement.best.value == pytest.approx((1 + 2) / 10)
    assert found.agreement.any.value == pytest.approx((1 + 1 + 2) / 10)


@pytest.mark.parametrize("allocation", ["proportional", "equal"])
def test_a_shot_that_was_not_drawn_is_an_error(allocation: str) -> None:
    with pytest.raises(DatasetError, match=r"a/2\.mp4 has a verdict but was not drawn"):
        report_on_draw(draw(allocation, weights={"a/1.mp4": 1.0}), VERDICTS, PLACES)


def test_the_scales_of_dropped_shots_are_shares_with_intervals() -> None:
    shots = [f"v{number}/1.mp4" for number in range(40)]
    scales = dict(zip(shots, ["CS"] * 30 + ["ECS"] * 10, strict=True))
    none = [replace(VERDICTS[0], shot=shot, ticked=()) for shot in shots]
    drawn = draw(weights=dict.fromkeys(shots, 1.0), scales=scales)
    shares = report_on_draw(drawn, none, PLACES).scales
    assert list(shares) == list(SCALES)
    assert [figure.value for figure in shares.values()] == [0.25, 0.75, 0, 0, 0]
    assert shares["CS"].interval.low < 0.75 < shares["CS"].interval.high
    assert shares["LS"].interval.high == 0


def test_an_unknown_scale_is_an_error() -> None:
    with pytest.raises(DatasetError, match="shot scale 'XL' is not one of ECS, CS, MS, FS, LS"):
        report_on_draw(draw(scale="XL"), VERDICTS, PLACES)


def test_a_report_on_a_draw(tmp_path: Path) -> None:
    found = report()
    assert (report_facts(found)["weighted"], found.scales) == (False, {})
    assert found.num_unscaled == 1
    write_draw_report(found, VERDICTS, tmp_path)
    index, splits = read_split_folder(tmp_path)
    assert index.labels == PLACES.labels
    verified = {f"{s.video}/{s.file}": s.classes for s in splits[HUMAN_VERIFIED]}
    assert verified == {"a/1.mp4": (0,), "a/2.mp4": (2,), "c/1.mp4": (0,)}
    assert read_verdicts(tmp_path / "verdicts.csv", draw()) == VERDICTS
    value = json.loads((tmp_path / "report.json").read_text())
    assert value == report_facts(found)
    assert (value["num_rated"], value["num_dropped"], value["num_evaluation"]) == (4, 1, 3)
    assert value["best_confirmed"]["value"] == 0.5


def test_the_dropped_shots_are_shared_out_over_their_scales() -> None:
    found = report_on_draw(draw(scale="CS"), VERDICTS, PLACES)
    assert {scale: figure.value for scale, figure in found.scales.items()} == {
        "ECS": 0, "CS": 1, "MS": 0, "FS": 0, "LS": 0,
    }  # fmt: skip
    assert found.num_unscaled == 0


def test_what_is_not_defined_is_null() -> None:
    facts = report_facts(report(VERDICTS[:1]))
    alpha = facts["krippendorff_alpha"]
    assert alpha == {"value": None, "low": None, "high": None, "num_items": 0}
    json.dumps(facts, allow_nan=False)


def test_one_rater_can_be_asked_of_or_all() -> None:
    assert report(above_share=0.0).ratings.confirmed["a/1.mp4"] == ("bar", "zoo")
    assert report().ratings.confirmed["a/1.mp4"] == ("bar",)
    for share in (1.0, -0.1, np.nan):
        with pytest.raises(SettingError, match="of the raters means nothing; take 0 to 1"):
            report(above_share=share)


def test_an_index_of_another_taxonomy_is_an_error() -> None:
    with pytest.raises(DatasetError, match="class 'moon' is not in taxonomy 'places'"):
        report_on_draw(draw(), VERDICTS, Taxonomy("index", ("bar", "moon")))


def test_no_verdict_is_an_error() -> None:
    with pytest.raises(DatasetError, match="there is no verdict yet"):
        report([])


def test_a_draw_comes_with_a_page_and_a_blank_table(tmp_path: Path) -> None:
    page, sheet = write_draw_files(draw(), tmp_path / "new" / "draw.json", pictures=None)
    assert read_draw(tmp_path / "new" / "draw.json") == draw()
    assert page.read_text("utf-8").count("data-none data-alone>") == 4
    assert read_verdicts(sheet, draw()) == []
    write_draw_files(draw(), tmp_path / "new" / "draw.json", pictures=None)  # nothing is lost
    filled = sheet.read_text("utf-8").replace("a/1.mp4,,", "a/1.mp4,ann,", 1)
    sheet.write_text(filled, "utf-8")
    with pytest.raises(OutputError, match=r"draw\.csv holds verdicts already; name another file"):
        write_draw_files(draw(), tmp_path / "new" / "draw.json", pictures=None)
    assert sheet.read_text("utf-8") == filled
    with pytest.raises(OutputError, match=r"a draw goes to a \.json file, not to draw\.csv"):
        write_draw_files(draw(), Path("draw.csv"), pictures=None)


def test_reliability_by_scale_worked_by_hand() -> None:
    scales = {"a/1.mp4": "CS", "a/2.mp4": "LS", "b/1.mp4": "CS"}
    found = report_on_draw(draw(scales=scales), VERDICTS, PLACES).reliability
    assert {scale: figure.value for scale, figure in found.items()} == {
        "CS": 0.5, "LS": 0.0, None: 1.0,
    }  # fmt: skip
    assert (found["CS"].interval.low, found["CS"].interval.high) == (0, 1)
    weights = {"a/1.mp4": 3.0, "a/2.mp4": 1.0, "b/1.mp4": 1.0, "c/1.mp4": 1.0}
    weighted = report_on_draw(draw("equal", weights=weights, scales=scales), VERDICTS, PLACES)
    assert weighted.reliability["CS"].value == 0.75


def test_a_report_holds_reliability_by_scale_where_scales_are_known() -> None:
    known = report_on_draw(draw(scale="CS"), VERDICTS, PLACES)
    assert {scale: figure.value for scale, figure in known.reliability.items()} == {"CS": 0.5}
    assert report_facts(known)["best_confirmed_by_scale"]["CS"]["value"] == 0.5
    assert report().reliability == {}
