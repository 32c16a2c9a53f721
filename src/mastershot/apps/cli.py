"""The command ``mastershot``: each command parses, calls one library function, and prints."""

import io
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from mastershot import __version__
from mastershot.apps.errors import errors_as_sentences, sentence
from mastershot.apps.label import label_app
from mastershot.apps.models import models
from mastershot.apps.options import Debug, Json, LibraryFolder, Quiet
from mastershot.apps.recipes import recipes_app, run
from mastershot.apps.search import search
from mastershot.apps.show import (
    FilmProgress,
    complain,
    say,
    say_json,
    showing_progress,
    summary_line,
    timeline_lines,
)
from mastershot.apps.similar import draw_map, similar
from mastershot.apps.taxonomy import taxonomy_app
from mastershot.apps.verify import verify_app
from mastershot.core.errors import OutputError

if TYPE_CHECKING:
    from mastershot.core.timeline import Timeline
    from mastershot.pipeline.plan import Kit
    from mastershot.shots.content import DetectorName

DEFAULT_OUT = Path("mastershot-out")

app = typer.Typer(
    name="mastershot",
    help="Turns films into knowledge: shots, scenes and places, exact in time, offline.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
library_app = typer.Typer(name="library", help="Keep the timelines of many films in one folder.")
app.add_typer(library_app, no_args_is_help=True)
app.add_typer(models, no_args_is_help=True)
app.add_typer(recipes_app, no_args_is_help=True)
app.add_typer(taxonomy_app, no_args_is_help=True)
app.add_typer(label_app, no_args_is_help=True)
app.add_typer(verify_app, no_args_is_help=True)

Encoder = Annotated[
    str | None,
    typer.Option(metavar="NAME|FOLDER", help="Encoder of frames and words, for labels."),
]
Precision = Annotated[
    str | None,
    typer.Option(
        metavar="float32|bfloat16|int8", help="Of frames; int8 is fastest and least exact."
    ),
]
TaxonomySource = Annotated[
    str, typer.Option(metavar="NAME|FILE", help="Labels: movieclip, movieclip-150, or a file.")
]
Detector = Annotated[str, typer.Option(metavar="content|adaptive", help="How cuts are found.")]
Exact = Annotated[
    bool, typer.Option("--exact", help="Give the detector PySceneDetect's own pixels (slower).")
]
Threshold = Annotated[
    float | None, typer.Option(help="Score of a cut; default 27 (content) or 3 (adaptive).")
]
MinShot = Annotated[float, typer.Option("--min-shot", metavar="SECONDS", help="Shortest shot.")]
Shots = Annotated[
    Path | None,
    typer.Option(metavar="LIST", help="Use shots found elsewhere: CSV, TransNetV2, MovieNet."),
]
SamplingText = Annotated[
    str,
    typer.Option("--sampling", metavar="uniform:N|rate:HZ|every", help="Frames looked at a shot."),
]
FilmInLibrary = Annotated[str, typer.Argument(metavar="FILM", help="Id, its start, or path.")]
Steps = Annotated[
    str, typer.Option(metavar="NAME,…", help="Which of shots, labels, scenes, scale.")
]
Scale = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Trained classifier of shot scale (docs/scale.md)."),
]


