"""``mastershot library``: the timelines of many films in one folder."""

import json
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
from mastershot.core.text import printable

if TYPE_CHECKING:
    from mastershot.shots.content import DetectorName
    from mastershot.store.library import LibraryMovie

_MOST_WIDE = 40  # columns of names

library_app = typer.Typer(name="library", help="Keep the timelines of many films in one folder.")

NAMED_BY = "Id, path, file name, stem, or the start of one."
FilmInLibrary = Annotated[str, typer.Argument(metavar="FILM", help=NAMED_BY)]


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
        from mastershot.pipeline.analysis.plan import Plan
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
        kept = Library(library)

        def add_one(path: Path, progress: FilmProgress) -> dict[str, Any]:
            return film_summary(kept.add(path, loaded=kit, progress=progress))

        each_film(films, add_one, as_json=as_json, quiet=quiet, debug=debug)


@library_app.command("ls")
def library_ls(library: LibraryFolder, as_json: Json = False, debug: Debug = False) -> None:
    """List the films of a library, their names first."""
    with errors_as_sentences(debug):
        from mastershot.store.library import Library

        movies = Library(library).movies()
        if as_json:
            say_json([_film_json(movie) for movie in movies])
            return
        names = [printable(movie.name) for movie in movies]
        width = min(max(map(len, names), default=0), _MOST_WIDE)
        for name, film in zip(names, movies, strict=True):
            shots = f"{film.num_shots:5} shots  {film.duration_s:8.1f} s"
            say(f"{name:{width}}  {shots}  {film.id}  {film.path}")


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
            say_json(json.loads(timeline.to_json()))
            return
        for line in timeline_lines(timeline):
            say(line)


@library_app.command("rm")
def library_rm(
    film: FilmInLibrary, library: LibraryFolder, as_json: Json = False, debug: Debug = False
) -> None:
    """Remove a film from a library and say which it was; its file is left alone."""
    with errors_as_sentences(debug):
        from mastershot.store.library import Library

        movie = Library(library).remove(film)
        if as_json:
            say_json(_film_json(movie))
        else:
            say(f"removed {movie.name} ({movie.id}), {movie.path}")


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
        from mastershot.store.verify import find_problems

        problems = list(find_problems(Library(library), hashes=hashes))
        if as_json:
            say_json([asdict(problem) for problem in problems])
        for problem in problems:
            complain(problem.text)
        if not as_json and not problems:
            say("the library is whole")
    if problems:
        raise typer.Exit(1)


@library_app.command("repair")
def library_repair(library: LibraryFolder, as_json: Json = False, debug: Debug = False) -> None:
    """Drop what belongs to no film of a library, and pack its tables."""
    with errors_as_sentences(debug):
        from mastershot.store.library import Library

        num_dropped = Library(library).repair()
        if as_json:
            say_json({"num_dropped": num_dropped})
        else:
            say(f"dropped {num_dropped} rows that belonged to no film")


def _film_json(movie: "LibraryMovie") -> dict[str, Any]:
    return {"name": movie.name, **asdict(movie)}
