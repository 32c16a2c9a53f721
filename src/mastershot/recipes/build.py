"""A frozen dataclass from plain values: every key known, every value of its type."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from difflib import get_close_matches
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from mastershot.core.errors import SettingError
from mastershot.training.engine.settings import by_current_names

Settings = TypeVar("Settings")
_WORDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
_MAX_SHOWN = 60


@dataclass(frozen=True)
class Override:
    """A value as it was typed: text where a setting is text, else parsed.

    Attributes:
        text: What was typed.
        parse: Returns the value a text stands for, given a name for messages.
    """

    text: str
    parse: Callable[[str, str], Any]


def build(kind: type[Settings], values: Any, name: str = "") -> Settings:
    """Return an instance of a dataclass from a mapping of its fields.

    Args:
        kind: A dataclass of text, numbers, booleans, tuples of one type, and dataclasses.
        values: Its fields by name; lists stand for tuples.
        name: Dotted name of the place, for messages.

    Raises:
        SettingError: A key is unknown or missing, or a value has the wrong type or no sense.
    """
    if not isinstance(values, Mapping):
        raise SettingError(f"{name} must be lines of `key: value`; found {shortened(values)}")
    assert dataclasses.is_dataclass(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    values = by_current_names(values, fields)
    for key in values:
        if key not in fields:
            hint = did_you_mean(str(key), list(fields)) or f"; known are {', '.join(fields)}"
            raise SettingError(f"{_dotted(name, key)} is unknown{hint}")
    for field in fields.values():
        required = field.default is MISSING and field.default_factory is MISSING
        if required and field.name not in values:
            raise SettingError(f"{_dotted(name, field.name)} is missing")
    types = get_type_hints(kind)
    made = {key: _convert(types[key], value, _dotted(name, key)) for key, value in values.items()}
    return kind(**made)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a hint at the known word that is closest, or nothing."""
    close = get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def shortened(value: Any) -> str:
    """Return a value as it may stand in a sentence."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _convert(kind: Any, value: Any, name: str) -> Any:
    if isinstance(value, Override):
        value = value.text if kind is str else value.parse(value.text, name)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise SettingError(f"{name} must be a list; found {shortened(value)}")
        item = get_args(kind)[0]
        return tuple(_convert(item, one, f"{name}.{i}") for i, one in enumerate(value))
    if dataclasses.is_dataclass(kind):
        assert isinstance(kind, type)
        return build(kind, value, name)
    if kind is float:
        return _number(value, name)
    if type(value) is not kind:
        raise SettingError(f"{name} must be {_WORDS[kind]}; found {shortened(value)}")
    return value


def _number(value: Any, name: str) -> float:
    """Return a number; also of the text 1e-3, which YAML takes for a word."""
    try:
        if type(value) in (int, float, str):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise SettingError(f"{name} must be a number; found {shortened(value)}")


def _dotted(name: str, key: object) -> str:
    return f"{name}.{key}" if name else str(key)
