"""Labels verified by people: the draw they look at, and the report on what they say."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mastershot.core.errors import DatasetError, OutputError, SettingError
from mastershot.core.labels import Taxonomy
from mastershot.core.movie import SCALES
from mastershot.datasets.movieclip import HUMAN_VERIFIED, INDEX_FILE, write_index, write_split
from mastershot.datasets.tables.records import make_folder, written_whole
from mastershot.evaluation.agreement import LabelAgreement, alpha_figure, label_agreement
from mastershot.evaluation.bootstrap import Figure, share_figure
from mastershot.evaluation.reliability import reliability_by_scale
from mastershot.exports.pages.rating import write_rating_page
from mastershot.labelling.draws import Draw, ShownShot, write_draw
from mastershot.labelling.selection import Subset, class_of_label
from mastershot.labelling.verdicts import Verdict, holds_verdicts, write_sheet, write_verdicts
from mastershot.labelling.verify import clip_of_shot, evaluation_subset, gather_ratings
from mastershot.pipeline.labelling.stats import ShotPictures


@dataclass(frozen=True)
class Verification:
    """What raters say of the labels they were shown.

    Attributes:
        num_raters: People who gave a verdict.
        num_verdicts: Verdicts that count: the latest of each rater on each shot.
        agreement: How often the best label, and any shown, was confirmed.
        alpha: Krippendorff's alpha between raters over all labels shown, ticked or not.
        confirmed: The confirmed labels of each shot, in the order shown; empty for a shot that
            leaves the evaluation set.
        dropped: The shots that nothing was confirmed of.
    """

    num_raters: int
    num_verdicts: int
    agreement: LabelAgreement
    alpha: Figure
    confirmed: Mapping[str, tuple[str, ...]]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class DrawReport:
    """What raters say of a draw.

    Attributes:
        verification: How often labels were confirmed, and how far raters agree.
        num_drawn: Shots drawn.
        is_weighted: True if shots count for as many as they stand for, as in an equal draw.
        subset: The evaluation subset.
        scales: The share of each shot scale among the dropped shots; empty where scales are not
            known.
        num_unscaled: Dropped shots whose scale is not known.
        reliability: How often the best label of shots of each scale was confirmed; under None, of
            those whose scale is not known. Empty where scales are not known.
    """

    verification: Verification
    num_drawn: int
    is_weighted: bool
    subset: Subset
    scales: Mapping[str, Figure]
    num_unscaled: int
    reliability: Mapping[str | None, Figure]


def write_draw_files(draw: Draw, path: Path, *, pictures: ShotPictures | None) -> tuple[Path, Path]:
    """Write a draw, and beside it the page that raters work on and a blank table of verdicts.

    Returns:
        The page and the table.

    Raises:
        OutputError: A file cannot be written, or the table there holds verdicts.
        LibraryError: A picture cannot be read.
    """
    if path.suffix != ".json":
        raise OutputError(f"a draw goes to a .json file, not to {path}")

    def picture(shot: ShownShot) -> bytes | None:
        return None if pictures is None else pictures.find(shot.video, shot.file)

    page, sheet = path.with_suffix(".html"), path.with_suffix(".csv")
    if holds_verdicts(sheet):
        raise OutputError(f"{sheet} holds verdicts already; name another file for this draw")
    make_folder(path.parent)
    write_draw(path, draw)
    write_rating_page(draw, page, title=path.stem, picture=picture)
    write_sheet(sheet, draw)
    return page, sheet


def report_on_draw(
    draw: Draw,
    verdicts: Sequence[Verdict],
    classes: Taxonomy,
    *,
    above_share: float = 0.5,
    seed: int = 0,
) -> DrawReport:
    """Return what raters' verdicts on a draw amount to (METHODS A6, D).

    Args:
        draw: The drawn shots.
        verdicts: Verdicts on them in the order they came.
        classes: Labels of the evaluation subset, such as the released index of 150.
        above_share: A label is confirmed when more than this share of a shot's raters ticked it.
        seed: Settles the intervals.

    Raises:
        SettingError: The share is none.
        DatasetError: There is no verdict, one is on a shot that was not drawn, or a class is not
            in the taxonomy.
    """
    if not 0 <= above_share < 1:
        raise SettingError(f"a share of {above_share:g} of the raters means nothing; take 0 to 1")
    class_of_label(draw.taxonomy, classes)
    is_weighted = draw.allocation == "equal"
    weights = draw.weights if is_weighted else None
    verification = verify_labels(verdicts, above_share=above_share, weights=weights, seed=seed)
    scale_of = {shot.name: shot.scale for shot in draw.shots if shot.scale}
    reliability = scale_reliability(
        verdicts, scale_of, above_share=above_share, weights=weights, seed=seed
    )
    scaled = [shot for shot in verification.dropped if shot in scale_of]
    scales = scale_shares(scaled, [scale_of[shot] for shot in scaled], seed=seed) if scaled else {}
    return DrawReport(
        verification=verification,
        num_drawn=len(draw.shots),
        is_weighted=is_weighted,
        subset=evaluation_subset(verification.confirmed, classes),
        scales=scales,
        num_unscaled=len(verification.dropped) - len(scaled),
        reliability=reliability if scale_of else {},
    )


def write_draw_report(report: DrawReport, verdicts: Sequence[Verdict], out: Path) -> None:
    """Write the report, all verdicts, and the evaluation subset as released, to a folder.

    Raises:
        OutputError: The folder cannot be written.
        DatasetError: A shot's name cannot stand in a split file.
    """
    make_folder(out)
    write_verdicts(out / "verdicts.csv", verdicts)
    write_index(out / INDEX_FILE, report.subset.classes)
    write_split(out / f"{HUMAN_VERIFIED}.txt", report.subset.shots)
    with written_whole(out / "report.json") as file:
        json.dump(report_facts(report), file, indent=1)
        file.write("\n")


def report_facts(report: DrawReport) -> dict[str, object]:
    """Return a report as JSON takes it; what the data do not define is null."""
    found = report.verification
    return {
        "num_drawn": report.num_drawn,
        "num_rated": len(found.confirmed),
        "num_raters": found.num_raters,
        "num_verdicts": found.num_verdicts,
        "weighted": report.is_weighted,
        "best_confirmed": _figure_facts(found.agreement.best),
        "any_confirmed": _figure_facts(found.agreement.any),
        "krippendorff_alpha": _figure_facts(found.alpha),
        "num_evaluation": len(report.subset.shots),
        "num_outside": report.subset.num_outside,
        "num_dropped": len(found.dropped),
        "dropped_by_scale": {name: _figure_facts(f) for name, f in report.scales.items()},
        "num_dropped_without_scale": report.num_unscaled,
        "best_confirmed_by_scale": {
            name or "": _figure_facts(figure) for name, figure in report.reliability.items()
        },
    }


def verify_labels(
    verdicts: Iterable[Verdict],
    *,
    above_share: float = 0.5,
    weights: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Verification:
    """Return what raters' verdicts amount to, with intervals over clips (METHODS A6, D).

    Args:
        verdicts: Verdicts in the order they came; of a rater's on a shot, the last counts.
        above_share: A label is confirmed when more than this share of a shot's raters ticked it.
        weights: How many shots each stands for, as drawn; one each if not given.
        seed: Settles the intervals.

    Raises:
        DatasetError: There is no verdict, a shot was shown with different labels, or a shot has
            no weight.
    """
    ratings = gather_ratings(verdicts, above_share=above_share)
    weight = None if weights is None else _weights(ratings.confirmed, weights)
    return Verification(
        num_raters=len(ratings.raters),
        num_verdicts=ratings.num_verdicts,
        agreement=label_agreement(
            ratings.confirmed_table, ratings.clips, weights=weight, seed=seed
        ),
        alpha=alpha_figure(ratings.ticks, ratings.clips_of_ticks, seed=seed),
        confirmed=ratings.confirmed,
        dropped=ratings.dropped,
    )


def scale_shares(
    shots: Sequence[str], scales: Sequence[str], *, seed: int = 0
) -> dict[str, Figure]:
    """Return the share of each shot scale among shots, the closest first (paper, Fig. 6).

    Args:
        shots: The shots, such as those nothing was confirmed of, as ``<video>/<shot file>``.
        scales: The scale of each.
        seed: Settles the intervals, which are over clips.

    Raises:
        DatasetError: A scale is not one of `SCALES`.
    """
    _require_scales(scales)
    clips, found = [clip_of_shot(shot) for shot in shots], np.array(scales, np.str_)
    return {scale: share_figure(found == scale, clips, seed=seed) for scale in SCALES}


def _figure_facts(figure: Figure) -> dict[str, float | int | None]:
    low, high = figure.interval.low, figure.interval.high
    values = {"value": figure.value, "low": low, "high": high}
    known = {name: value if np.isfinite(value) else None for name, value in values.items()}
    return {**known, "num_items": figure.num_items}


def scale_reliability(
    verdicts: Iterable[Verdict],
    scales: Mapping[str, str],
    *,
    above_share: float = 0.5,
    weights: Mapping[str, float] | None = None,
    seed: int = 0,
) -> dict[str | None, Figure]:
    """Return how often raters confirmed the best label of shots of each scale, closest first.

    Args:
        verdicts: Verdicts in the order they came; of a rater's on a shot, the last counts.
        scales: Which of `SCALES` a shot is of, by ``<video>/<shot file>``; shots that are not named
            come last, under None.
        above_share: A label is confirmed when more than this share of a shot's raters ticked it.
        weights: How many shots each stands for, as drawn; one each if not given.
        seed: Settles the intervals, which are over clips.

    Raises:
        DatasetError: There is no verdict, a shot was shown with different labels, has no weight,
            or is of a scale that is none.
    """
    _require_scales(scales.values())
    ratings = gather_ratings(verdicts, above_share=above_share)
    return reliability_by_scale(
        ratings.confirmed_table[:, 0],
        [scales.get(shot) for shot in ratings.confirmed],
        ratings.clips,
        weights=None if weights is None else _weights(ratings.confirmed, weights),
        seed=seed,
    )


def _require_scales(scales: Iterable[str]) -> None:
    for scale in scales:
        if scale not in SCALES:
            raise DatasetError(f"shot scale {scale!r} is none of {', '.join(SCALES)}")


def _weights(shots: Iterable[str], weights: Mapping[str, float]) -> npt.NDArray[np.float64]:
    for shot in shots:
        if shot not in weights:
            raise DatasetError(
                f"shot {shot} has a verdict but was not drawn; report with the draw it belongs to"
            )
    return np.array([weights[shot] for shot in shots], np.float64)
