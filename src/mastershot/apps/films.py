"""``mastershot analyze``, and ``mastershot library``: the timelines of many films in one folder."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, BadParameter, Exit, Option

from mastershot.apps.command import (
    AnalysisOptions,
    Commands,
    Json,
    LibraryFolder,
    Reporting,
    loading,
)
from mastershot.apps.show import (
    StageProgress,
    complain,
    complain_of,
    say,
    say_result,
    showing_progress,
)
from mastershot.core.errors import sentence
from mastershot.core.text import printable
from mastershot.core.time import format_clock

if TYPE_CHECKING:
    from mastershot.core.labels import LabelScore
    from mastershot.core.timeline import Timeline
    from mastershot.store.library import LibraryMovie

_WIDEST_NAME = 40  # columns

library_app = Commands(name="library", help="Keep the timelines of many films in one folder.")

FilmInLibrary = Annotated[
    str, Argument(metavar="FILM", help="Id, path, file name, stem, or the start of one.")
]


def analyze(
    *,
    films: Annotated[list[Path] | None, Argument(metavar="FILM...", show_default=False)] = None,
    demo: Annotated[
        bool,
        Option("--demo", help="Analyse a short film that ships; `--demo drawn` draws one instead."),
    ] = False,
    out: Annotated[Path, Option(metavar="DIR", help="Folder of results.")] = Path("mastershot-out"),
    library: Annotated[
        Path | None, Option(metavar="DIR", help="Also keep the timelines in this library.")
    ] = None,
    analysis: AnalysisOptions,
    reporting: Reporting,
) -> None:
    """Find the shots and scenes of films and name their places.

    Writes DIR/<film>/: timeline.json, report.html, shots.csv and thumbs/.
    """
    if not films and not demo:
        raise BadParameter("name a film, or use --demo for one that ships")
    # In `--demo drawn`, `drawn` names a kind of demo film, unless a film has that name.
    drawn = demo and Path("drawn") in (films or ()) and not Path("drawn").exists()
    films = [film for film in films or [] if not drawn or film != Path("drawn")]
    with loading():
        from mastershot.apps.demo import copy_demo, draw_demo
        from mastershot.media.probe import probe
        from mastershot.pipeline.analysis.plan import prepare
        from mastershot.pipeline.analyze import analyze_movie

        loaded = prepare(analysis.plan())
    complain(*loaded.notes)
    kept = None
    if library is not None:
        from mastershot.pipeline.library import Library  # Costs a start without one.

        kept = Library(library)
    demo_film = out / "demo.mp4"

    def analyze_one(path: Path, progress: StageProgress) -> dict[str, Any]:
        if demo and path == demo_film:
            (draw_demo if drawn else copy_demo)(path, quiet=reporting.quiet)
        file = probe(path, stream=analysis.stream)
        if kept is not None:
            kept.add(file, loaded=loaded, out=out, progress=progress)
        timeline, folder = analyze_movie(file, loaded, out, progress=progress)
        return _summary(timeline) | {"timeline": folder / "timeline.json"}

    each_film([*films, demo_film] if demo else films, analyze_one, reporting)


@library_app.command("add")
def library_add(
    *,
    films: Annotated[list[Path], Argument(metavar="FILM...")],
    library: LibraryFolder,
    analysis: AnalysisOptions,
    reporting: Reporting,
) -> None:
    """Analyse films and keep them in a library; a film that it holds already is left as it is."""
    with loading():
        from mastershot.pipeline.analysis.plan import prepare
        from mastershot.pipeline.library import Library

        loaded = prepare(analysis.plan())
    complain(*loaded.notes)
    kept = Library(library)

    def add(path: Path, progress: StageProgress) -> dict[str, Any]:
        return _summary(kept.add(path, loaded=loaded, progress=progress))

    each_film(films, add, reporting)


@library_app.command("ls")
def library_ls(library: LibraryFolder, as_json: Json = False) -> None:
    """List the films of a library, their names first."""
    from mastershot.store.library import Library

    movies = Library(library).movies()
    say_result([_film_json(movie) for movie in movies], _film_lines(movies), as_json=as_json)


@library_app.command("show")
def library_show(film: FilmInLibrary, library: LibraryFolder, as_json: Json = False) -> None:
    """Show a film's shots and scenes; with --json its whole timeline."""
    from mastershot.store.library import Library

    kept = Library(library)
    timeline = kept.timeline(kept.movie(film).id)
    say_result(json.loads(timeline.to_json()), _timeline_lines(timeline), as_json=as_json)


