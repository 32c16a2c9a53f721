"""``mastershot label``: from clips to a weakly labelled data set, its training subset, figures."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from mastershot.apps.errors import errors_as_sentences
from mastershot.apps.options import (
    DatasetPath,
    Debug,
    Detector,
    Encoder,
    Exact,
    Json,
    KeptLibrary,
    MinShot,
    Precision,
    Quiet,
    Sampling,
    Scale,
    Taxonomy,
    Threshold,
)
from mastershot.apps.show import (
    FilmProgress,
    complain,
    complain_of,
    say,
    say_json,
    showing_progress,
)

if TYPE_CHECKING:
    from mastershot.labelling.figures import DatasetFigures
    from mastershot.labelling.splits import SplitOverlap
    from mastershot.pipeline.labelling.select import Selection
    from mastershot.shots.content import DetectorName

label_app = typer.Typer(name="label", help="Weakly labelled data sets: build, select, figures.")

OutFolder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of results.")]
Films = Annotated[
    Path | None,
    typer.Option(
        "--films",
        "--genres",
        metavar="METADATA",
        help="Film of each clip: Condensed Movies' folder, or a CSV with video,film,year,genres.",
    ),
]


@label_app.command("build")
def label_build(
    out: OutFolder,
    clips: Annotated[
        list[Path] | None, typer.Argument(metavar="[CLIPS]...", help="Clips, or folders of them.")
    ] = None,
    library: KeptLibrary = None,
    encoder: Encoder = None,
    precision: Precision = None,
    taxonomy: Taxonomy = "movieclip",
    detector: Detector = "content",
    exact: Exact = False,
    threshold: Threshold = None,
    min_shot: MinShot = 0.6,
    sampling: Sampling = "uniform:3",
    scale: Scale = None,
    table: Annotated[
        str, typer.Option("--format", metavar="parquet|lance", help="Form of the table of scores.")
    ] = "parquet",
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Score every label on every shot of clips, or of a library's films.

    Writes scores.parquet and movieCLIP_dataset.json. A run that was stopped goes on with the same
    command; clips that fail are listed in failures.csv.
    """
    if not clips and library is None:
        raise typer.BadParameter("name clips, a folder of clips, or a --library")
    if not clips and scale is not None:
        raise typer.BadParameter(
            "--scale is for clips; the films of a library keep the scales they were added with"
        )
    if table not in ("parquet", "lance"):
        raise typer.BadParameter(f"format {table!r} is unknown; use parquet or lance")
    with errors_as_sentences(debug):
        from mastershot.media.sampling import parse_sampling
        from mastershot.pipeline.analysis.plan import Plan, prepare
        from mastershot.pipeline.labelling.build import (
            CLIP_LIBRARY,
            build_from_clips,
            build_from_library,
        )
        from mastershot.pipeline.library import Library
        from mastershot.shots.content import ShotSettings

        plan = Plan(
            shots=ShotSettings(cast("DetectorName", detector), exact, threshold, min_shot),
            sampling=parse_sampling(sampling),
            encoder=encoder,
            precision=precision,
            taxonomy=taxonomy,
            scale=scale,
        )
        kit = prepare(plan)
        # Without a labeller the build fails, and its error says what the note would.
        for note in kit.notes if kit.labeller is not None else ():
            complain(note)
        if clips:
            build = partial(build_from_clips, clips, kit, Library(library or out / CLIP_LIBRARY))
        else:
            build = partial(build_from_library, kit, Library(cast(Path, library), create=False))
        with showing_progress(quiet=quiet) as bars:
            shown = FilmProgress(bars, bars.add_task("label", total=None, stage="", speed=""))
            failed = partial(complain_of, debug=debug)
            built = build(out, table=f"scores.{table}", progress=shown, failed=failed)
        if as_json:
            say_json(asdict(built) | {"table": str(built.table), "tags": str(built.tags)})
        else:
            say(f"{built.num_clips} clips, {built.num_shots} shots → {built.table}, {built.tags}")
    if built.failures:
        raise typer.Exit(1)


