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
    from mastershot.media.probe import FilmFile
    from mastershot.pipeline.analysis.plan import LoadedPlan
    from mastershot.pipeline.library import Library
    from mastershot.pipeline.parts import SplitRule
    from mastershot.store.library import LibraryMovie

_WIDEST_NAME = 40  # columns

library_app = Commands(name="library", help="Keep the timelines of many films in one folder.")

AsOne = Annotated[
    bool, Option("--as-one", help="The files are the reels of one film, in this order.")
]
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
    as_one: AsOne = False,
    split_at_black: Annotated[
        bool,
        Option("--split-at-black", help="Each file may hold several films, with black between."),
    ] = False,
    min_black: Annotated[
        float | None,
        Option(metavar="SECONDS", help="Shortest black between films, silent; default 2."),
    ] = None,
    analysis: AnalysisOptions,
    reporting: Reporting,
) -> None:
    """Find the shots and scenes of films and name their places.

    Writes DIR/<film>/: timeline.json, report.html, shots.csv and thumbs/.
    """
    if as_one and split_at_black:
        raise BadParameter("--as-one joins files and --split-at-black divides them; choose one")
    if min_black is not None and not split_at_black:
        raise BadParameter("--min-black says where --split-at-black divides; add that")
    if not films and not demo:
        raise BadParameter("name a film, or use --demo for one that ships")
    if demo and as_one:
        raise BadParameter("the demo is one file; leave out --as-one, or --demo")
    # In `--demo drawn`, `drawn` names a kind of demo film, unless a film has that name.
    drawn = demo and Path("drawn") in (films or ()) and not Path("drawn").exists()
    films = [film for film in films or [] if not drawn or film != Path("drawn")]
    with loading():
        from mastershot.apps.demo.films import copy_demo, draw_demo
        from mastershot.media.reels.facts import probe_film
        from mastershot.pipeline.analysis.plan import prepare
        from mastershot.pipeline.analyze import analyze_movie
        from mastershot.pipeline.parts import SplitRule

        loaded = prepare(analysis.plan())
        rule = SplitRule() if min_black is None else SplitRule(min_black)
    complain(*loaded.notes)
    kept = None
    if library is not None:
        from mastershot.pipeline.library import Library  # Costs a start without one.

        kept = Library(library)
    demo_film = out / "demo.mp4"

    def analyze_one(path: Path, progress: StageProgress) -> dict[str, Any]:
        if demo and path == demo_film:
            (draw_demo if drawn else copy_demo)(path, quiet=reporting.quiet)
        file = probe_film(films if as_one else path, stream=analysis.stream)
        if split_at_black:
            return _split(file, loaded, out, rule, kept, progress)
        if kept is not None:
            kept.add(file, loaded=loaded, out=out, progress=progress)
        timeline, folder = analyze_movie(file, loaded, out, progress=progress)
        return _summary(timeline) | {"timeline": folder / "timeline.json"}

    if as_one:
        each_film(films[:1], analyze_one, reporting)
    else:
        each_film([*films, demo_film] if demo else films, analyze_one, reporting)


def _split(
    file: "FilmFile",
    loaded: "LoadedPlan",
    out: Path,
    rule: "SplitRule",
    kept: "Library | None",
    progress: StageProgress,
) -> dict[str, Any]:
    """Analyse a file and each film in it; a library keeps the films."""
    from mastershot.pipeline.split import analyze_films

    found = analyze_films(file, loaded, out, rule=rule, progress=progress)
    (whole, folder), films = found[0], found[1:]
    for timeline, place in films or found:
        if kept is not None:
            kept.keep(timeline, place, loaded)
    summary = _summary(whole) | {"timeline": folder / "timeline.json"}
    if not films:
        why = f"one film: between no pictures is it black, and silent, for {rule.min_black_s:g} s"
        return summary | {"notes": [*summary["notes"], why], "films": []}
    parts = []
    for timeline, place in films:
        part = timeline.movie.part
        assert part is not None
        frames = {"first_frame": part.first_frame}
        frames["end_frame"] = part.first_frame + timeline.movie.num_frames
        parts.append(_summary(timeline) | frames | {"timeline": place / "timeline.json"})
    return summary | {"films": parts}


@library_app.command("add")
def library_add(
    *,
    films: Annotated[list[Path], Argument(metavar="FILM...")],
    library: LibraryFolder,
    as_one: AsOne = False,
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
        added = kept.add(films if as_one else path, loaded=loaded, progress=progress)
        return _summary(added)

    each_film(films[:1] if as_one else films, add, reporting)


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
            say(_result_line(result))
            say(*(f"  {line}" for line in result.get("moderation", ())))
            for part in result.get("films", ()):
                frames = f"frames {part['first_frame']}-{part['end_frame'] - 1}"
                say(f"  {frames}: {_result_line(part).partition(': ')[2]}")
    say_result(results, (), as_json=reporting.as_json)
    if any("error" in result for result in results):
        raise Exit(1)


def _result_line(result: dict[str, Any]) -> str:
    scenes = "" if result["num_scenes"] is None else f", {result['num_scenes']} scenes"
    where = result.get("timeline", result["id"])
    genres = "" if "genres" not in result else f", {', '.join(result['genres']) or 'no genre'}"
    return f"{result['film']}: {result['num_shots']} shots{scenes}{genres} → {where}"


def _summary(timeline: "Timeline") -> dict[str, Any]:
    from mastershot.exports.moderation import moderation_lines

    found = moderation_lines(timeline)
    return (
        ({"moderation": found} if found else {})
        | {
            "film": timeline.movie.path,
            "id": timeline.movie.id,
            "num_shots": len(timeline.shots),
            "num_scenes": None if timeline.scenes is None else len(timeline.scenes),
            "notes": list(timeline.notes),
        }
        | ({} if timeline.genres is None else {"genres": list(timeline.chosen_genres)})
    )


def _film_json(movie: "LibraryMovie") -> dict[str, Any]:
    return {"name": movie.name, **asdict(movie)}


def _film_lines(films: "Sequence[LibraryMovie]") -> Iterator[str]:
    names = [printable(film.name) for film in films]
    width = min(max(map(len, names), default=0), _WIDEST_NAME)
    for name, film in zip(names, films, strict=True):
        shots = f"{film.num_shots:5} shots  {film.duration_s:8.1f} s"
        yield f"{name:{width}}  {shots}  {film.id}  {film.path}"


def _timeline_lines(timeline: "Timeline") -> Iterator[str]:
    from mastershot.exports.moderation import moderation_lines

    if timeline.genres is not None:
        scored = (f"{one.name} {one.score:.2f}" for one in timeline.genres if one.chosen)
        yield f"genres  {', '.join(scored) or 'none'}"
    for index, shot in enumerate(timeline.shots):
        scene = timeline.scene_of(index)
        if scene is not None and scene.first_shot == index:
            yield f"scene {scene.id.rpartition('/s')[2]}  {_label_words(scene.labels)}"
        times = f"{format_clock(shot.span.start_s)} - {format_clock(shot.span.end_s)}"
        frames = f"{shot.span.first_frame}-{shot.span.end_frame}"
        yield f"  {index:5}  {times}  {frames:>15}  {_label_words(shot.labels)}"
    yield from (f"moderation, {line}" for line in moderation_lines(timeline))


def _label_words(labels: "tuple[LabelScore, ...] | None") -> str:
    sure = [f"{label.name} {label.score:.2f}" for label in labels or () if not label.unsure]
    if labels and not sure:
        return f"unsure ({labels[0].name} {labels[0].score:.2f})"
    return ", ".join(sure)