@app.command()
def analyze(
    films: Annotated[
        list[Path] | None, typer.Argument(metavar="FILM...", show_default=False)
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Draw a short film with known cuts and analyse it.")
    ] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of results.")] = DEFAULT_OUT,
    library: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also keep the timelines in this library.")
    ] = None,
    encoder: Encoder = None,
    precision: Precision = None,
    taxonomy: TaxonomySource = "movieclip",
    detector: Detector = "content",
    exact: Exact = False,
    threshold: Threshold = None,
    min_shot: MinShot = 0.6,
    shots: Shots = None,
    sampling: SamplingText = "uniform:3",
    steps: Steps = "shots,labels,scenes,scale",
    scale: Scale = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Find the shots and scenes of films and name their places.

    Writes DIR/<film>/: timeline.json, report.html, shots.csv and thumbs/.
    """
    if not films and not demo:
        raise typer.BadParameter("name a film, or use --demo to have one drawn")
    with errors_as_sentences(debug):
        from mastershot.media.probe import probe
        from mastershot.pipeline.analyze import analyze_movie
        from mastershot.pipeline.library import Library

        kit = _kit(
            encoder,
            precision,
            taxonomy,
            detector,
            exact,
            threshold,
            min_shot,
            shots,
            sampling,
            steps,
            scale,
        )
        kept = Library(library) if library is not None else None
        demo_film = out / "demo.mp4"
        paths = [*(films or []), *([demo_film] if demo else [])]

        def analyze_one(path: Path, progress: FilmProgress) -> dict[str, Any]:
            if demo and path == demo_film:
                _draw_demo(path, quiet)
            file = probe(path)
            if kept is not None:
                kept.add(file, kit=kit, out=out, progress=progress)
            timeline, folder = analyze_movie(file, kit, out, progress=progress)
            return _summary(timeline) | {"timeline": str(folder / "timeline.json")}

        _each_film(paths, analyze_one, as_json=as_json, quiet=quiet, debug=debug)


@library_app.command("add")
def library_add(
    films: Annotated[list[Path], typer.Argument(metavar="FILM...")],
    library: LibraryFolder,
    encoder: Encoder = None,
    precision: Precision = None,
    taxonomy: TaxonomySource = "movieclip",
    detector: Detector = "content",
    exact: Exact = False,
    threshold: Threshold = None,
    min_shot: MinShot = 0.6,
    shots: Shots = None,
    sampling: SamplingText = "uniform:3",
    steps: Steps = "shots,labels,scenes,scale",
    scale: Scale = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Analyse films and keep them in a library; a film that is there already changes nothing."""
    with errors_as_sentences(debug):
        from mastershot.pipeline.library import Library

        kit = _kit(
            encoder,
            precision,
            taxonomy,
            detector,
            exact,
            threshold,
            min_shot,
            shots,
            sampling,
            steps,
            scale,
        )
        kept = Library(library)

        def add_one(path: Path, progress: FilmProgress) -> dict[str, Any]:
            return _summary(kept.add(path, kit=kit, progress=progress))

        _each_film(films, add_one, as_json=as_json, quiet=quiet, debug=debug)


@library_app.command("ls")
def library_ls(library: LibraryFolder, as_json: Json = False, debug: Debug = False) -> None:
    """List the films of a library."""
    with errors_as_sentences(debug):
        from mastershot.store.library import Library

        movies = Library(library).movies()
        if as_json:
            say_json([asdict(movie) for movie in movies])
            return
        for movie in movies:
            say(f"{movie.id}  {movie.num_shots:5} shots  {movie.duration_s:8.1f} s  {movie.path}")


@library_app.command("show")
def library_show(
    film: FilmInLibrary, library: LibraryFolder, as_json: Json = False, debug: Debug = False
) -> None:
    """Show a film's shots and scenes; with --json its whole timeline."""
    with errors_as_sentences(debug):
        from mastershot.store.library import Library

        kept = Library(library)
        timeline = kept.timeline(kept.movie(film).id)
        if as_json:
            say(timeline.to_json().rstrip())
            return
        for line in timeline_lines(timeline):
            say(line)


@library_app.command("rm")
def library_rm(film: FilmInLibrary, library: LibraryFolder, debug: Debug = False) -> None:
    """Remove a film from a library; its file is left alone."""
    with errors_as_sentences(debug):
        from mastershot.store.library import Library

        movie = Library(library).remove(film)
        say(f"removed {movie.path} ({movie.id})")


