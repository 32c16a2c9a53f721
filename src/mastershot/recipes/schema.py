"""The kinds of recipes: one visible table from a YAML's first line to what it sets and runs.

A recipe holds only what differs from the defaults of its dataclass. To offer another kind, write
its dataclass and its runner, and add a row.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mastershot.core.errors import MastershotError
from mastershot.training.settings import DistilRecipe, Watch, missing_inputs


@dataclass(frozen=True)
class RunResult:
    """What a run made.

    Attributes:
        path: The folder or file to go on with.
        figures: What was measured, ready for JSON.
        notes: Sentences the user should read, such as which files could not.
    """

    path: Path
    figures: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecipeKind:
    """One row of the table.

    Attributes:
        settings: The dataclass whose fields a recipe sets.
        run: Runs settings in a folder, telling of progress; a run that was stopped goes on.
        problems: Says what the settings name that is not there, a sentence each.
    """

    settings: type[Any]
    run: Callable[[Any, Path, Watch], RunResult]
    problems: Callable[[Any], list[str]]


def _distil(recipe: DistilRecipe, out: Path, watch: Watch) -> RunResult:
    try:
        from mastershot.training.distil import distil
        from mastershot.training.frames import unread_files
    except ImportError as error:
        if not (error.name or "").startswith("lightning"):
            raise
        raise MastershotError(
            "training needs lightning; `pip install 'mastershot[train]'` brings it"
        ) from error
    student = distil(recipe, out, watch)
    said = json.loads((student / "student.json").read_text("utf-8"))
    unread = unread_files(out)
    notes = (
        (f"files that could not be read: {len(unread)}, the first: {unread[0]}",) if unread else ()
    )
    return RunResult(student, {"agreement": said["agreement"], "unread": unread}, notes)


RECIPES = {"distil": RecipeKind(DistilRecipe, _distil, missing_inputs)}
