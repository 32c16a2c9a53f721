"""``mastershot analyze``, and what `library add` does likewise: each film with its progress."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, BadParameter, Exit, Option

from mastershot.apps.command import AnalysisOptions, Reporting
from mastershot.apps.show import (
    StageProgress,
    complain,
    complain_of,
    say,
    say_json,
    showing_progress,
)
from mastershot.core.errors import OutputError, sentence

if TYPE_CHECKING:
    from mastershot.core.timeline import Timeline


def analyze(
    *,
    films: Annotated[list[Path] | None, Argument(metavar="FILM...", show_default=False)] = None,
    demo: Annotated[
        bool, Option("--demo", help="Draw a short film with known cuts and analyse it.")
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
        raise BadParameter("name a film, or use --demo to have one drawn")
    # `--demo drawn` may be written for `--demo`.
    films = [film for film in films or [] if not demo or film != Path("drawn") or film.exists()]
    from mastershot.media.probe import probe
    from mastershot.pipeline.analysis.plan import prepare
    from mastershot.pipeline.analyze import analyze_movie
    from mastershot.pipeline.library import Library

    loaded = prepare(analysis.plan())
    complain(*loaded.notes)
    kept = Library(library) if library is not None else None
    demo_film = out / "demo.mp4"

    def analyze_one(path: Path, progress: StageProgress) -> dict[str, Any]:
        if demo and path == demo_film and not path.exists():
            _draw_demo(path, reporting.quiet)
        file = probe(path, stream=analysis.stream)
        if kept is not None:
            kept.add(file, loaded=loaded, out=out, progress=progress)
        timeline, folder = analyze_movie(file, loaded, out, progress=progress)
        return film_summary(timeline) | {"timeline": folder / "timeline.json"}

    each_film([*films, demo_film] if demo else films, analyze_one, reporting)


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
    if reporting.as_json:
        say_json(results)
    if any("error" in result for result in results):
        raise Exit(1)


def film_summary(timeline: "Timeline") -> dict[str, Any]:
    """Return the outcome of one film's analysis, as `each_film` prints it."""
    return {
        "film": timeline.movie.path,
        "id": timeline.movie.id,
        "num_shots": len(timeline.shots),
        "num_scenes": None if timeline.scenes is None else len(timeline.scenes),
        "notes": list(timeline.notes),
    }


def _draw_demo(path: Path, quiet: bool) -> None:
    from mastershot.synthetic.films import write_film
    from mastershot.synthetic.plan import plan_demo_film

    if not quiet:
        complain(f"drawing a film with known cuts and places: {path}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be drawn: {error.strerror}") from error
    write_film(plan_demo_film(), path)
