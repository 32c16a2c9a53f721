"""Review of a library's films: the queue with its pages and tables, and the log of verdicts."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mastershot.core.errors import LibraryError, OutputError, SettingError, TimelineError
from mastershot.core.files import make_folder
from mastershot.core.lanes import ModerationInterval
from mastershot.core.time import Span
from mastershot.core.timeline import Timeline
from mastershot.exports.pages.review import Judged, write_review_page
from mastershot.labelling.moderation.intervals import evidence_name, shown_evidence
from mastershot.labelling.moderation.policy import Policy, load_policy
from mastershot.labelling.moderation.queue import (
    Queue,
    QueueItem,
    draw_queue,
    read_queue,
    write_queue,
    write_sheet,
)
from mastershot.labelling.moderation.verdicts import Decision, DecisionLog, read_decisions
from mastershot.labelling.verdicts import holds_verdicts
from mastershot.pipeline.moderation.cutting import HOW, own_classes, with_policy
from mastershot.pipeline.moderation.pictures import write_evidence
from mastershot.pipeline.moderation.report import ReviewReport, report_on_queue
from mastershot.store.frames import frame_times_of
from mastershot.store.library import Library

LOG_FILE = "moderation_verdicts.jsonl"
"""The log of verdicts in a library's folder."""


@dataclass(frozen=True)
class DrawnQueue:
    """A queue, where it was written, and what it leaves out.

    Attributes:
        queue: The queue.
        files: The queue's file, then pages and tables.
        notes: Sentences on films that are not in it.
    """

    queue: Queue
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def write_review(
    library: Library,
    out: Path,
    *,
    films: Sequence[str] = (),
    policy: str | Path | None = None,
    num_flags: int | None = None,
    num_shots: int = 0,
    seed: int = 0,
) -> DrawnQueue:
    """Draw what is to be reviewed of a library's films, and write pages and tables for it.

    Args:
        library: The library.
        out: The queue, a ``.json`` file. Beside it lie a page to review on and a blank table of
            verdicts, and both once more with the second reviews alone.
        films: Names of films; none takes all.
        policy: Name or file of the policy; None takes the one that all films follow.
        num_flags: The gravest so many intervals; None takes all.
        num_shots: How many unflagged shots are drawn to look for what was missed.
        seed: Settles the draws.

    Raises:
        MastershotError: No film has scores, films follow several policies, the policy is not
            usable, or a file cannot be written or holds verdicts.
    """
    if out.suffix != ".json":
        raise OutputError(f"a queue goes to a .json file, not to {out}")
    chosen = [library.movie(film) for film in films] if films else library.movies()
    timelines = [library.timeline(film.id) for film in chosen]
    scored = [one for one in timelines if one.moderation is not None]
    if not scored:
        raise TimelineError(
            f"no film of library {library.path} has scores of moderation; {HOW} --library "
            f"{library.path} computes them"
        )
    found = _followed(library, scored, policy)
    names = _names(found)
    by_name = list(zip(names, found, strict=True))
    queue = draw_queue(
        by_name, _policy_of(found, policy), num_flags=num_flags, num_shots=num_shots, seed=seed
    )
    files = [out, *(out.with_name(f"{out.stem}{end}") for end in (".html", ".csv"))]
    second = [item for item in queue.items if item.second]
    if second:
        files += [out.with_name(f"{out.stem}-second{end}") for end in (".html", ".csv")]
    for sheet in files[2::2]:
        if holds_verdicts(sheet):
            raise OutputError(f"{sheet} holds verdicts already; name another file for this queue")
    make_folder(out.parent)
    write_queue(out, queue)
    with TemporaryDirectory(prefix="mastershot-") as folder:
        judged = _Shown(library, dict(by_name), Path(folder))
        write_review_page(queue, queue.items, files[1], title=out.stem, show=judged.show)
        write_sheet(files[2], queue.items)
        if second:
            title = f"{out.stem}, second review"
            write_review_page(queue, second, files[3], title=title, show=judged.show)
            write_sheet(files[4], second)
    left = len(timelines) - len(scored)
    notes = (
        (f"{left} of {len(timelines)} films have no scores of moderation: {HOW}",) if left else ()
    )
    return DrawnQueue(queue, tuple(files), notes)


