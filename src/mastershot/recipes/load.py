"""Recipes from YAML, checked to the last key before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from functools import reduce
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from mastershot.core.errors import SettingError
from mastershot.core.settings import shortened
from mastershot.datasets.plain_yaml import parse_yaml
from mastershot.recipes.build import Override, build, by_names_of, did_you_mean, laid_over
from mastershot.recipes.schema import RECIPES, RecipeKind

_MAX_BYTES = 1 << 20
_KIND = "recipe"  # the key that names the kind
_SMALL = "debug/"
# Stories whose recipes have debug versions, and what these are.
_STORIES = {
    "movies2scenes": "Two steps of each stage of {}, in seconds; the result is of no use.",
    "downstream": "{} in seconds, on drawn stand-ins for labels and features: of no use otherwise.",
    "movieclip": "{} with a small network on small frames; docs/movieclip.md has its figures.",
}


@dataclass(frozen=True)
class Recipe:
    """A recipe, ready to run.

    Attributes:
        name: A shipped name such as ``distil/starter``, or the stem of its file.
        kind: What runs it.
        settings: Settings of the kind.
        notes: Sentences on what the user should change in it, such as former names of settings.
    """

    name: str
    kind: RecipeKind
    settings: Any
    notes: tuple[str, ...] = ()


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that come with the package.

    Each of Movies2Scenes, MovieCLIP and its downstream tasks has a debug version of small sizes,
    such as ``debug/movies2scenes-…``.
    """
    folder = _shipped_folder()
    names = [str(path.relative_to(folder).with_suffix("")) for path in folder.glob("*/*.yaml")]
    small = [
        _SMALL + name.replace("/", "-", 1) for name in names if name.partition("/")[0] in _STORIES
    ]
    return sorted(names + small)


def recipe_text(source: str) -> str:
    """Return the YAML of a recipe by shipped name, or from a file.

    Raises:
        SettingError: The name is unknown, or the file cannot be read as text.
    """
    names = shipped_recipes()
    story, _, name = source.removeprefix(_SMALL).partition("-")
    if source in names and source.startswith(_SMALL) and story in _STORIES:
        return _debug_version(story, name)
    path = Path(source).expanduser()
    if source in names:
        path = _shipped_folder() / f"{source}.yaml"
    if not path.is_file():
        raise SettingError(
            f"recipe {source!r} is neither a file nor one of {', '.join(names)}"
            f"{did_you_mean(source, names)}"
        )
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SettingError(f"recipe {path} has more than {_MAX_BYTES} bytes; it is no recipe")
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"recipe {path} cannot be read as UTF-8 text ({error})") from error


def load_recipe(source: str, overrides: Sequence[str] = ()) -> Recipe:
    """Return the recipe of a shipped name or file, with settings overridden.

    Args:
        source: A name of `shipped_recipes`, or a file.
        overrides: Each ``key=value``; a key inside another is dotted, and an item of a list goes
            by its place: ``training.steps=100``, ``frames.0.path=films``.

    Raises:
        SettingError: The recipe is unknown, unreadable or no YAML, its kind or a key is unknown,
            a value is of the wrong type or makes no sense, or an override is no ``key=value``.
    """
    values, kind_name = _values_of(recipe_text(source), source)
    kind = RECIPES[kind_name]
    notes: list[str] = []
    try:
        values = by_names_of(kind.settings, values, notes)
        for text in overrides:
            keys, overlay = _override(text)
            overlay = by_names_of(kind.settings, overlay, notes)
            values = laid_over(values, overlay, depth=len(keys))
        settings = build(kind.settings, values)
    except SettingError as error:
        raise SettingError(f"recipe {source}: {error}") from error
    name = source if source in shipped_recipes() else Path(source).stem
    notes = [f"recipe {source}: {note}" for note in dict.fromkeys(notes)]
    return Recipe(name, kind, settings, tuple(notes))


def _debug_version(story: str, name: str) -> str:
    """Return the YAML of a story's recipe with small sizes laid over its own."""
    full, sizes_file = f"{story}/{name}", f"small_{story}.yaml"
    values, kind = _values_of(recipe_text(full), full)
    known = {field.name for field in fields(RECIPES[kind].settings)}
    sizes = parse_yaml((_shipped_folder() / sizes_file).read_text("utf-8"), sizes_file)
    for patterns, overlay in sizes.items():
        if any(fnmatch(name, pattern) for pattern in patterns.split()):
            values = laid_over(values, {key: overlay[key] for key in overlay if key in known})
    about = f"# {_STORIES[story].format(full)}\n"
    return about + yaml.safe_dump(
        {_KIND: kind, **values}, sort_keys=False, width=99, default_flow_style=None
    )


def _values_of(text: str, source: str) -> tuple[dict[str, Any], str]:
    """Return the values of a recipe's YAML, and the name of its kind."""
    values = parse_yaml(text, f"recipe {source}")
    if values is None:
        raise SettingError(f"recipe {source} is empty; it begins with `recipe: KIND`")
    if not isinstance(values, dict):
        raise SettingError(
            f"recipe {source} must be lines of `key: value`; found {shortened(values)}"
        )
    kind = values.pop(_KIND, None)
    known = kind if isinstance(kind, str) else ""
    if known not in RECIPES:
        raise SettingError(
            f"recipe {source} must begin with `recipe: KIND`, one of {', '.join(RECIPES)}; "
            f"found {shortened(kind)}{did_you_mean(known, list(RECIPES))}"
        )
    return values, known


def _override(text: str) -> tuple[list[str], Any]:
    """Return the keys of a ``key=value``, and nested mappings that lead by them to the value."""
    dotted, equals, value = text.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise SettingError(f"{text!r} is no key=value; write such as training.steps=100")
    if keys == [_KIND]:
        raise SettingError("the kind of a recipe cannot be overridden; take another recipe")
    overlay: Any = Override(value)
    return keys, reduce(lambda inner, key: {key: inner}, reversed(keys), overlay)


def _shipped_folder() -> Path:
    return Path(str(resources.files("mastershot"))) / "recipes"
