"""``mastershot library``: the timelines of many films in one folder."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from mastershot.apps.errors import errors_as_sentences
from mastershot.apps.films import each_film, film_summary, open_kit, parse_steps
from mastershot.apps.options import (
    Debug,
    Detector,
    Encoder,
    Exact,
    Json,
    LibraryFolder,
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
from mastershot.apps.show import FilmProgress, complain, say, say_json, timeline_lines

if TYPE_CHECKING:
    from mastershot.shots.content import DetectorName

library_app = typer.Typer(name="library", help="Keep the timelines of many films in one folder.")

FilmInLibrary = Annotated[str, typer.Argument(metavar="FILM", help="Id, its start, or path.")]


@library_app.command("add")
def library_add(
    films: Annotated[list[Path], typer.Argument(metavar="FILM...")],
    library: LibraryFolder,
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
    """Analyse films and keep them in a library; a film that is there already changes nothing."""
    with errors_as_sentences(debug):
        from mastershot.media.sampling import parse_sampling
        from mastershot.pipeline.library import Library
        from mastershot.pipeline.plan import Plan
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
        kept = Library(library)

        def add_one(path: Path, progress: FilmProgress) -> dict[str, Any]:
            return film_summary(kept.add(path, kit=kit, progress=progress))

        each_film(films, add_one, as_json=as_json, quiet=quiet, debug=debug)


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
