"""``mastershot run`` and ``mastershot recipes``: training by recipe."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mastershot.apps.errors import errors_as_sentences
from mastershot.apps.options import Debug, Json, Quiet
from mastershot.apps.show import complain, say, say_json, say_lines, showing_progress
from mastershot.core.errors import OutputError

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

RUNS = Path("mastershot-runs")
_REFRESH_S = 0.1

recipes_app = typer.Typer(name="recipes", help="Training runs as YAML files: see, copy, check.")

Source = Annotated[str, typer.Argument(metavar="RECIPE", help="A shipped name, or a YAML file.")]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[key=value]...", show_default=False,
                   help="Settings to use instead, such as training.steps=9."),
]  # fmt: skip


def run(
    recipe: Source,
    settings: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help=f"Folder of the run; by default in {RUNS}."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train by a recipe; a run that was stopped goes on with the same command."""
    with errors_as_sentences(debug):
        from mastershot.recipes.load import load_recipe

        loaded = load_recipe(recipe, settings or [])
        from mastershot.training.engine import distributed

        folder = out if out is not None else RUNS / loaded.name.replace("/", "-")
        with distributed.process_group(shared=loaded.kind.shared):
            first = distributed.is_rank_zero()
            for note in loaded.notes if first else ():
                complain(note)
            if first and not quiet:
                complain(f"the run is kept in {folder}")
            with showing_progress(quiet=quiet or not first) as bars:
                task = bars.add_task(loaded.name, total=None, stage="", speed="")
                result = loaded.kind.run(loaded.settings, folder, RunProgress(bars, task))
        if not first:
            return
        for note in result.notes:
            complain(note)
        if as_json:
            say_json({"recipe": loaded.name, "made": str(result.path), **result.figures})
        else:
            say(f"{loaded.name} → {result.path}")


@recipes_app.command("list")
def recipes_list(as_json: Json = False, debug: Debug = False) -> None:
    """List the recipes that come with the package."""
    with errors_as_sentences(debug):
        from mastershot.recipes.load import recipe_text, shipped_recipes

        rows = [(name, _first_sentence(recipe_text(name))) for name in shipped_recipes()]
        if as_json:
            say_json([{"name": name, "about": about} for name, about in rows])
            return
        width = max(len(name) for name, _ in rows)
        for name, about in rows:
            say(f"{name:{width}}  {about}")


@recipes_app.command("show")
def recipes_show(recipe: Source, debug: Debug = False) -> None:
    """Print a recipe's YAML."""
    with errors_as_sentences(debug):
        from mastershot.recipes.load import recipe_text

        say_lines(recipe_text(recipe))


@recipes_app.command("copy")
def recipes_copy(
    recipe: Source,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.")],
    debug: Debug = False,
) -> None:
    """Copy a recipe, to be changed; a file that is there is left alone."""
    with errors_as_sentences(debug):
        from mastershot.recipes.load import recipe_text

        text = recipe_text(recipe)
        try:
            with file.open("x", encoding="utf-8") as copy:
                copy.write(text)
        except FileExistsError as error:
            raise OutputError(f"{file} is there already; name another file") from error
        except OSError as error:
            raise OutputError(f"{file} cannot be written: {error.strerror}") from error
        say(f"{recipe} → {file}")


@recipes_app.command("check")
def recipes_check(
    recipe: Source, settings: Overrides = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Check a recipe and say what it names that is not there; exit 1 if anything is missing."""
    with errors_as_sentences(debug):
        from mastershot.recipes.load import load_recipe

        loaded = load_recipe(recipe, settings or [])
        for note in loaded.notes:
            complain(note)
        problems = loaded.kind.problems(loaded.settings)
        if as_json:
            values = asdict(loaded.settings)
            say_json({"recipe": loaded.name, "settings": values, "problems": problems})
        for problem in problems:
            complain(problem)
        if not as_json and not problems:
            say(f"{loaded.name} can be run")
    if problems:
        raise typer.Exit(1)


class RunProgress:
    """Shows a run's progress: stage, steps, loss, time left."""

    def __init__(self, bars: "Bars", task: "TaskID") -> None:
        self._bars = bars
        self._task = task
        self._stage = ""
        self._shown_s = 0.0

    def __call__(
        self, stage: str, done: int, total: int | None, figures: Mapping[str, float]
    ) -> None:
        """Take note of progress; the terminal is touched ten times a second at most."""
        now_s = time.monotonic()
        if stage == self._stage and now_s - self._shown_s < _REFRESH_S and done != total:
            return
        if stage != self._stage:
            # The time left is reckoned from the speed of this stage alone.
            self._bars.reset(self._task, total=total, completed=done)
        self._stage, self._shown_s = stage, now_s
        loss = f"loss {figures['loss']:.3f}" if "loss" in figures else ""
        self._bars.update(self._task, stage=stage, completed=done, total=total, speed=loss)


def _first_sentence(text: str) -> str:
    """Return the first sentence of a recipe's header comment."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("#").strip())
    return " ".join(lines).partition(". ")[0].rstrip(".")
