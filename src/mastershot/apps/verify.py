"""``mastershot verify``: shots for people to rate, and how far the labels are confirmed."""

from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from mastershot.apps.command import Commands, DatasetPath, Json, KeptLibrary, Seed, Taxonomy
from mastershot.apps.show import complain, say_result
from mastershot.core.errors import SettingError

if TYPE_CHECKING:
    from mastershot.evaluation.bootstrap import Figure
    from mastershot.pipeline.labelling.verify import DrawReport

verify_app = Commands(name="verify", help="Labels verified by people: draw, report.")


@verify_app.command("draw")
def verify_draw(
    dataset: DatasetPath,
    out: Annotated[Path, Option(metavar="FILE", help="The draw, a .json file.")],
    number: Annotated[int, Option("--n", metavar="N", help="How many shots.")] = 2393,
    equal: Annotated[
        bool, Option("--equal", help="As many of each kind, not in proportion.")
    ] = False,
    seed: Seed = 0,
    library: KeptLibrary = None,
    taxonomy: Taxonomy = "movieclip",
    as_json: Json = False,
) -> None:
    """Draw shots for raters, stratified by best label and by whether it is sure.

    Beside FILE lie a page to rate on, which saves verdicts as CSV, and a blank table of verdicts.
    """
    from mastershot.core.labels import load_taxonomy
    from mastershot.datasets.tables.scored import open_dataset
    from mastershot.labelling.draws import draw_from
    from mastershot.pipeline.labelling.stats import open_pictures
    from mastershot.pipeline.labelling.verify import write_draw_files

    scored = open_dataset(dataset, load_taxonomy(taxonomy))
    draw = draw_from(scored, number, allocation="equal" if equal else "proportional", seed=seed)
    pictures = open_pictures(dataset, library)
    if pictures is None:
        complain("the page has no pictures; name the library of the clips with --library")
    page, sheet = write_draw_files(draw, out, pictures=pictures)
    paths = {"draw": out, "page": page, "sheet": sheet}
    counts = {"num_drawn": len(draw.shots), "num_shots": draw.num_shots}
    line = f"{len(draw.shots):,} of {draw.num_shots:,} shots → {out}, {page}, {sheet}"
    say_result(paths | counts, [line], as_json=as_json)


@verify_app.command("report")
def verify_report(
    draw: Annotated[Path, Argument(metavar="DRAW", help="What `verify draw` made.")],
    verdicts: Annotated[
        list[Path], Argument(metavar="VERDICTS...", help="CSV with shot,rater,ticked; or .jsonl.")
    ],
    out: Annotated[
        Path | None,
        Option(metavar="DIR", help="Write the report, all verdicts, the evaluation subset."),
    ] = None,
    index: Annotated[
        str, Option(metavar="NAME|FILE|all", help="The classes of the evaluation subset.")
    ] = "movieclip-150",
    above_share: Annotated[
        float, Option(help="A label is confirmed above this share of a shot's raters.")
    ] = 0.5,
    seed: Annotated[int, Option(help="Of the bootstrap that gives the intervals.")] = 0,
    as_json: Json = False,
) -> None:
    """Say how often raters confirm the labels and how far they agree; write the evaluation set."""
    from mastershot.labelling.draws import read_draw
    from mastershot.labelling.verdicts import read_verdicts
    from mastershot.pipeline.labelling import verify
    from mastershot.pipeline.labelling.select import read_classes

    drawn = read_draw(draw)
    given = [verdict for path in verdicts for verdict in read_verdicts(path, drawn)]
    classes, min_shots = read_classes(index, drawn.taxonomy)
    if min_shots:
        raise SettingError(f"index {index!r} is for training sets; name an index, or all")
    report = verify.report_on_draw(drawn, given, classes, above_share=above_share, seed=seed)
    lines = list(_report_lines(report))
    if out is not None:
        verify.write_draw_report(report, given, out)
        lines.append(f"→ {out}")
    say_result(verify.report_facts(report), lines, as_json=as_json)


def _report_lines(report: "DrawReport") -> Iterator[str]:
    draw, ratings = report.draw, report.ratings
    is_equal = draw.allocation == "equal"
    weighted = ", each shot weighted by the shots it stands for" if is_equal else ""
    yield (
        f"{len(ratings.confirmed):,} of {len(draw.shots):,} drawn shots rated by "
        f"{len(ratings.raters)} raters, {ratings.num_verdicts:,} verdicts{weighted}"
    )
    yield f"best label confirmed: {_share(report.agreement.best)}"
    yield f"any label shown confirmed: {_share(report.agreement.any)}"
    yield f"Krippendorff's alpha: {_alpha(report.alpha)}"
    dropped, outside = len(ratings.dropped), report.subset.num_outside
    kept = f"evaluation subset: {len(report.subset.shots):,} shots"
    yield f"{kept}; {dropped:,} dropped, {outside:,} outside the index"
    for name, figure in report.scales.items():
        yield f"dropped, {name}: {_share(figure)}"
    for scale, figure in report.reliability.items():
        yield f"best label confirmed, {scale or 'scale not known'}: {_share(figure)}"


def _share(figure: "Figure") -> str:
    return _with_interval(figure, ".1%")


def _alpha(figure: "Figure") -> str:
    if figure.value != figure.value:
        return "not defined: it takes two raters on a shot, and verdicts that differ"
    return _with_interval(figure, ".3f")


def _with_interval(figure: "Figure", form: str) -> str:
    value, low, high = (
        format(end, form) for end in (figure.value, figure.interval.low, figure.interval.high)
    )
    return f"{value} [{low}, {high}]" if isfinite(figure.interval.low) else f"{value}, no interval"
