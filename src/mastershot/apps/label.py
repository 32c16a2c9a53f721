"""``mastershot label``: from clips to a weakly labelled data set, its training subset, figures."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from typer import Argument, BadParameter, Exit, Option

from mastershot.apps.command import (
    AnalysisOptions,
    Commands,
    DatasetPath,
    Json,
    KeptLibrary,
    Reporting,
    Taxonomy,
)
from mastershot.apps.show import complain, complain_of, say, say_result, showing_progress

if TYPE_CHECKING:
    from mastershot.labelling.figures import DatasetFigures
    from mastershot.labelling.splits import SplitOverlap
    from mastershot.labelling.transitions import LabelTransitions
    from mastershot.pipeline.labelling.select import Selection

_SHOWN_TRANSITIONS = 20  # labels, the most frequent

label_app = Commands(name="label", help="Weakly labelled data sets: build, select, figures.")

OutFolder = Annotated[Path, Option(metavar="DIR", help="Folder of results.")]
Films = Annotated[
    Path | None,
    Option(
        "--films",
        "--genres",
        metavar="METADATA",
        help="Film of each clip: Condensed Movies' folder, or a CSV with video,film,year,genres.",
    ),
]


@dataclass(frozen=True)
class LabelOptions(AnalysisOptions):
    """How clips are analysed: by the default steps, with shots that are found anew."""

    shots: Path | None = field(default=None, init=False)
    steps: str = field(default=AnalysisOptions.steps, init=False)
    stream: int | None = field(default=None, init=False)
    genres: Path | None = field(default=None, init=False)
    policy: str = field(default=AnalysisOptions.policy, init=False)
    moderation_model: list[str] | None = field(default=None, init=False)


@label_app.command("build")
def label_build(
    *,
    out: OutFolder,
    clips: Annotated[
        list[Path] | None, Argument(metavar="[CLIPS]...", help="Clips, or folders of them.")
    ] = None,
    library: KeptLibrary = None,
    analysis: LabelOptions,
    table: Annotated[
        str, Option("--format", metavar="parquet|lance", help="Form of the table of scores.")
    ] = "parquet",
    reporting: Reporting,
) -> None:
    """Score every label on every shot of clips, or of a library's films.

    Writes scores.parquet and movieCLIP_dataset.json. A run that was stopped goes on with the same
    command; clips that fail are listed in failures.csv.
    """
    if not clips and library is None:
        raise BadParameter("name clips, a folder of clips, or a --library")
    if not clips and analysis.scale is not None:
        text = "--scale is for clips; the films of a library keep the scales they were added with"
        raise BadParameter(text)
    if table not in ("parquet", "lance"):
        raise BadParameter(f"format {table!r} is unknown; use parquet or lance")
    from mastershot.pipeline.analysis.plan import prepare
    from mastershot.pipeline.labelling import build
    from mastershot.pipeline.library import Library

    loaded = prepare(analysis.plan())
    # Without labels the build fails, and its error says what the note would.
    complain(*(loaded.notes if loaded.taxonomy is not None else ()))
    if clips:
        clip_library = Library(library or out / build.CLIP_LIBRARY)
        score = partial(build.build_from_clips, clips, loaded, clip_library)
    else:
        kept = Library(cast(Path, library), create=False)
        score = partial(build.build_from_library, loaded, kept)
    with showing_progress("label", quiet=reporting.quiet) as progress:
        failed = partial(complain_of, debug=reporting.debug)
        built = score(out, table=f"scores.{table}", progress=progress, failed=failed)
    line = f"{built.num_clips} clips, {built.num_shots} shots → {built.table}, {built.tags}"
    say_result(asdict(built), [line], as_json=reporting.as_json)
    if built.failures:
        raise Exit(1)


@label_app.command("select")
def label_select(
    dataset: DatasetPath,
    out: OutFolder,
    top1: Annotated[float, Option(help="A shot is kept from this best score on.")] = 0.4,
    others: Annotated[float, Option(help="Its further labels are kept above this score.")] = 0.1,
    index: Annotated[
        str, Option(metavar="NAME|FILE|all|min-shots:N", help="The classes of the subset.")
    ] = "movieclip-150",
    splits: Annotated[
        str, Option(metavar="SHARES", help="Shares of films, or train=0.8,test=0.2.")
    ] = "0.7,0.2,0.1",
    films: Films = None,
    verified: Annotated[
        Path | None,
        Option(metavar="FILE", help="Split file of verified shots; their clips are left out."),
    ] = None,
    taxonomy: Taxonomy = "movieclip",
    seed: Annotated[int, Option(help="Another seed puts films into other splits.")] = 0,
    as_json: Json = False,
) -> None:
    """Choose a training subset, split by film, and write it as released."""
    from mastershot.core.labels import load_taxonomy
    from mastershot.datasets.clip_films import read_clip_films
    from mastershot.datasets.movieclip import read_split
    from mastershot.datasets.tables.scored import open_dataset
    from mastershot.pipeline.labelling import select

    settings = select.SelectionSettings(top1, others, index, select.parse_ratios(splits), seed)
    selection = select.select_training_set(
        open_dataset(dataset, load_taxonomy(taxonomy)),
        settings,
        films=None if films is None else read_clip_films(films),
        # Only their clips matter here, whatever index their classes are places of.
        verified=() if verified is None else read_split(verified, num_classes=sys.maxsize),
    )
    select.write_selection(selection, settings, out, dataset)
    lines = [*_selection_lines(selection, knows_films=films is not None), f"→ {out}"]
    say_result(select.selection_facts(selection, settings), lines, as_json=as_json)


@label_app.command("stats")
def label_stats(
    dataset: DatasetPath,
    films: Films = None,
    out: Annotated[
        Path | None, Option(metavar="DIR", help="Also draw them: DIR/stats.html.")
    ] = None,
    library: KeptLibrary = None,
    gallery: Annotated[
        int, Option(metavar="N", help="Shots shown of each label, surest and least sure.")
    ] = 4,
    taxonomy: Taxonomy = "movieclip",
    as_json: Json = False,
) -> None:
    """Print a data set's figures, and draw them as a page."""
    if gallery < 0:
        raise BadParameter(f"a gallery of {gallery} shots means nothing; use 0 or more")
    from mastershot.core.labels import load_taxonomy
    from mastershot.datasets.clip_films import read_clip_films
    from mastershot.pipeline.labelling import stats

    known = None if films is None else read_clip_films(films)
    shown = gallery if out else 0
    report = stats.describe_dataset(dataset, load_taxonomy(taxonomy), films=known, gallery=shown)
    complain(*report.notes)
    say_result(asdict(report.figures), _figure_lines(report.figures), as_json=as_json)
    if out is not None:
        title, pictures = dataset.resolve().name, stats.open_pictures(dataset, library)
        page = stats.write_dataset_report(report, out, title=title, pictures=pictures)
        if not as_json:
            say(f"→ {page}")


