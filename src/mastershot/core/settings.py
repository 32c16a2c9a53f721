"""Settings whose fields declare what they may hold, so that a wrong value is one sentence."""

import math
import sys
from dataclasses import dataclass, fields, is_dataclass
from numbers import Integral, Real
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from mastershot.core.errors import SettingError

_MAX_SHOWN = 60


@dataclass(frozen=True)
class Range:
    """A limit of numbers, from `low` to `high`; as text it completes "it must …".

    Attributes:
        low: The lower end.
        high: The upper end.
        ends: ``[`` or ``]`` where an end belongs to the range, ``(`` or ``)`` where it does not.
        multiple_of: The numbers are multiples of it; 0 is any number.
    """

    low: float
    high: float = math.inf
    ends: str = "[]"
    multiple_of: int = 0

    def holds(self, value: float) -> bool:
        """Return True if a number is in the range."""
        above = value >= self.low if self.ends[0] == "[" else value > self.low
        below = value <= self.high if self.ends[1] == "]" else value < self.high
        return above and below and not (self.multiple_of and value % self.multiple_of)

    def __str__(self) -> str:
        bounds = f"in {self.ends[0]}{self.low:,}, {self.high:,}{self.ends[1]}"
        if math.isinf(self.high):
            bounds = f"{'at least' if self.ends[0] == '[' else 'above'} {self.low:,}"
        return f"be {bounds}" + (f", a multiple of {self.multiple_of}" if self.multiple_of else "")


class NotEmpty:
    """A limit of text and lists: they hold something."""

    def holds(self, value: Any) -> bool:
        """Return True if there is something in it."""
        return len(value) > 0

    def __str__(self) -> str:
        return "not be empty"


Text = Annotated[str, NotEmpty()]
Count = Annotated[int, Range(1)]
CountOrNone = Annotated[int, Range(0)]
Seed = Annotated[int, Range(0, 2**31, "[)")]
Positive = Annotated[float, Range(0, ends="(]")]
NotNegative = Annotated[float, Range(0)]
Share = Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class Settings:
    """Base of frozen dataclasses whose fields declare their values by type and limits.

    Fields are text, whole numbers, finite numbers, booleans, a choice (`Literal`), tuples of one
    type, or other settings; `Annotated` adds limits.

    Raises:
        SettingError: A value is none that its field may hold, or two contradict each other.
    """

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self), include_extras=True)
        for field in fields(self):
            _require_fit(field.name, hints[field.name], getattr(self, field.name))
        self._check()

    def _check(self) -> None:
        """Raise `SettingError` where values contradict each other; it begins with a field's name.

        What builds nested settings puts the name of their place before the sentence.
        """


def require(holds: bool, sentence: str) -> None:
    """Raise a `SettingError` with the sentence unless the condition holds."""
    if not holds:
        raise SettingError(sentence)


def shortened(value: Any) -> str:
    """Return a value as it may stand in a sentence."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _require_fit(name: str, kind: Any, value: Any) -> None:
    kind, *limits = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    wanted, fits = _type_fit(kind, value)
    for limit in limits:
        if fits and not limit.holds(value):
            wanted, fits = str(limit), False
    require(fits, f"{name} is {shortened(value)}; it must {wanted}")
    if isinstance(value, tuple):
        for place, item in enumerate(value):
            _require_fit(f"{name}.{place}", get_args(kind)[0], item)


def _type_fit(kind: Any, value: Any) -> tuple[str, bool]:
    """Return what a value of a type must do, in words, and whether this one does."""
    if get_origin(kind) is Literal:
        return f"be one of {', '.join(get_args(kind))}", value in get_args(kind)
    if get_origin(kind) is tuple:
        return "be a list", isinstance(value, tuple)
    if is_dataclass(kind):
        return "be lines of `key: value`", isinstance(value, kind)  # type: ignore[arg-type]
    if kind is float:
        number = isinstance(value, Real) and not isinstance(value, bool)
        return "be a finite number", number and abs(value) <= sys.float_info.max
    is_bool = isinstance(value, bool)
    if kind is int:
        return "be a whole number", isinstance(value, Integral) and not is_bool
    return ("be true or false", is_bool) if kind is bool else ("be text", isinstance(value, str))
