"""Settings from plain values: former names, overrides, unknown and missing keys, nested places."""

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING
from difflib import get_close_matches
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from mastershot.core.errors import SettingError
from mastershot.core.settings import Settings, shortened
from mastershot.datasets.plain_yaml import parse_yaml
from mastershot.training.engine.settings import by_current_names

SettingsType = TypeVar("SettingsType", bound=Settings)


class Override(str):
    """A value as it was typed: text where a setting is text, else YAML."""


def build(kind: type[SettingsType], values: Any, name: str = "") -> SettingsType:
    """Return settings from a mapping of their fields; lists stand for tuples.

    Args:
        kind: The class of the settings.
        values: Its fields by name, of plain values by current names.
        name: Dotted name of the place, for messages.

    Raises:
        SettingError: A key is unknown or missing, or a value is none that its field may hold.
    """
    if not isinstance(values, Mapping):
        raise SettingError(f"{name} must be lines of `key: value`; found {shortened(values)}")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key in values:
        if key not in fields:
            hint = did_you_mean(str(key), list(fields)) or f"; known are {', '.join(fields)}"
            raise SettingError(f"{_dotted(name, key)} is unknown{hint}")
    for field in fields.values():
        required = field.default is MISSING and field.default_factory is MISSING
        if required and field.name not in values:
            raise SettingError(f"{_dotted(name, field.name)} is missing")
    types = get_type_hints(kind)
    made = {key: _made(types[key], value, _dotted(name, key)) for key, value in values.items()}
    try:
        return kind(**made)
    except SettingError as error:
        raise SettingError(_dotted(name, error)) from error


def by_names_of(kind: Any, values: Any, notes: list[str], name: str = "") -> Any:
    """Return plain values for settings by the current names of their fields, overrides parsed.

    Args:
        kind: The type of the values.
        values: Plain values, and `Override`; a mapping may stand for a few items of a list.
        notes: A sentence is added for each former name.
        name: Dotted name of the place, for messages.

    Raises:
        SettingError: A setting is given by its former and its current name, or an override is no
            YAML.
    """
    if isinstance(values, Override):
        is_text = kind is str or get_origin(kind) is Literal
        values = str(values) if is_text else parse_yaml(values, name)
    if dataclasses.is_dataclass(kind) and isinstance(values, Mapping):
        types = get_type_hints(kind)

        def note(former: str, current: str) -> None:
            notes.append(f"{_dotted(name, former)} is now called {_dotted(name, current)}")

        try:
            values = by_current_names(values, types, note)
        except SettingError as error:
            raise SettingError(_dotted(name, error)) from error
        return {
            key: by_names_of(types.get(key), value, notes, _dotted(name, key))
            for key, value in values.items()
        }
    item = get_args(kind)[0] if get_origin(kind) is tuple else None
    if isinstance(values, list):
        return [by_names_of(item, one, notes, f"{name}.{i}") for i, one in enumerate(values)]
    if isinstance(values, Mapping):
        return {key: by_names_of(item, one, notes, f"{name}.{key}") for key, one in values.items()}
    return values


def laid_over(values: Any, overlay: Any, name: str = "", *, depth: int = sys.maxsize) -> Any:
    """Return plain values with those of an overlay in their places.

    Args:
        values: Mappings and lists of plain values.
        overlay: Nested mappings of what differs; in a list, items go by their place.
        name: Dotted name of the place, for messages.
        depth: Levels that are merged; values of the overlay below them replace what was there.

    Raises:
        SettingError: The overlay names an item that a list lacks, or a key within a plain value.
    """
    if not depth or not isinstance(overlay, Mapping):
        return overlay
    if isinstance(values, list):
        items = {str(place): value for place, value in enumerate(values)}
        for key in overlay:
            if key not in items:
                raise SettingError(
                    f"{name}.{key} names no item: {name} holds {len(values)}, counted from 0"
                )
        return list(laid_over(items, overlay, name, depth=depth).values())
    if not isinstance(values, Mapping):
        raise SettingError(f"{name} holds no further settings")
    return dict(values) | {
        key: laid_over(values.get(key, {}), value, _dotted(name, key), depth=depth - 1)
        for key, value in overlay.items()
    }


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a hint at the known word that is closest, or nothing."""
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _made(kind: Any, value: Any, name: str) -> Any:
    """Return a value of a field: nested settings built, lists as tuples, numbers as floats.

    YAML takes the number 1e-3 for text. What cannot be converted is left to the field's own check.
    """
    if isinstance(kind, type) and issubclass(kind, Settings):
        return build(kind, value, name)
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_made(get_args(kind)[0], item, f"{name}.{i}") for i, item in enumerate(value))
    if kind is float and type(value) in (int, str):
        with suppress(ValueError, OverflowError):
            return float(value)
    return value


def _dotted(name: str, key: object) -> str:
    return f"{name}.{key}" if name else str(key)
