"""The directory of a run: one recipe, one writer at a time."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, TypeGuard

from mastershot.core.errors import OutputError, SettingError
from mastershot.store.files import exclusive, write_whole
from mastershot.training.engine.distributed import is_rank_zero
from mastershot.training.engine.metrics_log import LOG
from mastershot.training.engine.settings import by_current_names

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RECIPE = "recipe.json"


@contextmanager
def open_run_directory(
    out: Path, recipe: "DataclassInstance", *, made: Iterable[str]
) -> Iterator[None]:
    """Hold a run's folder while the block runs; two runs of one folder wait for each other.

    The first of a run's processes holds it for all. The recipe is written into a new folder; in an
    old one it must be the same. ``made`` names what a run makes: a folder that has one of these and
    no recipe is refused.

    Raises:
        SettingError: The folder was begun with another recipe, or holds a run of none.
        OutputError: The folder cannot be written.
    """
    if not is_rank_zero():
        yield
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        with exclusive(out / "lock"):
            _claim(out, recipe, made)
            yield
    except OSError as error:
        raise OutputError(f"{out} cannot be used for a run: {error.strerror or error}") from error


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield where to write a folder; when the block ends, it is moved to its own place."""
    partial = folder.with_name(f"{folder.name}.part")
    rmtree(partial, ignore_errors=True)
    yield partial
    partial.rename(folder)


def _claim(out: Path, recipe: "DataclassInstance", made: Iterable[str]) -> None:
    asked = json.loads(json.dumps(asdict(recipe)))
    path = out / RECIPE
    if not path.exists():
        for name in (*made, LOG):
            if (out / name).exists():
                raise SettingError(f"{out} holds {name} of something else; name another folder")
        write_whole(path, (json.dumps(asked, indent=1, ensure_ascii=False) + "\n").encode())
        return
    try:
        begun = _completed(json.loads(path.read_text("utf-8")), recipe)
    except (ValueError, TypeError, AttributeError) as error:
        raise SettingError(f"{path} is no recipe of a run; name another folder") from error
    difference = _difference(begun, asked)
    if difference:
        raise SettingError(
            f"{out} was begun with another recipe ({difference}); name another folder, or "
            "remove this one"
        )


def _completed(begun: dict[str, Any], recipe: "DataclassInstance") -> dict[str, Any]:
    """Return a recipe of an older version by current names, what it lacks at defaults."""
    begun = by_current_names(begun, [field.name for field in fields(recipe)])
    for field in fields(recipe):
        now = getattr(recipe, field.name)
        if field.name in begun:
            if _is_instance(now) and isinstance(begun[field.name], dict):
                begun[field.name] = _completed(begun[field.name], now)
        elif field.default is not MISSING:
            begun[field.name] = field.default
        elif field.default_factory is not MISSING:
            default = field.default_factory()
            begun[field.name] = asdict(default) if _is_instance(default) else default
    return begun


def _is_instance(value: object) -> TypeGuard["DataclassInstance"]:
    return is_dataclass(value) and not isinstance(value, type)


def _difference(begun: Any, asked: Any, name: str = "") -> str:
    """Return the first setting in which two recipes differ, in words; empty if they are equal."""
    if isinstance(begun, dict) and isinstance(asked, dict):
        pairs = [(key, begun.get(key), asked.get(key)) for key in {**begun, **asked}]
    elif isinstance(begun, list) and isinstance(asked, list) and len(begun) == len(asked):
        pairs = list(zip(map(str, range(len(asked))), begun, asked, strict=True))
    else:
        return "" if begun == asked else f"{name} is {begun!r} there and {asked!r} here"
    below = (_difference(one, other, f"{name}.{key}".strip(".")) for key, one, other in pairs)
    return next((text for text in below if text), "")
