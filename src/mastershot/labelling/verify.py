"""Raters' verdicts in tables: who ticked what, confirmed labels, the evaluation subset."""
# N shots, K labels shown of each, U labels shown of all shots, R raters

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import DatasetError
from mastershot.core.labels import Taxonomy
from mastershot.datasets.movieclip import clip_of_video
from mastershot.datasets.tables.records import LabelledShot
from mastershot.labelling.selection import MOVIECLIP_FOLDS, Subset
from mastershot.labelling.verdicts import Verdict

NOT_RATED = -1
"""Stands in the table of ticks where a rater did not see a shot."""


@dataclass(frozen=True, eq=False)
class Ratings:
    """Verdicts as tables; shots are in the order of their names.

    Attributes:
        raters: The people who gave a verdict, in the order of their names.
        num_verdicts: Verdicts that count: the latest of each rater on each shot.
        confirmed: The confirmed labels of each shot, in the order shown; empty for a shot that
            leaves the evaluation set.
        confirmed_table: Whether each label shown was confirmed, best first, shape (N, K); False
            past the last.
        ticks: For each label shown of each shot, 1 where a rater ticked it, 0 where not,
            `NOT_RATED` where they did not see the shot, shape (U, R).
        clips: The clip of each shot.
        clips_of_ticks: The clip that each row of ``ticks`` belongs to.
    """

    raters: tuple[str, ...]
    num_verdicts: int
    confirmed: Mapping[str, tuple[str, ...]]
    confirmed_table: npt.NDArray[np.bool_]
    ticks: IntArray
    clips: tuple[str, ...]
    clips_of_ticks: tuple[str, ...]

    @property
    def dropped(self) -> tuple[str, ...]:
        """The shots that nothing was confirmed of."""
        return tuple(shot for shot, labels in self.confirmed.items() if not labels)


def gather_ratings(verdicts: Iterable[Verdict], *, above_share: float = 0.5) -> Ratings:
    """Return verdicts as tables.

    Of a rater's verdicts on a shot the last counts. A label is confirmed when more than
    ``above_share`` of the shot's raters ticked it; the paper does not state its rule.

    Raises:
        DatasetError: There is no verdict, or a shot was shown with different labels.
    """
    verdicts_of = _verdicts_by_shot(verdicts)
    raters = tuple(sorted({rater for given in verdicts_of.values() for rater in given}))
    shown_of = {shot: next(iter(given.values())).shown for shot, given in verdicts_of.items()}
    table = np.zeros((len(verdicts_of), max(map(len, shown_of.values()))), np.bool_)
    ticks = []
    for row, (shot, given) in enumerate(verdicts_of.items()):
        ticks += [[_tick(given.get(rater), label) for rater in raters] for label in shown_of[shot]]
        for rank, label in enumerate(shown_of[shot]):
            num_ticks = sum(label in verdict.ticked for verdict in given.values())
            table[row, rank] = num_ticks / len(given) > above_share
    return Ratings(
        raters=raters,
        num_verdicts=sum(map(len, verdicts_of.values())),
        confirmed={
            shot: tuple(label for label, holds in zip(shown, row, strict=False) if holds)
            for (shot, shown), row in zip(shown_of.items(), table, strict=True)
        },
        confirmed_table=table,
        ticks=np.array(ticks, np.int64),
        clips=tuple(map(clip_of_shot, shown_of)),
        clips_of_ticks=tuple(clip_of_shot(shot) for shot, shown in shown_of.items() for _ in shown),
    )


def evaluation_subset(confirmed: Mapping[str, tuple[str, ...]], classes: Taxonomy) -> Subset:
    """Return the shots with a confirmed label, ``<video>/<shot file>``, and their classes.

    A label outside the classes is dropped unless `MOVIECLIP_FOLDS` counts it as one (METHODS A6).
    """
    place_of = {label: place for place, label in enumerate(classes.labels)}
    shots, num_outside = [], 0
    for shot, labels in confirmed.items():
        names = [name if name in place_of else MOVIECLIP_FOLDS.get(name) for name in labels]
        places = tuple(dict.fromkeys(place_of[name] for name in names if name in place_of))
        video, _, file = shot.rpartition("/")
        if places:
            shots.append(LabelledShot(video, file, places))
        num_outside += bool(labels) and not places
    num_unsure = sum(not labels for labels in confirmed.values())
    return Subset(classes, tuple(shots), len(confirmed), num_unsure, num_outside, num_held_out=0)


def clip_of_shot(shot: str) -> str:
    """Return the clip of a shot named ``<video>/<shot file>``."""
    return clip_of_video(shot.rpartition("/")[0])


def _verdicts_by_shot(verdicts: Iterable[Verdict]) -> dict[str, dict[str, Verdict]]:
    """Return the latest verdict of each rater on each shot, shots by name."""
    shots: dict[str, dict[str, Verdict]] = {}
    for verdict in verdicts:
        shots.setdefault(verdict.shot, {})[verdict.rater] = verdict
    if not shots:
        raise DatasetError("there is no verdict yet; let people rate the drawn shots first")
    for shot, given in shots.items():
        if len({verdict.shown for verdict in given.values()}) > 1:
            raise DatasetError(
                f"shot {shot} was shown to some raters with other labels than to the rest; "
                "report the verdicts of one labelling at a time"
            )
    return dict(sorted(shots.items()))


def _tick(verdict: Verdict | None, label: str) -> int:
    return NOT_RATED if verdict is None else int(label in verdict.ticked)
