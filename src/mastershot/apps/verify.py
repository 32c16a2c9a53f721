"""``mastershot verify``: shots for people to look at, and what they say of the labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mastershot.apps.errors import errors_as_sentences
from mastershot.apps.options import DatasetPath, Debug, Json, KeptLibrary, Taxonomy
from mastershot.apps.show import complain, say, say_json
from mastershot.core.errors import SettingError

if TYPE_CHECKING:
    from mastershot.evaluation.bootstrap import Figure
    from mastershot.pipeline.labelling.verify import DrawReport

verify_app = typer.Typer(name="verify", help="Labels verified by people: draw, report.")


@verify_app.command("draw")
def verify_draw(
    dataset: DatasetPath,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The draw, a .json file.")],
    number: Annotated[int, typer.Option("--n", metavar="N", help="How many shots.")] = 2393,
    equal: Annotated[
        bool, typer.Option("--equal", help="As many of each kind, not in proportion.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Another seed draws others.")] = 0,
    library: KeptLibrary = None,
    taxonomy: Taxonomy = "movieclip",
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Draw shots for raters, stratified by best label and by whether it is sure.

    Beside FILE lie a page to rate on, which saves verdicts as CSV, and a blank table of verdicts.
    """
    with errors_as_sentences(debug):
        from mastershot.core.labels import load_taxonomy
        from mastershot.datasets.tables.scored import open_dataset
        from mastershot.labelling.draws import draw_from
        from mastershot.pipeline.labelling.stats import open_pictures
        from mastershot.pipeline.labelling.verify import write_draw_files

        scored = open_dataset(dataset, load_taxonomy(taxonomy))
        allocation = "equal" if equal else "proportional"
        draw = draw_from(scored, number, allocation=allocation, seed=seed)
        pictures = open_pictures(dataset, library)
        if pictures is None:
            complain("the page has no pictures; name the library of the clips with --library")
        page, sheet = write_draw_files(draw, out, pictures=pictures)
        if as_json:
            say_json(
                {
                    "draw": str(out),
                    "page": str(page),
                    "sheet": str(sheet),
                    "num_drawn": len(draw.shots),
                    "num_shots": draw.num_shots,
                }
            )
        else:
            say(f"{len(draw.shots):,} of {draw.num_shots:,} shots → {out}, {page}, {sheet}")


@verify_app.command("report")
def verify_report(
    draw: Annotated[Path, typer.Argument(metavar="DRAW", help="What `verify draw` made.")],
    verdicts: Annotated[
        list[Path],
        typer.Argument(metavar="VERDICTS...", help="CSV with shot,rater,ticked; or .jsonl."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the report, all verdicts, the evaluation subset."),
    ] = None,
    index: Annotated[
        str, typer.Option(metavar="NAME|FILE|all", help="The classes of the evaluation subset.")
    ] = "movieclip-150",
    above_share: Annotated[
        float, typer.Option(help="A label is confirmed above this share of a shot's raters.")
    ] = 0.5,
    seed: Annotated[int, typer.Option(help="Settles the intervals.")] = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say how often raters confirm the labels and how far they agree; write the evaluation set."""
    with errors_as_sentences(debug):
        from mastershot.labelling.draws import read_draw
        from mastershot.labelling.verdicts import read_verdicts
        from mastershot.pipeline.labelling.select import read_classes
        from mastershot.pipeline.labelling.verify import (
            report_facts,
            report_on_draw,
            write_draw_report,
        )

        drawn = read_draw(draw)
        given = [verdict for path in verdicts for verdict in read_verdicts(path, drawn)]
        classes, min_shots = read_classes(index, drawn.taxonomy)
        if min_shots:
            raise SettingError(f"index {index!r} is for training sets; name an index, or all")
        report = report_on_draw(drawn, given, classes, above_share=above_share, seed=seed)
        if out is not None:
            write_draw_report(report, given, out)
        if as_json:
            say_json(report_facts(report))
            return
        for line in _report_lines(report):
            say(line)
        if out is not None:
            say(f"→ {out}")


def _report_lines(report: "DrawReport") -> list[str]:
    found = report.verification
    weighted = ", each shot weighted by those it stands for" if report.is_weighted else ""
    lines = [
        f"{len(found.confirmed):,} of {report.num_drawn:,} drawn shots rated by "
        f"{found.num_raters} raters, {found.num_verdicts:,} verdicts{weighted}",
        f"best label confirmed: {_share(found.agreement.best)}",
        f"any label shown confirmed: {_share(found.agreement.any)}",
        f"Krippendorff's alpha: {_value(found.alpha)}",
        f"evaluation subset: {len(report.subset.shots):,} shots; {len(found.dropped):,} dropped, "
        f"{report.subset.num_outside:,} outside the index",
    ]
    lines += [f"dropped, {name}: {_share(figure)}" for name, figure in report.scales.items()]
    lines += [
        f"best label confirmed, {name or 'scale not known'}: {_share(figure)}"
        for name, figure in report.reliability.items()
    ]
    return lines


def _share(figure: "Figure") -> str:
    low, high = figure.interval.low, figure.interval.high
    return f"{figure.value:.1%} [{low:.1%}, {high:.1%}]"


def _value(figure: "Figure") -> str:
    if figure.value != figure.value:
        return "not defined: it takes two raters on a shot, and verdicts that differ"
    return f"{figure.value:.3f} [{figure.interval.low:.3f}, {figure.interval.high:.3f}]"
