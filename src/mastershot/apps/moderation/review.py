"""``mastershot moderation queue|record|report``: what people review, and what they decide."""

from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from mastershot.apps.command import Json, LibraryFolder, Seed, loading
from mastershot.apps.moderation.policies import moderation_app
from mastershot.apps.show import complain, say_result

if TYPE_CHECKING:
    from mastershot.evaluation.bootstrap import Figure
    from mastershot.pipeline.moderation.report import Missed, ReviewReport

__all__ = ["moderation_app"]

QueueFile = Annotated[Path, Argument(metavar="QUEUE", help="What `moderation queue` wrote.")]


@moderation_app.command("queue")
def queue(
    *,
    films: Annotated[
        list[str] | None, Argument(metavar="[FILM]...", help="Films of the library; all if none.")
    ] = None,
    library: LibraryFolder,
    out: Annotated[Path, Option(metavar="FILE", help="The queue, a .json file.")],
    policy: Annotated[
        str | None,
        Option(metavar="NAME|FILE", help="Policy; without it, the one that the films follow."),
    ] = None,
    flags: Annotated[
        int | None, Option(metavar="N", help="The gravest N intervals; all if not given.")
    ] = None,
    shots: Annotated[
        int, Option(metavar="N", help="Unflagged shots, to estimate what was missed.")
    ] = 0,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Draw what people review: intervals, the gravest first, and unflagged shots at random.

    Beside FILE lie a page to review on, which saves verdicts as CSV, and a blank table of verdicts;
    both once more for the second reviews that the policy asks for.
    """
    with loading():
        from mastershot.exports.moderation import uncovered_lines
        from mastershot.pipeline.moderation.review import write_review
        from mastershot.store.library import Library

    drawn = write_review(
        Library(library),
        out,
        films=films or (),
        policy=policy,
        num_flags=flags,
        num_shots=shots,
        seed=seed,
    )
    complain(*drawn.notes)
    found = drawn.queue
    num_second = sum(item.second for item in found.items)
    num_flags, num_shots = len(found.of_kind("flag")), len(found.of_kind("shot"))
    value = {
        "policy": found.policy,
        "num_flags": found.num_flags,
        "num_flags_drawn": num_flags,
        "num_unflagged": found.num_unflagged,
        "num_unflagged_drawn": num_shots,
        "num_second": num_second,
        "not_covered": found.uncovered,
        "files": drawn.files,
    }
    lines = [
        f"policy {found.policy}: {num_flags:,} of {found.num_flags:,} intervals, {num_shots:,} of "
        f"{found.num_unflagged:,} unflagged shots; {num_second:,} need a second reviewer",
        *uncovered_lines(found.uncovered),
        f"→ {', '.join(map(str, drawn.files))}",
    ]
    say_result(value, lines, as_json=as_json)


@moderation_app.command("record")
def record(
    *,
    queue: QueueFile,
    verdicts: Annotated[
        list[Path], Argument(metavar="VERDICTS...", help="CSV with shot,rater,ticked.")
    ],
    library: LibraryFolder,
    as_json: Json = False,
) -> None:
    """Enter verdicts into the library's log, which only grows: who, when, what, and what before."""
    with loading():
        from mastershot.pipeline.moderation.review import LOG_FILE, record_verdicts
        from mastershot.store.library import Library

    kept = Library(library)
    added, num_read = record_verdicts(kept, queue, verdicts)
    changed = sum(one.previous is not None for one in added)
    value = {"num_read": num_read, "num_added": len(added), "num_changed": changed}
    line = (
        f"{len(added):,} of {num_read:,} verdicts entered, {changed:,} of them change earlier ones"
    )
    say_result(value, [f"{line} → {kept.path / LOG_FILE}"], as_json=as_json)


@moderation_app.command("report")
def report(*, queue: QueueFile, library: LibraryFolder, as_json: Json = False) -> None:
    """Say how often flags are right, how far reviewers agree, and what was missed."""
    with loading():
        from mastershot.pipeline.moderation.report import review_facts
        from mastershot.pipeline.moderation.review import report_review
        from mastershot.store.library import Library

    found = report_review(Library(library), queue)
    say_result(review_facts(found), _report_lines(found), as_json=as_json)


def _report_lines(found: "ReviewReport") -> Iterator[str]:
    from mastershot.exports.moderation import uncovered_lines

    queue = found.queue
    yield (
        f"policy {queue.policy}: {found.num_reviewed:,} of {len(queue.items):,} items reviewed by "
        f"{', '.join(found.reviewers)}"
    )
    if found.num_other:
        yield f"{found.num_other:,} verdicts by the words of other guidelines do not count"
    for one in found.flags:
        counts = ", ".join(f"{count} {name}" for name, count in one.outcomes.items() if count)
        yield (
            f"{one.name}, {one.source}: {one.num_flags:,} intervals, {counts or 'none reviewed'}; "
            f"precision {_share(one.precision)}"
        )
    state = ", so this report is preliminary" if found.lacking else ""
    yield (
        f"second reviews: {found.num_second - len(found.lacking):,} of {found.num_second:,} done"
        f"{state}; first and second agree on {_share(found.agreement)}; Krippendorff's alpha "
        + (f"{found.alpha:.3f}" if isfinite(found.alpha) else "not defined")
    )
    for item, verdicts in found.disagreements:
        said = ", ".join(f"{one.reviewer}: {';'.join(one.ticked)}" for one in verdicts)
        yield f"  disagreement on {item.id} ({item.name or 'unflagged shot'}): {said}"
    yield from (f"  second review lacking: {item}" for item in found.lacking)
    if not found.missed:
        yield (
            "missed: not known, because no unflagged shot was reviewed; `moderation queue --shots "
            "N` draws some"
        )
    yield from map(_missed_line, found.missed)
    yield from uncovered_lines(queue.uncovered)


def _missed_line(one: "Missed") -> str:
    value, interval = one.number
    return (
        f"missed, {one.name or 'any class'}: in {one.num_missed:,} of {one.share.num_items:,} "
        f"unflagged shots, {_share(one.share)}; of all unflagged shots about {value:,.0f} "
        f"[{interval.low:,.0f}, {interval.high:,.0f}]"
    )


def _share(figure: "Figure") -> str:
    if figure.value != figure.value:
        return "not defined"
    low, high = figure.interval.low, figure.interval.high
    return f"{figure.value:.1%} [{low:.1%}, {high:.1%}] of {figure.num_items:,}"
