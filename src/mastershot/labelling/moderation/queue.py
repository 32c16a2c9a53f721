"""Which moderation intervals and unflagged shots people review, in which order, and the file."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from mastershot.core.errors import DatasetError, SettingError
from mastershot.core.files import written_whole
from mastershot.core.lanes import ModerationInterval
from mastershot.core.time import format_clock
from mastershot.core.timeline import Timeline
from mastershot.datasets.files import read_text
from mastershot.labelling.moderation.policy import Policy
from mastershot.labelling.splits import seeded_key
from mastershot.labelling.verdicts import COLUMNS

SCHEMA = "mastershot/moderation-queue/1"
CONFIRM, REJECT, UNSURE, NONE = "confirm", "reject", "unsure", "none"
FLAG_CHOICES = (CONFIRM, REJECT, UNSURE)

_SHEET = (*COLUMNS, "note", "film", "from", "to", "class", "source", "severity", "score")


@dataclass(frozen=True, slots=True)
class QueueItem:
    """An interval to judge, or an unflagged shot to look for what was missed.

    Attributes:
        id: Id of the interval or the shot.
        kind: Which of the two it is.
        film: Name of its film's file.
        start_s: When it starts, on the film's own clock.
        end_s: When it ends.
        choices: What a reviewer can tick: of an interval one of `FLAG_CHOICES`, of a shot classes
            of the policy, or ``none``, or ``unsure``.
        second: Whether a second person must review it, too.
        name: The class of an interval.
        source: Whether that is seen or heard.
        model: What found it.
        severity: How grave the policy holds it; 0 of a shot.
        score: Its score.
    """

    id: str
    kind: Literal["flag", "shot"]
    film: str
    start_s: float
    end_s: float
    choices: tuple[str, ...]
    second: bool
    name: str = ""
    source: str = ""
    model: str = ""
    severity: int = 0
    score: float = 0.0


@dataclass(frozen=True)
class Queue:
    """What people review, in their order.

    Attributes:
        policy: Name of the policy that flagged the intervals.
        fingerprint: That of the policy.
        guidelines: By which words a reviewer decides, by class.
        seed: Settled which shots, and which second reviews.
        num_flags: How many intervals there are, drawn or not.
        num_unflagged: How many shots no interval touches, of which shots are drawn.
        uncovered: What was not looked or listened for, by film.
        items: Intervals, the gravest first and of equal ones the one of the highest score, then
            shots in random order.
    """

    policy: str
    fingerprint: str
    guidelines: Mapping[str, str]
    seed: int
    num_flags: int
    num_unflagged: int
    uncovered: Mapping[str, tuple[str, ...]]
    items: tuple[QueueItem, ...]

    def of_kind(self, kind: str) -> list[QueueItem]:
        """Return the intervals, or the shots."""
        return [item for item in self.items if item.kind == kind]


def draw_queue(
    films: Sequence[tuple[str, Timeline]],
    policy: Policy,
    *,
    num_flags: int | None = None,
    num_shots: int = 0,
    seed: int = 0,
) -> Queue:
    """Return what is to be reviewed of films that follow one policy.

    Shots are drawn at random of all that no interval touches; the policy's share of second reviews
    is drawn of intervals and of shots, at least one of each there are. All draws depend on the seed
    and on ids alone, not on the order of the films.

    Args:
        films: The name of each film's file, and its timeline.
        policy: The policy.
        num_flags: The gravest so many; None takes all.
        num_shots: How many unflagged shots; all where there are fewer.
        seed: Settles the draws.

    Raises:
        SettingError: A number is below 0, or there is nothing to review.
    """
    if num_shots < 0 or (num_flags is not None and num_flags < 0):
        raise SettingError("a queue of fewer than 0 items means nothing; draw 0 or more")
    flags = [(name, one) for name, film in films for one in film.moderation or ()]
    flags.sort(key=lambda each: (-each[1].severity, -each[1].score, each[1].id))
    touched = {shot for _, one in flags for shot in one.shots}
    unflagged = [
        (name, shot) for name, film in films for shot in film.shots if shot.id not in touched
    ]
    unflagged.sort(key=lambda each: seeded_key(seed, each[1].id))
    drawn = flags if num_flags is None else flags[:num_flags]
    choices = (*(rule.name for rule in policy.classes), NONE, UNSURE)
    items = [_flag_item(name, one) for name, one in drawn] + [
        QueueItem(shot.id, "shot", name, shot.span.start_s, shot.span.end_s, choices, False)
        for name, shot in unflagged[:num_shots]
    ]
    if not items:
        raise SettingError(
            f"there is nothing to review: policy {policy.name} flags no interval of these films, "
            "and no unflagged shot is drawn; --shots N draws some to look for what was missed"
        )
    twice = _second_reviews(items, policy.second_review, seed)
    return Queue(
        policy=policy.name,
        fingerprint=policy.fingerprint,
        guidelines={rule.name: rule.guideline for rule in policy.classes},
        seed=seed,
        num_flags=len(flags),
        num_unflagged=len(unflagged),
        uncovered={
            name: tuple(
                f"{row.name} ({row.source})"
                for row in film.moderation_coverage or ()
                if row.status != "covered"
            )
            for name, film in films
        },
        items=tuple(replace(item, second=item.id in twice) for item in items),
    )


def write_queue(path: Path, queue: Queue) -> None:
    """Write a queue as JSON.

    Raises:
        OutputError: The file cannot be written; an earlier one stays.
    """
    with written_whole(path) as file:
        json.dump({"schema": SCHEMA} | asdict(queue), file, indent=1, ensure_ascii=False)
        file.write("\n")


def read_queue(path: str | Path) -> Queue:
    """Return the queue that `write_queue` wrote.

    Raises:
        DatasetError: The file is unreadable, or is no queue.
    """
    text = read_text(Path(path), what="queue")
    try:
        value = json.loads(text)
        if value.pop("schema") != SCHEMA:
            raise ValueError(f"it is not of schema {SCHEMA}")
        items = tuple(
            QueueItem(**one | {"choices": tuple(one["choices"])}) for one in value["items"]
        )
        numbers = [value["seed"], value["num_flags"], value["num_unflagged"]]
        guidelines = dict(value["guidelines"])
        texts = [value["policy"], value["fingerprint"], *guidelines, *guidelines.values()]
        for item in items:
            texts += [item.id, item.film, item.kind, item.name, item.source, item.model]
            texts += item.choices
            numbers += [item.start_s, item.end_s, item.severity, item.score]
        if not all(isinstance(one, int | float) and isfinite(one) for one in numbers):
            raise TypeError("a number is none")
        if not all(isinstance(one, str) for one in texts):
            raise TypeError("an item holds no texts")
        for item in items:
            _require_item(item, guidelines)
        uncovered = {film: tuple(names) for film, names in value["uncovered"].items()}
        return Queue(**value | {"items": items, "uncovered": uncovered})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DatasetError(
            f"{path} is no queue of moderation ({error}); `mastershot moderation queue` makes one"
        ) from error


def _require_item(item: QueueItem, guidelines: Mapping[str, str]) -> None:
    """Raise `ValueError` where an item cannot be judged by the guidelines."""
    if item.kind not in ("flag", "shot") or not isinstance(item.second, bool):
        raise ValueError(f"item {item.id} is neither an interval nor a shot")
    if item.kind == "flag" and (item.name not in guidelines or item.choices != FLAG_CHOICES):
        raise ValueError(f"interval {item.id} is of no class of the policy, or offers other ticks")


def write_sheet(path: Path, items: Sequence[QueueItem]) -> None:
    """Write a table of verdicts with a row for each item, without reviewer and ticks.

    Its first columns are those of ``mastershot verify``, then a note; the rest is for reading.

    Raises:
        OutputError: The file cannot be written; an earlier one stays.
    """
    with written_whole(path, newline="") as file:
        writer = csv.DictWriter(file, _SHEET, restval="")
        writer.writeheader()
        for item in items:
            row: dict[str, Any] = {"shot": item.id, "shown": ";".join(item.choices)}
            row |= {"film": item.film, "from": format_clock(item.start_s)}
            row["to"] = format_clock(item.end_s)
            if item.kind == "flag":
                row |= {"class": item.name, "source": item.source}
                row |= {"severity": item.severity, "score": item.score}
            writer.writerow(row)


def _flag_item(film: str, one: ModerationInterval) -> QueueItem:
    found_by = one.name, one.source, one.model, one.severity, one.score
    return QueueItem(one.id, "flag", film, one.start_s, one.end_s, FLAG_CHOICES, False, *found_by)


def _second_reviews(items: Sequence[QueueItem], share: float, seed: int) -> set[str]:
    twice: set[str] = set()
    for kind in ("flag", "shot"):
        ids = [item.id for item in items if item.kind == kind]
        count = max(1, round(share * len(ids))) if share > 0 and ids else 0
        twice |= set(sorted(ids, key=lambda one: seeded_key(seed, f"second\n{one}"))[:count])
    return twice
