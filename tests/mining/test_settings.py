import math

import pytest

from mastershot.core.errors import SettingError
from mastershot.mining.settings import CoWatchSettings, PairSettings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rank_by": "cosine"}, "rank_by is 'cosine'; it must be one of lift, count"),
        ({"next_items": -1}, "next_items is -1; it must be at least 0"),
        ({"within_days": -1.0}, "within_days is -1.0; it must be at least 0"),
        ({"min_viewers": 0}, "min_viewers is 0; it must be at least 1"),
        ({"min_viewers": True}, "min_viewers is True; it must be a whole number"),
        ({"next_items": 2.0}, "next_items is 2.0; it must be a whole number"),
        ({"within_days": math.inf}, "within_days is inf; it must be a finite number"),
        ({"prior": math.nan}, "prior is nan; it must be a finite number"),
        ({"prior": -1.0}, "prior is -1.0; it must be at least 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        CoWatchSettings(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 0}, "window is 0; it must be at least 1"),
        ({"keep": 0.0}, r"keep is 0.0; it must be in \(0, 1\]"),
        ({"consider": 0}, r"consider is 0; it must be in \(0, 1\]"),
        ({"consider": 1.5}, r"consider is 1.5; it must be in \(0, 1\]"),
    ],
)
def test_shares_of_nothing_or_of_more_than_all_are_refused(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingError, match=f"^{message}$"):
        PairSettings(**settings)  # type: ignore[arg-type]


def test_the_ends_of_the_limits_are_settings() -> None:
    assert CoWatchSettings("count", 0, 0.0, min_viewers=1, prior=0).prior == 0
    assert PairSettings(window=1, keep=1, consider=1e-300).keep == 1