@library_app.command("rm")
def library_rm(film: FilmInLibrary, library: LibraryFolder, as_json: Json = False) -> None:
    """Remove a film from a library and say which it was; its file is left alone."""
    from mastershot.store.library import Library

    movie = Library(library).remove(film)
    line = f"removed {movie.name} ({movie.id}), {movie.path}"
    say_result(_film_json(movie), [line], as_json=as_json)


@library_app.command("verify")
def library_verify(
    library: LibraryFolder,
    hashes: Annotated[
        bool, Option("--hashes", help="Also read every film file and compare its hash.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check that a library is whole; exit 1 if it is not."""
    from mastershot.store.library import Library
    from mastershot.store.verify import find_problems

    found = list(find_problems(Library(library), hashes=hashes))
    lines, problems = [] if found else ["the library is whole"], [one.text for one in found]
    say_result([asdict(one) for one in found], lines, as_json=as_json, problems=problems)


@library_app.command("repair")
def library_repair(library: LibraryFolder, as_json: Json = False) -> None:
    """Drop what belongs to no film of a library, complete what is older, and pack its tables."""
    from mastershot.store.library import Library

    num_dropped = Library(library).repair()
    line = f"dropped {num_dropped} rows that belonged to no film"
    say_result({"num_dropped": num_dropped}, [line], as_json=as_json)


def each_film(
    paths: list[Path], work: Callable[[Path, StageProgress], dict[str, Any]], reporting: Reporting
) -> None:
    """Do the work on each film; one that fails is reported and does not stop the others."""
    results = []
    for path in paths:
        with showing_progress(path.name, quiet=reporting.quiet) as progress:
            try:
                result = work(path, progress)
            except Exception as error:  # noqa: BLE001  One film must not stop the rest.
                complain_of(error, debug=reporting.debug)
                result = {"film": str(path), "error": sentence(error)}
        results.append(result)
        if notes := result.get("notes"):
            complain(f"{path}: {'; '.join(notes)}")
        if not reporting.as_json and "error" not in result:
            scenes = "" if result["num_scenes"] is None else f", {result['num_scenes']} scenes"
            where = result.get("timeline", result["id"])
            say(f"{result['film']}: {result['num_shots']} shots{scenes} → {where}")
    say_result(results, (), as_json=reporting.as_json)
    if any("error" in result for result in results):
        raise Exit(1)


def _summary(timeline: "Timeline") -> dict[str, Any]:
    return {
        "film": timeline.movie.path,
        "id": timeline.movie.id,
        "num_shots": len(timeline.shots),
        "num_scenes": None if timeline.scenes is None else len(timeline.scenes),
        "notes": list(timeline.notes),
    }


def _film_json(movie: "LibraryMovie") -> dict[str, Any]:
    return {"name": movie.name, **asdict(movie)}


def _film_lines(films: "Sequence[LibraryMovie]") -> Iterator[str]:
    names = [printable(film.name) for film in films]
    width = min(max(map(len, names), default=0), _WIDEST_NAME)
    for name, film in zip(names, films, strict=True):
        shots = f"{film.num_shots:5} shots  {film.duration_s:8.1f} s"
        yield f"{name:{width}}  {shots}  {film.id}  {film.path}"


def _timeline_lines(timeline: "Timeline") -> Iterator[str]:
    for index, shot in enumerate(timeline.shots):
        scene = timeline.scene_of(index)
        if scene is not None and scene.first_shot == index:
            yield f"scene {scene.id.rpartition('/s')[2]}  {_label_words(scene.labels)}"
        times = f"{format_clock(shot.span.start_s)} - {format_clock(shot.span.end_s)}"
        frames = f"{shot.span.first_frame}-{shot.span.end_frame}"
        yield f"  {index:5}  {times}  {frames:>15}  {_label_words(shot.labels)}"


def _label_words(labels: "tuple[LabelScore, ...] | None") -> str:
    sure = [f"{label.name} {label.score:.2f}" for label in labels or () if not label.unsure]
    if labels and not sure:
        return f"unsure ({labels[0].name} {labels[0].score:.2f})"
    return ", ".join(sure)
