"""Recipes from YAML, checked to the last key before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from mastershot.core.errors import SettingError
from mastershot.recipes.build import Override, build, did_you_mean, shortened
from mastershot.recipes.schema import RECIPES, RecipeKind

_MAX_BYTES = 1 << 20
_KIND = "recipe"  # the key that names the kind


@dataclass(frozen=True)
class Recipe:
    """A recipe, ready to run.

    Attributes:
        name: A shipped name such as ``distil/starter``, or the stem of its file.
        kind: What runs it.
        settings: An instance of the kind's dataclass.
    """

    name: str
    kind: RecipeKind
    settings: Any


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that come with the package."""
    folder = _shipped_folder()
    return sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.glob("*/*.yaml"))


def recipe_text(source: str) -> str:
    """Return the YAML of a recipe by shipped name, or from a file.

    Raises:
        SettingError: The name is unknown, or the file cannot be read as text.
    """
    shipped = source in shipped_recipes()
    path = _shipped_folder() / f"{source}.yaml" if shipped else Path(source).expanduser()
    if not path.is_file():
        names = shipped_recipes()
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
    values = _mapping(parse_yaml(recipe_text(source), f"recipe {source}"), source)
    kind = values.pop(_KIND, None)
    known = kind if isinstance(kind, str) else ""
    if known not in RECIPES:
        raise SettingError(
            f"recipe {source} must begin with `recipe: KIND`, one of {', '.join(RECIPES)}; "
            f"found {shortened(kind)}{did_you_mean(known, list(RECIPES))}"
        )
    for text in overrides:
        _override(values, text)
    try:
        settings = build(RECIPES[known].settings, values)
    except SettingError as error:
        raise SettingError(f"recipe {source}: {error}") from error
    name = source if source in shipped_recipes() else Path(source).stem
    return Recipe(name, RECIPES[known], settings)


def parse_yaml(text: str, name: str) -> Any:
    """Return the value of a YAML text of plain values: no anchors, no tags, no key twice.

    Raises:
        SettingError: It is not such a text.
    """
    try:
        return yaml.load(text, _PlainLoader)
    except yaml.YAMLError as error:
        raise SettingError(f"{name} is not plain YAML: {_one_line(error)}") from error
    except RecursionError as error:
        raise SettingError(f"{name} is not plain YAML: it is nested too deep") from error
    except ValueError as error:  # such as a date of the 32nd
        raise SettingError(f"{name} holds a value that means nothing: {error}") from error


class _PlainLoader(yaml.SafeLoader):
    """Takes plain values alone: an alias can stand for a billion others."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.composer.ComposerError(
                None, None, "anchors and aliases are not taken; write it out", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} stands there twice; keep one", node.start_mark
                )
        return super().construct_mapping(node, deep)


def _mapping(value: Any, source: str) -> dict[str, Any]:
    if value is None:
        raise SettingError(f"recipe {source} is empty; it begins with `recipe: KIND`")
    if not isinstance(value, dict):
        raise SettingError(
            f"recipe {source} must be lines of `key: value`; found {shortened(value)}"
        )
    return value


def _override(values: dict[str, Any], text: str) -> None:
    """Put a ``key=value`` into the values of a recipe."""
    dotted, equals, value = text.partition("=")
    keys = dotted.strip().split(".")
    if not equals or not all(keys):
        raise SettingError(f"{text!r} is no key=value; write such as training.steps=100")
    if keys == [_KIND]:
        raise SettingError("the kind of a recipe cannot be overridden; take another recipe")
    inner: Any = values
    for depth, key in enumerate(keys):
        last = depth == len(keys) - 1
        if isinstance(inner, list):
            if not key.isdecimal() or int(key) >= len(inner):
                raise SettingError(
                    f"{text!r} names no item: {'.'.join(keys[:depth])} holds {len(inner)}, "
                    "counted from 0"
                )
            place: Any = int(key)
        elif isinstance(inner, dict):
            place = key
            inner.setdefault(key, {})
        else:
            raise SettingError(f"{text!r}: {'.'.join(keys[:depth])} holds no further settings")
        if last:
            inner[place] = Override(value, parse_yaml)
        inner = inner[place]


def _shipped_folder() -> Path:
    return Path(str(resources.files("mastershot"))) / "recipes"


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    at = f", line {mark.line + 1}" if mark is not None else ""
    return f"{getattr(error, 'problem', None) or str(error).splitlines()[0]}{at}"
