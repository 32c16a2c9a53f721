from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.errors import SettingError
from mastershot.core.settings import (
    Count,
    NotEmpty,
    NotNegative,
    Positive,
    Range,
    Seed,
    Settings,
    Share,
    Text,
    require,
    shortened,
)


@dataclass(frozen=True)
class Inner(Settings):
    steps: Count = 3
    rate: Positive = 0.5


@dataclass(frozen=True)
class Outer(Settings):
    name: Text
    kind: Literal["plain", "odd"] = "plain"
    on: bool = False
    share: Share = 1.0
    decay: NotNegative = 0.0
    seed: Seed = 0
    side: Annotated[int, Range(32, 1024, multiple_of=16)] = 32
    held_out: Annotated[float, Range(0, 1, "()")] = 0.5
    sizes: tuple[Count, ...] = ()
    parts: Annotated[tuple[Inner, ...], NotEmpty()] = (Inner(),)
    inner: Inner = field(default_factory=Inner)

    def _check(self) -> None:
        require(not self.on or self.kind == "odd", "on is for the odd kind")


def test_settings_that_fit_are_plain_frozen_dataclasses() -> None:
    settings = Outer("a", "odd", on=True, share=1, sizes=(1, 2))
    assert asdict(settings)["inner"] == {"steps": 3, "rate": 0.5}
    assert replace(settings, seed=np.int64(5)).seed == 5
    assert settings == replace(settings)
    with pytest.raises(AttributeError):
        settings.name = "b"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": ""}, "name is ''; it must not be empty"),
        ({"name": 3}, "name is 3; it must be text"),
        ({"name": 99 * "x", "kind": 99 * "x"}, "kind is 'x{59}…; it must be one of plain, odd"),
        ({"on": 1}, "on is 1; it must be true or false"),
        ({"on": True}, "on is for the odd kind"),
        ({"share": 1.5}, r"share is 1\.5; it must be in \[0, 1\]"),
        ({"kind": ["plain"]}, r"kind is \['plain'\]; it must be one of plain, odd"),
        ({"on": None}, "on is None; it must be true or false"),
        ({"seed": True}, "seed is True; it must be a whole number"),
        ({"share": True}, "share is True; it must be a finite number"),
        ({"share": float("nan")}, "share is nan; it must be a finite number"),
        ({"decay": float("inf")}, "decay is inf; it must be a finite number"),
        ({"decay": 10**400}, "decay is 10{59}…; it must be a finite number"),
        ({"decay": -1}, "decay is -1; it must be at least 0"),
        ({"seed": 2**31}, r"seed is 2147483648; it must be in \[0, 2,147,483,648\)"),
        ({"seed": 1.0}, r"seed is 1\.0; it must be a whole number"),
        ({"side": 40}, r"side is 40; it must be in \[32, 1,024\], a multiple of 16"),
        ({"held_out": 0.0}, r"held_out is 0\.0; it must be in \(0, 1\)"),
        ({"held_out": 1.0}, r"held_out is 1\.0; it must be in \(0, 1\)"),
        ({"sizes": [1]}, r"sizes is \[1\]; it must be a list"),
        ({"sizes": (1, 0)}, r"sizes\.1 is 0; it must be at least 1"),
        ({"parts": ()}, r"parts is \(\); it must not be empty"),
        ({"parts": (3,)}, r"parts\.0 is 3; it must be lines of `key: value`"),
        ({"inner": {"steps": 3}}, "inner is {'steps': 3}; it must be lines of `key: value`"),
    ],
)
def test_a_value_that_does_not_fit_is_one_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=f"^{sentence}$"):
        Outer(**({"name": "a"} | values))
    with pytest.raises(SettingError, match=r"^rate is 0\.0; it must be above 0$"):
        Inner(rate=0.0)


def test_numbers_of_other_kinds_fit_where_they_are_finite() -> None:
    settings = Outer("a", share=Fraction(1, 3), decay=10**300, side=np.int16(1024))
    assert (settings.share, settings.decay, settings.side) == (Fraction(1, 3), 10**300, 1024)


def test_values_are_compared_with_each_other_only_once_each_fits() -> None:
    with pytest.raises(SettingError, match=r"^share is 2; it must be in \[0, 1\]$"):
        Outer("a", on=True, share=2)


def test_settings_that_extend_others_are_held_to_the_limits_of_both() -> None:
    @dataclass(frozen=True)
    class Wider(Inner):
        width: Annotated[int, Range(0, 64, multiple_of=16)] = 16

    assert Wider(width=0).steps == 3
    for values, name in (({"steps": 0}, "steps"), ({"width": 8}, "width")):
        with pytest.raises(SettingError, match=f"^{name} is "):
            Wider(**values)


@given(st.integers(-5, 5), st.integers(-5, 5), st.sampled_from(["[]", "[)", "(]", "()"]))
def test_the_ends_of_a_range_belong_to_it_as_its_brackets_say(
    low: int, high: int, ends: str
) -> None:
    limit = Range(low, high, ends)
    numbers = [number for number in range(-9, 10) if limit.holds(number)]
    assert numbers == list(range(low + (ends[0] == "("), high + (ends[1] == "]")))
    assert not limit.holds(float("nan"))
    assert str(limit) == f"be in {ends[0]}{low}, {high}{ends[1]}"


@pytest.mark.parametrize(("length", "shown"), [(58, 58), (59, 58)])
def test_a_value_in_a_sentence_is_cut_after_sixty_characters(length: int, shown: int) -> None:
    text = shortened("\n" + (length - 2) * "x")  # In quotes, a line break as two characters.
    assert "\n" not in text
    assert text == "'\\n" + (shown - 2) * "x" + ("'" if length == shown else "x…")
