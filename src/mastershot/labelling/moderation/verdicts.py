"""Reviewers' verdicts on a queue: read from tables, and kept in a log that only grows.

Each line of the log names who decided what, when it was decided and when it was entered, and what
the same reviewer had said before; it also holds the digest of the line before it, so that a line
that was changed or taken out later is noticed.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from mastershot.core.errors import DatasetError, OutputError
from mastershot.datasets.files import Row, read_table
from mastershot.labelling.moderation.queue import NONE, UNSURE, Queue, QueueItem
from mastershot.labelling.verdicts import UNDATED
from mastershot.store.files import append_lines

_NEEDED = ("shot", "rater", "ticked")
_WHAT = "table of verdicts"
_START = "0" * 32


@dataclass(frozen=True, slots=True)
class Decision:
    """One reviewer's verdict on one item, as the log keeps it.

    Attributes:
        item: Id of the interval or shot.
        reviewer: Who.
        ticked: What applies, of the item's choices.
        note: What the reviewer wrote.
        made: When it was decided, as the table says.
        recorded: When it was entered, as UTC in ISO 8601.
        previous: What the same reviewer had ticked before; None where that was nothing.
        policy: Fingerprint of the policy that was followed.
        guideline: Digest of the words of it that the verdict rests on; see `guideline_key`.
        after: Digest of the line before.
    """

    item: str
    reviewer: str
    ticked: tuple[str, ...]
    note: str
    made: str
    recorded: str = ""
    previous: tuple[str, ...] | None = None
    policy: str = ""
    guideline: str = ""
    after: str = _START


def read_decisions(path: Path, queue: Queue) -> list[Decision]:
    """Return the verdicts of a table on items of a queue, in the order of its rows.

    The table has the columns ``shot`` (the item), ``rater`` and ``ticked``, perhaps ``note`` and
    ``made``; a row without rater and ticks is not reviewed yet.

    Raises:
        DatasetError: The table is unreadable, lacks a column, or a row names an item that is not in
            the queue or ticks what that does not offer; the sentence names the line.
    """
    items = {item.id: item for item in queue.items}
    return [
        _decision(row, items.get(row["shot"].strip()), queue)
        for row in read_table(path, _NEEDED, what=_WHAT)
        if row["rater"].strip() or row["ticked"].strip()
    ]


def _decision(row: Row, item: QueueItem | None, queue: Queue) -> Decision:
    reviewer = " ".join(row["rater"].split())
    if item is None:
        raise row.error(
            f"{row['shot'].strip()[:60]!r} is no interval or shot of this queue; enter verdicts "
            "with the queue that they were drawn by"
        )
    if not reviewer:
        raise row.error(f"a verdict on {item.id} names no reviewer; fill in column rater")
    ticked = tuple(dict.fromkeys(one.strip() for one in row["ticked"].split(";") if one.strip()))
    for one in ticked:
        if one not in item.choices:
            raise row.error(
                f"{one[:60]!r} is ticked on {item.id}, which offers {', '.join(item.choices)}"
            )
    is_single = item.kind == "flag" or {NONE, UNSURE} & set(ticked)
    if not ticked or (is_single and len(ticked) > 1):
        raise row.error(
            f"{', '.join(ticked) or 'nothing'} is ticked on {item.id}; tick one of "
            f"{', '.join(item.choices)}" + ("" if item.kind == "flag" else ", or several classes")
        )
    note, made = ((row.get(name) or "").strip() for name in ("note", "made"))
    return Decision(
        item.id,
        reviewer,
        ticked,
        note,
        made or UNDATED,
        policy=queue.fingerprint,
        guideline=guideline_key(queue, item),
    )


def guideline_key(queue: Queue, item: QueueItem) -> str:
    """Return a digest of the guideline of an interval's class, or, for a shot, of all of them.

    A verdict is one by these words: under others it says nothing.
    """
    words = queue.guidelines if item.kind == "shot" else {item.name: queue.guidelines[item.name]}
    text = json.dumps(sorted(words.items()))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


class DecisionLog:
    """The log of verdicts in a file, one JSON object a line; lines are only ever added."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def record(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Add verdicts and return them as they were kept; those it holds already add nothing.

        A reviewer's new verdict on an item stands beside the earlier one, which it names.

        Raises:
            OutputError: The file cannot be written.
            DatasetError: The log is damaged.
        """
        added: list[Decision] = []
        now = datetime.now(UTC).isoformat(timespec="seconds")

        def lines(held: bytes) -> bytes:
            kept = list(self._parsed(held))
            latest = {(one.item, _who(one)): one for one in kept}
            data, after = b"", _digest(held.splitlines()[-1]) if held else _START
            for one in decisions:
                before = latest.get((one.item, _who(one)))
                if before is not None and _same(before, one):
                    continue
                values = asdict(one) | {"recorded": now, "after": after}
                values["previous"] = None if before is None else before.ticked
                line = json.dumps(values, ensure_ascii=True).encode()
                latest[one.item, _who(one)] = _decision_of(json.loads(line))
                added.append(latest[one.item, _who(one)])
                data, after = data + line + b"\n", _digest(line)
            return data

        try:
            append_lines(self._path, lines)
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(f"verdicts {self._path} cannot be written: {reason}") from error
        return added

    def read(self) -> tuple[Decision, ...]:
        """Return all verdicts in the order they were entered; none where there is no log yet.

        Raises:
            DatasetError: The file cannot be read, a line is no verdict, or one was changed or taken
                out after it was written.
        """
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            reason = error.strerror or error
            raise DatasetError(f"verdicts {self._path} cannot be read: {reason}") from error
        return tuple(self._parsed(data[: data.rfind(b"\n") + 1]))

    def _parsed(self, data: bytes) -> Iterator[Decision]:
        after = _START
        for number, line in enumerate(data.splitlines(), start=1):
            try:
                decision = _decision_of(json.loads(line))
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise DatasetError(
                    f"verdicts {self._path}, line {number}: not a verdict ({error})"
                ) from error
            if decision.after != after:
                raise DatasetError(
                    f"verdicts {self._path}, line {number}: it does not follow the line before, so "
                    "one of them was changed or taken out after it was written"
                )
            after = _digest(line)
            yield decision


def latest_decisions(decisions: Iterable[Decision]) -> dict[str, dict[str, Decision]]:
    """Return the latest verdict of each reviewer on each item; reviewers in the order they came.

    Names that differ in case alone are one reviewer.
    """
    found: dict[str, dict[str, Decision]] = {}
    for one in decisions:
        found.setdefault(one.item, {})[_who(one)] = one
    return found


def _decision_of(values: dict[str, object]) -> Decision:
    found = Decision(**values)  # type: ignore[arg-type]
    texts = [found.item, found.reviewer, found.note, found.made, found.recorded, found.after]
    texts.append(found.guideline)
    if not found.ticked or not isinstance(found.ticked, list):
        raise TypeError("nothing is ticked")
    ticks = [*found.ticked, *(found.previous or ())]
    if not all(isinstance(one, str) for one in (*texts, found.policy, *ticks)):
        raise TypeError("a value is not text")
    previous = None if found.previous is None else tuple(found.previous)
    return Decision(**values | {"ticked": tuple(found.ticked), "previous": previous})


def _same(before: Decision, now: Decision) -> bool:
    values = [(one.ticked, one.note, one.made, one.guideline) for one in (before, now)]
    return values[0] == values[1]


def _who(one: Decision) -> str:
    return one.reviewer.casefold()


def _digest(line: bytes) -> str:
    return hashlib.blake2b(line, digest_size=16).hexdigest()
