"""What commands that analyse films share: their kit, each film with progress, its summary."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mastershot.apps.show import (
    FilmProgress,
    complain,
    complain_of,
    say,
    say_json,
    showing_progress,
)
from mastershot.core.errors import sentence
from mastershot.core.text import printable

if TYPE_CHECKING:
    from mastershot.core.timeline import Timeline
    from mastershot.pipeline.analysis.plan import LoadedPlan, Plan


def parse_steps(text: str) -> tuple[str, ...]:
    """Return the steps that a comma-separated text names; a `Plan` refuses unknown ones."""
    return tuple(step.strip() for step in text.split(","))


def open_kit(plan: "Plan") -> "LoadedPlan":
    """Return the plan with its encoders loaded; what cannot be had is said once."""
    from mastershot.pipeline.analysis.plan import prepare

    kit = prepare(plan)
    for note in kit.notes:
        complain(note)
    return kit


def each_film(
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
            task = bars.add_task(printable(path.name), total=None, stage="", speed="")
            try:
                result = work(path, FilmProgress(bars, task))
            except Exception as error:  # noqa: BLE001  One film must not stop the rest.
                complain_of(error, debug=debug)
                result = {"film": str(path), "error": sentence(error)}
            bars.remove_task(task)
            results.append(result)
            if notes := result.get("notes"):
                complain(f"{path}: {'; '.join(notes)}")
            if not as_json and "error" not in result:
                say(_summary_line(result))
    if as_json:
        say_json(results)
    if any("error" in result for result in results):
        raise typer.Exit(1)


def film_summary(timeline: "Timeline") -> dict[str, Any]:
    """Return what one film's analysis came to, as `each_film` prints it."""
    return {
        "film": timeline.movie.path,
        "id": timeline.movie.id,
        "num_shots": len(timeline.shots),
        "num_scenes": None if timeline.scenes is None else len(timeline.scenes),
        "notes": list(timeline.notes),
    }


def _summary_line(result: dict[str, Any]) -> str:
    """Return what one film's analysis came to, as a line for people."""
    scenes = "" if result["num_scenes"] is None else f", {result['num_scenes']} scenes"
    where = f" → {result['timeline']}" if "timeline" in result else f" → {result['id']}"
    return f"{result['film']}: {result['num_shots']} shots{scenes}{where}"