@label_app.command("select")
def label_select(
    dataset: DatasetPath,
    out: OutFolder,
    top1: Annotated[
        float, typer.Option("--top1", help="A shot is kept from this best score on.")
    ] = 0.4,
    others: Annotated[
        float, typer.Option("--others", help="Its further labels are kept above this score.")
    ] = 0.1,
    index: Annotated[
        str,
        typer.Option(metavar="NAME|FILE|all|min-shots:N", help="The classes of the subset."),
    ] = "movieclip-150",
    splits: Annotated[
        str, typer.Option(metavar="SHARES", help="Shares of films, or train=0.8,test=0.2.")
    ] = "0.7,0.2,0.1",
    films: Films = None,
    verified: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Split file of verified shots; their clips are left out."
        ),
    ] = None,
    taxonomy: Taxonomy = "movieclip",
    seed: Annotated[int, typer.Option(help="Another seed puts films into other splits.")] = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Choose a training subset, split by film, and write it as released."""
    with errors_as_sentences(debug):
        from mastershot.core.labels import load_taxonomy
        from mastershot.datasets.clip_films import read_clip_films
        from mastershot.datasets.movieclip import read_split
        from mastershot.datasets.tables.scored import open_dataset
        from mastershot.pipeline.labelling.select import (
            SelectionSettings,
            parse_ratios,
            select_training_set,
            selection_facts,
            write_selection,
        )

        settings = SelectionSettings(top1, others, index, parse_ratios(splits), seed)
        selection = select_training_set(
            open_dataset(dataset, load_taxonomy(taxonomy)),
            settings,
            films=None if films is None else read_clip_films(films),
            # Only their clips matter here, whatever index their classes are places of.
            verified=() if verified is None else read_split(verified, num_classes=sys.maxsize),
        )
        write_selection(selection, settings, out)
        if as_json:
            say_json(selection_facts(selection, settings))
            return
        for line in _selection_lines(selection, knows_films=films is not None):
            say(line)
        say(f"→ {out}")


@label_app.command("stats")
def label_stats(
    dataset: DatasetPath,
    films: Films = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also draw them: DIR/stats.html.")
    ] = None,
    library: KeptLibrary = None,
    gallery: Annotated[
        int, typer.Option(metavar="N", help="Shots shown of each label, surest and least sure.")
    ] = 4,
    taxonomy: Taxonomy = "movieclip",
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Print a data set's figures, and draw them as a page."""
    if gallery < 0:
        raise typer.BadParameter(f"a gallery of {gallery} shots means nothing")
    with errors_as_sentences(debug):
        from mastershot.core.labels import load_taxonomy
        from mastershot.datasets.clip_films import read_clip_films
        from mastershot.pipeline.labelling.stats import (
            describe_dataset,
            open_pictures,
            write_dataset_report,
        )

        known = None if films is None else read_clip_films(films)
        report = describe_dataset(
            dataset, load_taxonomy(taxonomy), films=known, gallery=gallery if out else 0
        )
        for note in report.notes:
            complain(note)
        if as_json:
            say_json(asdict(report.figures))
        else:
            for line in _figure_lines(report.figures):
                say(line)
        if out is not None:
            pictures = open_pictures(dataset, library)
            page = write_dataset_report(
                report, out, title=dataset.resolve().name, pictures=pictures
            )
            if not as_json:
                say(f"→ {page}")


def _selection_lines(selection: "Selection", *, knows_films: bool) -> list[str]:
    subset = selection.subset
    lines = [
        f"{len(subset.shots):,} of {subset.num_shots:,} shots, {len(subset.classes)} classes, "
        f"{subset.multi_label_share:.1%} with several labels",
        f"left out: {subset.num_unsure:,} unsure, {subset.num_outside:,} outside the index, "
        f"{subset.num_held_out:,} of verified clips",
    ]
    lines += [f"{name}: {len(shots):,} shots" for name, shots in selection.splits.items()]
    return lines + overlap_lines(selection.overlaps, knows_films=knows_films)


def overlap_lines(overlaps: Iterable["SplitOverlap"], *, knows_films: bool) -> list[str]:
    """Return what each two splits share, both ways, as lines for people."""
    lines = []
    for both in overlaps:
        line = f"{both.splits[0]} and {both.splits[1]} share "
        line += f"{both.num_clips:,} clips (of {both.clips_of[0]:,} and {both.clips_of[1]:,})"
        if knows_films:
            line += f", {both.num_films:,} films (of {both.films_of[0]:,} and {both.films_of[1]:,})"
        lines.append(line)
    return lines


def _figure_lines(figures: "DatasetFigures") -> list[str]:
    """Return a data set's figures as lines for people: Table 2's row first."""
    corpus, knows_films = figures.corpus, figures.corpus.num_movies is not None
    row = [f"{corpus.num_movies:,} movies"] if corpus.num_movies is not None else []
    row += ["{}-{}".format(*corpus.years)] if corpus.years else []
    row += [f"{corpus.num_clips:,} clips", f"{corpus.num_shots:,} shots"]
    row += [f"{corpus.shots_per_clip:.2f} shots a clip"]
    row += [f"{corpus.mean_shot_s:.2f} s a shot"] if corpus.mean_shot_s is not None else []
    lines = [", ".join(row)]
    if figures.score_counts:
        share = figures.num_sure / corpus.num_shots
        lines.append(f"best score of {figures.min_best:g} or more: {share:.1%} of the shots")
    for split in figures.splits:
        lines.append(
            f"{split.name}: {split.num_shots:,} shots of {split.num_clips:,} clips, "
            f"{split.num_classes} classes, {split.multi_label_share:.2%} with several labels"
        )
    lines += overlap_lines(figures.overlaps, knows_films=knows_films)
    for scale, (num_sure, num_shots) in figures.scales.items():
        name = scale or "scale not known"
        lines.append(f"{name}: {num_shots:,} shots, {num_sure / num_shots:.1%} of them sure")
    for genre, best in figures.genres.items():
        lines.append(f"{genre}: {_counted(best)}")
    occurring = [(name, count) for name, count in figures.label_counts if count]
    lines.append(f"{len(occurring)} of {len(figures.label_counts)} labels: {_counted(occurring)}")
    return lines


def _counted(labels: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in labels)