@library_app.command("verify")
def library_verify(
    library: LibraryFolder,
    hashes: Annotated[
        bool, typer.Option("--hashes", help="Also read every film file and compare its hash.")
    ] = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Check that a library is whole; exit 1 if it is not."""
    with errors_as_sentences(debug):
        from mastershot.store.library import Library

        problems = Library(library).verify(hashes=hashes)
        if as_json:
            say_json([asdict(problem) for problem in problems])
        for problem in problems:
            complain(problem.text)
        if not as_json and not problems:
            say("the library is whole")
    if problems:
        raise typer.Exit(1)


@library_app.command("repair")
def library_repair(library: LibraryFolder, debug: Debug = False) -> None:
    """Drop what belongs to no film of a library, and pack its tables."""
    with errors_as_sentences(debug):
        from mastershot.store.library import Library

        say(f"dropped {Library(library).repair()} rows that belonged to no film")


app.command()(search)
app.command()(similar)
app.command("map")(draw_map)
app.command()(run)


@app.command()
def doctor(as_json: Json = False, debug: Debug = False) -> None:
    """Say what is installed, which encoders can be had, and how fast this machine is."""
    with errors_as_sentences(debug):
        from mastershot.pipeline.doctor import examine

        findings = examine()
        if as_json:
            say_json(asdict(findings))
            return
        for line in findings.lines():
            say(line)


@app.callback(invoke_without_command=True)
def mastershot(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Turn films into knowledge: shots, scenes and places, exact in time, offline."""
    if version:
        say(f"mastershot {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command; the entry point of the console script."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # A file name may be no text.
    app()


def _each_film(
    paths: list[Path],
    work: Callable[[Path, FilmProgress], dict[str, Any]],
    *,
    as_json: bool,
    quiet: bool,
    debug: bool,
) -> None:
    """Do the work on each film; one that fails is said and does not stop the others."""
    results = []
    with showing_progress(quiet=quiet) as bars:
        for path in paths:
            task = bars.add_task(path.name, total=None, stage="", speed="")
            try:
                result = work(path, FilmProgress(bars, task))
            except Exception as error:  # noqa: BLE001  One film must not stop the rest.
                if debug:
                    traceback.print_exc()
                complain(sentence(error))
                result = {"film": str(path), "error": sentence(error)}
            bars.remove_task(task)
            results.append(result)
            if not as_json and "error" not in result:
                say(summary_line(result))
    if as_json:
        say_json(results)
    if any("error" in result for result in results):
        raise typer.Exit(1)


def _kit(
    encoder: str | None,
    precision: str | None,
    taxonomy: str,
    detector: str,
    exact: bool,
    threshold: float | None,
    min_shot_s: float,
    shots: Path | None,
    sampling: str,
    steps: str,
    scale: Path | None,
) -> "Kit":
    """Return what the options ask for, loaded; what cannot be had is said once."""
    from mastershot.media.sampling import parse_sampling
    from mastershot.pipeline.plan import Plan, prepare
    from mastershot.shots.content import ShotSettings

    plan = Plan(
        steps=tuple(step.strip() for step in steps.split(",")),
        shots=ShotSettings(cast("DetectorName", detector), exact, threshold, min_shot_s),
        shot_list=shots,
        sampling=parse_sampling(sampling),
        encoder=encoder,
        precision=precision,
        taxonomy=taxonomy,
        scale=scale,
    )
    kit = prepare(plan)
    for note in kit.notes:
        complain(note)
    return kit


def _draw_demo(path: Path, quiet: bool) -> None:
    """Draw the demo film, unless it is there."""
    from mastershot.datasets.world import plan_demo_film, write_film

    if path.exists():
        return
    if not quiet:
        complain(f"drawing a film with known cuts and places: {path}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be drawn: {error.strerror}") from error
    write_film(plan_demo_film(), path)


def _summary(timeline: "Timeline") -> dict[str, Any]:
    return {
        "film": timeline.movie.path,
        "id": timeline.movie.id,
        "num_shots": len(timeline.shots),
        "num_scenes": None if timeline.scenes is None else len(timeline.scenes),
    }