def record_verdicts(
    library: Library, queue: str | Path, tables: Sequence[Path]
) -> tuple[list[Decision], int]:
    """Enter tables of verdicts into a library's log; return what was added, and how many were read.

    Nothing is entered unless all tables can be.

    Raises:
        DatasetError: The queue or a table cannot be read, or does not fit.
        OutputError: The log cannot be written.
    """
    drawn = read_queue(queue)
    decisions = [one for table in tables for one in read_decisions(table, drawn)]
    return DecisionLog(library.path / LOG_FILE).record(decisions), len(decisions)


def report_review(library: Library, queue: str | Path) -> ReviewReport:
    """Return what the verdicts of a library's log on a queue amount to.

    Raises:
        DatasetError: The queue or the log cannot be read, or there is no verdict yet.
    """
    return report_on_queue(read_queue(queue), DecisionLog(library.path / LOG_FILE).read())


def _followed(
    library: Library, timelines: Sequence[Timeline], policy: str | Path | None
) -> list[Timeline]:
    if policy is None:
        return list(timelines)
    return [
        with_policy(one, policy, library.features(one.movie.id), frame_times_of(one))
        for one in timelines
    ]


def _policy_of(timelines: Sequence[Timeline], policy: str | Path | None) -> Policy:
    """Return the policy that the timelines follow, as it was when they were made."""
    if policy is not None:
        classes = dict.fromkeys(name for one in timelines for name in own_classes(one))
        return load_policy(policy, classes=classes)
    made = {one.made_by.steps["moderation"]["policy"]["fingerprint"]: one for one in timelines}
    if len(made) > 1:
        names = sorted({one.made_by.steps["moderation"]["policy"]["name"] for one in made.values()})
        raise SettingError(
            f"the films follow {len(made)} policies ({', '.join(names)}); name one with --policy"
        )
    return Policy.of(next(iter(made.values())).made_by.steps["moderation"]["policy"])


def _names(timelines: Sequence[Timeline]) -> list[str]:
    """Return the name of each film's file, with its id where several have it."""
    names = [Path(one.movie.path).name for one in timelines]
    return [
        name if names.count(name) == 1 else f"{name} ({one.movie.id})"
        for name, one in zip(names, timelines, strict=True)
    ]


class _Shown:
    """What pages show of items; pictures of a film are read when its first item is shown."""

    def __init__(self, library: Library, films: dict[str, Timeline], folder: Path) -> None:
        self._library, self._films, self._folder = library, films, folder
        self._read: set[str] = set()
        self._intervals = {one.id: one for film in films.values() for one in film.moderation or ()}

    def show(self, item: QueueItem) -> Judged:
        """Return the pictures, or the seconds, of an item."""
        interval = self._intervals.get(item.id)
        movie = self._films[item.film].movie
        aspect = float(movie.width_px * movie.sample_aspect_ratio / movie.height_px)
        if interval is None:
            middle_s = (item.start_s + item.end_s) / 2  # That of the shot's picture.
            return Judged(((middle_s, 0.0, self._thumb(item.id)),), (), aspect)
        if interval.source == "heard":
            return Judged((), tuple((one.time_s, one.score) for one in interval.evidence))
        return Judged(tuple(self._frames(item.film, interval)), (), aspect)

    def _frames(
        self, film: str, interval: ModerationInterval
    ) -> list[tuple[float, float, bytes | None]]:
        timeline = self._films[film]
        folder = self._folder / timeline.movie.id
        if film not in self._read:
            self._read.add(film)
            write_evidence(timeline, folder)
        found = []
        for one in shown_evidence(interval):
            picture = None
            with suppress(OSError):
                picture = (folder / evidence_name(one.frame or 0)).read_bytes()
            if picture is None:
                shots = [shot.id for shot in timeline.shots if _holds(shot.span, one.frame or 0)]
                picture = self._thumb(shots[0]) if shots else None
            found.append((one.time_s, one.score, picture))
        return found

    def _thumb(self, shot: str) -> bytes | None:
        with suppress(LibraryError):
            return self._library.thumb(shot)
        return None


def _holds(span: Span, frame: int) -> bool:
    return span.first_frame <= frame < span.end_frame
