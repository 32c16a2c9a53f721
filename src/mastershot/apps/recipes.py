"""``mastershot run`` and ``mastershot recipes``: training by recipe."""

from dataclasses import asdict
from itertools import takewhile
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from mastershot.apps.command import Commands, Json, Reporting
from mastershot.apps.show import complain, say, say_result, showing_progress
from mastershot.core.errors import OutputError

RUNS = Path("mastershot-runs")

recipes_app = Commands(name="recipes", help="Training runs as YAML files: see, copy, check.")

Source = Annotated[str, Argument(metavar="RECIPE", help="A shipped name, or a YAML file.")]
Overrides = Annotated[
    list[str] | None,
    Argument(
        metavar="[key=value]...",
        show_default=False,
        help="Settings to use instead, such as training.steps=9.",
    ),
]


def run(
    *,
    recipe: Source,
    settings: Overrides = None,
    out: Annotated[
        Path | None, Option(metavar="DIR", help=f"Folder of the run; by default in {RUNS}.")
    ] = None,
    reporting: Reporting,
) -> None:
    """Train by a recipe; a run that was stopped goes on with the same command."""
    from mastershot.recipes.load import load_recipe

    loaded = load_recipe(recipe, settings or [])
    from mastershot.training.engine import distributed

    folder = out if out is not None else RUNS / loaded.name.replace("/", "-")
    with distributed.process_group(shared=loaded.kind.shared):
        first = distributed.is_rank_zero()
        if first:
            complain(*loaded.notes)
        if first and not reporting.quiet:
            complain(f"the run is kept in {folder}")
        with showing_progress(loaded.name, quiet=reporting.quiet or not first) as progress:
            result = loaded.kind.run(loaded.settings, folder, progress)
    if not first:
        return
    complain(*result.notes)
    value = {"recipe": loaded.name, "made": result.path, **result.figures}
    lines = [*result.lines, f"{loaded.name} → {result.path}"]
    say_result(value, lines, as_json=reporting.as_json)


@recipes_app.command("list")
def recipes_list(as_json: Json = False) -> None:
    """List the recipes that come with the package."""
    from mastershot.recipes.load import recipe_text, shipped_recipes

    rows = {name: _first_sentence(recipe_text(name)) for name in shipped_recipes()}
    width = max(map(len, rows))
    value = [{"name": name, "about": about} for name, about in rows.items()]
    lines = (f"{name:{width}}  {about}" for name, about in rows.items())
    say_result(value, lines, as_json=as_json)


@recipes_app.command("show")
def recipes_show(recipe: Source) -> None:
    """Print a recipe's YAML."""
    from mastershot.recipes.load import recipe_text

    say(*recipe_text(recipe).splitlines())


@recipes_app.command("copy")
def recipes_copy(
    recipe: Source,
    file: Annotated[Path, Argument(metavar="FILE", help="Where the copy goes.")],
) -> None:
    """Copy a recipe, to be changed; an existing file is left alone."""
    from mastershot.recipes.load import recipe_text

    text = recipe_text(recipe)
    try:
        with file.open("x", encoding="utf-8") as copy:
            copy.write(text)
    except FileExistsError as error:
        raise OutputError(f"{file} exists already; name another file") from error
    except OSError as error:
        raise OutputError(f"{file} cannot be written: {error.strerror}") from error
    say(f"{recipe} → {file}")


@recipes_app.command("check")
def recipes_check(recipe: Source, settings: Overrides = None, as_json: Json = False) -> None:
    """Check a recipe and list what it names but is missing; exit 1 if anything is missing."""
    from mastershot.recipes.load import load_recipe

    loaded = load_recipe(recipe, settings or [])
    complain(*loaded.notes)
    problems = loaded.kind.problems(loaded.settings)
    value = {"recipe": loaded.name, "settings": asdict(loaded.settings), "problems": problems}
    lines = [] if problems else [f"{loaded.name} can be run"]
    say_result(value, lines, as_json=as_json, problems=problems)


def _first_sentence(text: str) -> str:
    """Return the first sentence of a recipe's header comment."""
    lines = takewhile(lambda line: line.startswith("#"), text.splitlines())
    return " ".join(line.lstrip("#").strip() for line in lines).partition(". ")[0].rstrip(".")
