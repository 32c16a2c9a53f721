"""The command ``mastershot``: each command parses, calls one library function, and prints."""

import io
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from mastershot import __version__
from mastershot.apps.errors import errors_as_sentences
from mastershot.apps.films import each_film, film_summary, open_kit, parse_steps
from mastershot.apps.label import label_app
from mastershot.apps.library import library_app
from mastershot.apps.models import models
from mastershot.apps.options import (
    Debug,
    Detector,
    Encoder,
    Exact,
    Json,
    MinShot,
    Precision,
    Quiet,
    Sampling,
    Scale,
    ShotList,
    Steps,
    Stream,
    Taxonomy,
    Threshold,
)
from mastershot.apps.recipes import recipes_app, run
from mastershot.apps.search import search
from mastershot.apps.show import FilmProgress, complain, say, say_json
from mastershot.apps.similar import draw_map, similar
from mastershot.apps.taxonomy import taxonomy_app
from mastershot.apps.verify import verify_app
from mastershot.core.errors import OutputError

if TYPE_CHECKING:
    from mastershot.shots.content import DetectorName

DEFAULT_OUT = Path("mastershot-out")

app = typer.Typer(
    name="mastershot",
    help="Turns films into knowledge: shots, scenes and places, exact in time, offline.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(library_app, no_args_is_help=True)
app.add_typer(models, no_args_is_help=True)
app.add_typer(recipes_app, no_args_is_help=True)
app.add_typer(taxonomy_app, no_args_is_help=True)
app.add_typer(label_app, no_args_is_help=True)
app.add_typer(verify_app, no_args_is_help=True)


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
    taxonomy: Taxonomy = "movieclip",
    detector: Detector = "content",
    exact: Exact = False,
    threshold: Threshold = None,
    min_shot: MinShot = 0.6,
    shots: ShotList = None,
    sampling: Sampling = "uniform:3",
    steps: Steps = "shots,labels,scenes,scale",
    scale: Scale = None,
    stream: Stream = None,
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
        from mastershot.media.sampling import parse_sampling
        from mastershot.pipeline.analysis.plan import Plan
        from mastershot.pipeline.analyze import analyze_movie
        from mastershot.pipeline.library import Library
        from mastershot.shots.content import ShotSettings

        plan = Plan(
            steps=parse_steps(steps),
            shots=ShotSettings(cast("DetectorName", detector), exact, threshold, min_shot),
            shot_list=shots,
            sampling=parse_sampling(sampling),
            encoder=encoder,
            precision=precision,
            taxonomy=taxonomy,
            scale=scale,
            stream=stream,
        )
        kit = open_kit(plan)
        kept = Library(library) if library is not None else None
        demo_film = out / "demo.mp4"
        paths = [*(films or []), *([demo_film] if demo else [])]

        def analyze_one(path: Path, progress: FilmProgress) -> dict[str, Any]:
            if demo and path == demo_film:
                _draw_demo(path, quiet)
            file = probe(path, stream=stream)
            if kept is not None:
                kept.add(file, kit=kit, out=out, progress=progress)
            timeline, folder = analyze_movie(file, kit, out, progress=progress)
            return film_summary(timeline) | {"timeline": str(folder / "timeline.json")}

        each_film(paths, analyze_one, as_json=as_json, quiet=quiet, debug=debug)


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


def _draw_demo(path: Path, quiet: bool) -> None:
    """Draw the demo film, unless it is there."""
    from mastershot.synthetic.films import write_film
    from mastershot.synthetic.plan import plan_demo_film

    if path.exists():
        return
    if not quiet:
        complain(f"drawing a film with known cuts and places: {path}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be drawn: {error.strerror}") from error
    write_film(plan_demo_film(), path)
