"""Labels verified by people: the drawn shots they rate, and the report on their verdicts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mastershot.core.errors import DatasetError, OutputError, SettingError
from mastershot.core.files import make_folder, written_whole
from mastershot.core.labels import Taxonomy
from mastershot.core.movie import SCALES
from mastershot.datasets.movieclip import HUMAN_VERIFIED, INDEX_FILE, write_index, write_split
from mastershot.evaluation.agreement import LabelAgreement, alpha_figure, label_agreement
from mastershot.evaluation.bootstrap import Figure, share_figure
from mastershot.evaluation.reliability import reliability_by_scale
from mastershot.exports.pages.dataset import write_rating_page
from mastershot.labelling.draws import Draw, ShownShot, write_draw
from mastershot.labelling.selection import Subset, class_of_label
from mastershot.labelling.verdicts import Verdict, holds_verdicts, write_sheet, write_verdicts
from mastershot.labelling.verify import Ratings, clip_of_shot, evaluation_subset, gather_ratings
from mastershot.pipeline.labelling.stats import ShotPictures


@dataclass(frozen=True)
class DrawReport:
    """What raters' verdicts on a draw amount to; intervals are over clips.

    Attributes:
        draw: The drawn shots; of an equal draw each counts for as many as it stands for.
        ratings: The verdicts as tables, and the labels of each shot that they confirm.
        agreement: How often the best label, and any shown, was confirmed.
        alpha: Krippendorff's alpha between raters over all labels shown, ticked or not.
        subset: The evaluation subset.
        scales: The share of each shot scale among the shots without a confirmed label, the closest
            first (MovieCLIP, Fig. 6); empty where scales are not known.
        num_unscaled: Those of them whose scale is not known.
        reliability: How often the best label of shots of each scale was confirmed; under None, of
            those whose scale is not known. Empty where scales are not known.
    """

    draw: Draw
    ratings: Ratings
    agreement: LabelAgreement
    alpha: Figure
    subset: Subset
    scales: Mapping[str, Figure]
    num_unscaled: int
    reliability: Mapping[str | None, Figure]


def write_draw_files(draw: Draw, path: Path, *, pictures: ShotPictures | None) -> tuple[Path, Path]:
    """Write a draw and, beside it, a page to rate on and a blank table of verdicts; return both.

    Raises:
        OutputError: A file cannot be written, or the table there holds verdicts.
        LibraryError: A picture cannot be read.
    """
    if path.suffix != ".json":
        raise OutputError(f"a draw goes to a .json file, not to {path}")
    page, sheet = path.with_suffix(".html"), path.with_suffix(".csv")
    if holds_verdicts(sheet):
        raise OutputError(f"{sheet} holds verdicts already; name another file for this draw")
    make_folder(path.parent)
    write_draw(path, draw)
    write_rating_page(
        draw,
        page,
        title=path.stem,
        picture=lambda shot: None if pictures is None else pictures.find(shot.video, shot.file),
    )
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
        verdicts: Verdicts in the order they came; of a rater's on a shot, the last counts.
        classes: Labels of the evaluation subset, such as the released index of 150.
        above_share: A label is confirmed when more than this share of a shot's raters ticked it.
        seed: Settles the intervals.

    Raises:
        SettingError: The share is outside [0, 1).
        DatasetError: There is no verdict, one is on a shot that was not drawn, a shot was shown
            with different labels or has an unknown scale, or a class is not in the taxonomy.
    """
    if not 0 <= above_share < 1:
        raise SettingError(f"a share of {above_share:g} of the raters means nothing; take 0 to 1")
    class_of_label(draw.taxonomy, classes)
    ratings = gather_ratings(verdicts, above_share=above_share)
    rated = _rated_shots(draw, ratings)
    is_equal = draw.allocation == "equal"
    weights = np.array([shot.weight for shot in rated], np.float64) if is_equal else None
    confirmed, clips = ratings.confirmed_table, ratings.clips
    dropped = [shot for shot in rated if not ratings.confirmed[shot.name] and shot.scale]
    scales = [shot.scale or None for shot in rated]
    reliability = reliability_by_scale(confirmed[:, 0], scales, clips, weights=weights, seed=seed)
    return DrawReport(
        draw=draw,
        ratings=ratings,
        agreement=label_agreement(confirmed, clips, weights=weights, seed=seed),
        alpha=alpha_figure(ratings.ticks, ratings.clips_of_ticks, seed=seed),
        subset=evaluation_subset(ratings.confirmed, classes),
        scales=_scale_shares(dropped, seed),
        num_unscaled=len(ratings.dropped) - len(dropped),
        reliability=reliability if any(shot.scale for shot in draw.shots) else {},
    )


def _rated_shots(draw: Draw, ratings: Ratings) -> list[ShownShot]:
    """Return the drawn shots that have a verdict, in the order of the ratings."""
    drawn = {shot.name: shot for shot in draw.shots}
    for name in ratings.confirmed:
        if name not in drawn:
            raise DatasetError(
                f"shot {name} has a verdict but was not drawn; report with the draw it belongs to"
            )
        if (scale := drawn[name].scale) and scale not in SCALES:
            raise DatasetError(f"shot scale {scale!r} is not one of {', '.join(SCALES)}")
    return [drawn[name] for name in ratings.confirmed]


def _scale_shares(shots: Sequence[ShownShot], seed: int) -> dict[str, Figure]:
    if not shots:
        return {}
    clips, scales = [clip_of_shot(shot.name) for shot in shots], [shot.scale for shot in shots]
    return {scale: share_figure(np.equal(scales, scale), clips, seed=seed) for scale in SCALES}


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
    return {
        "num_drawn": len(report.draw.shots),
        "num_rated": len(report.ratings.confirmed),
        "num_raters": len(report.ratings.raters),
        "num_verdicts": report.ratings.num_verdicts,
        "weighted": report.draw.allocation == "equal",
        "best_confirmed": _figure_facts(report.agreement.best),
        "any_confirmed": _figure_facts(report.agreement.any),
        "krippendorff_alpha": _figure_facts(report.alpha),
        "num_evaluation": len(report.subset.shots),
        "num_outside": report.subset.num_outside,
        "num_dropped": len(report.ratings.dropped),
        "dropped_by_scale": {name: _figure_facts(f) for name, f in report.scales.items()},
        "num_dropped_without_scale": report.num_unscaled,
        "best_confirmed_by_scale": {
            name or "": _figure_facts(figure) for name, figure in report.reliability.items()
        },
    }


def _figure_facts(figure: Figure) -> dict[str, float | int | None]:
    values = {"value": figure.value, **vars(figure.interval), "num_items": figure.num_items}
    return {name: value if np.isfinite(value) else None for name, value in values.items()}
