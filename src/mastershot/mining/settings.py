"""Settings of mining. Light to import, so that recipes can hold them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from mastershot.core.settings import Count, CountOrNone, NotNegative, Range, Settings

WINDOW_SHOTS = 9
"""Shots of a scene (Movies2Scenes section 4.2.1)."""

KEEP = 0.5
"""Share of a movie pair's scene pairs that is kept (Movies2Scenes section 4.1.2)."""


@dataclass(frozen=True)
class CoWatchSettings(Settings):
    """Which views count as one after the other, and how movies rank; the paper publishes neither.

    Attributes:
        rank_by: ``count`` ranks by c(a, b), as the paper words it; ``lift`` by
            c(a, b) / (expected + prior), where expected = c(a, any) c(any, b) / c(any, any) is
            what the popularity of both alone would give; without the prior it is e to the PMI.
        next_items: How many of a viewer's next movies count; 0 is all later ones.
        within_days: How much later the later one may be viewed; 0 is any time.
        min_viewers: Pairs with fewer viewers are left out.
        prior: Expected viewers added to each pair where ranked by lift, so that two movies that
            one viewer happened to see are not the most similar of all.
    """

    rank_by: Literal["lift", "count"] = "lift"
    next_items: CountOrNone = 5
    within_days: NotNegative = 0.0
    min_viewers: Count = 2
    prior: NotNegative = 1.0


@dataclass(frozen=True)
class PairSettings(Settings):
    """How scenes are paired (B4); `mine_scene_pairs` says more.

    Attributes:
        window: Shots a scene, n.
        keep: Share of a movie pair's scene pairs that is kept.
        consider: Share of all entries that can become pairs.
    """

    window: Count = WINDOW_SHOTS
    keep: Annotated[float, Range(0, 1, "(]")] = KEEP
    consider: Annotated[float, Range(0, 1, "(]")] = 1.0