def _selection_lines(selection: "Selection", *, knows_films: bool) -> Iterator[str]:
    subset = selection.subset
    yield (
        f"{len(subset.shots):,} of {subset.num_shots:,} shots, {len(subset.classes)} classes, "
        f"{subset.multi_label_share:.1%} with several labels"
    )
    yield (
        f"left out: {subset.num_unsure:,} unsure, {subset.num_outside:,} outside the index, "
        f"{subset.num_held_out:,} of verified clips"
    )
    for name, shots in selection.splits.items():
        yield f"{name}: {len(shots):,} shots"
    yield from _overlap_lines(selection.overlaps, knows_films=knows_films)


def _overlap_lines(overlaps: Iterable["SplitOverlap"], *, knows_films: bool) -> Iterator[str]:
    for both in overlaps:
        line = f"{both.splits[0]} and {both.splits[1]} share "
        line += f"{both.num_clips:,} clips (of {both.clips_of[0]:,} and {both.clips_of[1]:,})"
        if knows_films:
            line += f", {both.num_films:,} films (of {both.films_of[0]:,} and {both.films_of[1]:,})"
        yield line


def _figure_lines(figures: "DatasetFigures") -> Iterator[str]:
    corpus, knows_films = figures.corpus, figures.corpus.num_movies is not None
    row = [f"{corpus.num_movies:,} movies"] if knows_films else []
    row += ["{}-{}".format(*corpus.years)] if corpus.years else []
    row += [f"{corpus.num_clips:,} clips", f"{corpus.num_shots:,} shots"]
    row += [f"{corpus.shots_per_clip:.2f} shots a clip"]
    row += [f"{corpus.mean_shot_s:.2f} s a shot"] if corpus.mean_shot_s is not None else []
    yield ", ".join(row)
    if figures.score_counts:
        share = figures.num_sure / corpus.num_shots
        yield f"best score of {figures.min_best:g} or more: {share:.1%} of the shots"
    for split in figures.splits:
        yield (
            f"{split.name}: {split.num_shots:,} shots of {split.num_clips:,} clips, "
            f"{split.num_classes} classes, {split.multi_label_share:.2%} with several labels"
        )
    yield from _overlap_lines(figures.overlaps, knows_films=knows_films)
    for scale, (num_sure, num_shots) in figures.scales.items():
        name = scale or "scale not known"
        yield f"{name}: {num_shots:,} shots, {num_sure / num_shots:.1%} of them sure"
    for genre, best in figures.genres.items():
        yield f"{genre}: {_counted(best)}"
    yield from _transition_lines(figures.transitions)
    occurring = [(name, count) for name, count in figures.label_counts if count]
    yield f"{len(occurring)} of {len(figures.label_counts)} labels: {_counted(occurring)}"


def _transition_lines(rows: "Sequence[LabelTransitions]") -> Iterator[str]:
    if rows:
        total = sum(row.num_pairs for row in rows)
        stays = sum(row.num_pairs * row.self_share for row in rows) / total
        yield f"of {total:,.0f} pairs of shots that follow each other, {stays:.1%} keep the label"
    for row in rows[:_SHOWN_TRANSITIONS]:
        shares = [("itself", row.self_share), *row.others[:3]]
        shown = ", ".join(f"{name} {share:.1%}" for name, share in shares)
        yield f"after {row.label} ({row.num_pairs:,.0f}): {shown}"


def _counted(labels: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in labels)
