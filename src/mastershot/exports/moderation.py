"""What moderation found, as a table and in words; what was not looked for is always said."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from mastershot.core.files import written_whole
from mastershot.core.lanes import ModerationCoverage
from mastershot.core.time import format_clock
from mastershot.core.timeline import Timeline

COLUMNS = (
    "class", "source", "status", "model", "severity", "score", "start_s", "end_s", "start_clock",
    "end_clock", "shots", "evidence_frames", "evidence_s", "policy", "id", "reason",
)  # fmt: skip

_NAMED_FILMS = 3


def write_moderation_csv(timeline: Timeline, path: Path) -> None:
    """Write one row an interval, and one for each class and source of the policy without any.

    ``status`` is ``flagged``, ``none found`` or ``not covered``: of the last, nothing is known.
    ``shots`` are indices; these and evidence are joined by semicolons.

    Raises:
        OutputError: The file cannot be written; what was there before stays.
    """
    with written_whole(path, newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(_rows(timeline))


def _rows(timeline: Timeline) -> Iterator[dict[str, object]]:
    policy = policy_name(timeline)
    for one in timeline.moderation or ():
        frames = [sample.frame for sample in one.evidence if sample.frame is not None]
        yield {
            "class": one.name,
            "source": one.source,
            "status": "flagged",
            "model": one.model,
            "severity": one.severity,
            "score": one.score,
            "start_s": one.start_s,
            "end_s": one.end_s,
            "start_clock": format_clock(one.start_s),
            "end_clock": format_clock(one.end_s),
            "shots": ";".join(shot.rpartition("/")[2] for shot in one.shots),
            "evidence_frames": ";".join(map(str, frames)),
            "evidence_s": ";".join(str(sample.time_s) for sample in one.evidence),
            "policy": policy,
            "id": one.id,
        }
    counts = interval_counts(timeline)
    for row in timeline.moderation_coverage or ():
        if not counts[row.name, row.source]:
            yield {
                "class": row.name,
                "source": row.source,
                "status": "none found" if row.status == "covered" else row.status,
                "model": ";".join(row.models),
                "policy": policy,
                "reason": row.reason,
            }


def policy_name(timeline: Timeline) -> str:
    """Return the name of the policy that a timeline's moderation follows."""
    made = timeline.made_by.steps.get("moderation", {}).get("policy")
    return str(made.get("name", "unknown")) if isinstance(made, dict) else "unknown"


def interval_counts(timeline: Timeline) -> Counter[tuple[str, str]]:
    """Return how many intervals there are of each class and source."""
    return Counter((one.name, one.source) for one in timeline.moderation or ())


def uncovered_classes(timeline: Timeline) -> list[str]:
    """Return what the policy names and was not looked or listened for, such as *sex (seen)*."""
    rows = timeline.moderation_coverage or ()
    return [f"{row.name} ({row.source})" for row in rows if row.status != "covered"]


def uncovered_lines(uncovered: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return what was not looked or listened for, a line for all films that lack the same."""
    groups = defaultdict[tuple[str, ...], list[str]](list)
    for film, names in uncovered.items():
        if names:
            groups[names].append(film)
    lines = []
    for names, films in groups.items():
        more = len(films) - _NAMED_FILMS
        rest = f" and {more:,} more film{'s' if more > 1 else ''}" if more > 0 else ""
        lines.append(f"not covered in {', '.join(films[:_NAMED_FILMS])}{rest}: {', '.join(names)}")
    return lines


def finding_text(timeline: Timeline, row: ModerationCoverage) -> str:
    """Return in words what was found of a class: *3 intervals*, *none found* or *not covered*."""
    if row.status != "covered":
        return f"not covered: {row.reason}" if row.reason else "not covered"
    count = interval_counts(timeline)[row.name, row.source]
    found = "none found" if not count else f"{count:,} interval{'s' if count > 1 else ''}"
    return f"{found}, by {', '.join(row.models)}" + (f"; {row.reason}" if row.reason else "")


def moderation_lines(timeline: Timeline) -> list[str]:
    """Return what moderation found, a line a class and source; nothing where it did not run."""
    return [
        f"{row.name}, {row.source}: {finding_text(timeline, row)}"
        for row in timeline.moderation_coverage or ()
    ]


def moderation_of_shots(timeline: Timeline) -> list[str]:
    """Return for each shot what it is flagged for and what was not covered, in words.

    Empty where moderation did not run; ``none found`` where all was covered and nothing was found.
    """
    if timeline.moderation is None:
        return [""] * len(timeline.shots)
    found = defaultdict[str, list[str]](list)
    for one in timeline.moderation:
        for shot in one.shots:
            found[shot].append(f"{one.name} ({one.source})")
    missing = [f"{name}: not covered" for name in uncovered_classes(timeline)]
    return [
        ";".join((*dict.fromkeys(found[shot.id]), *missing)) or "none found"
        for shot in timeline.shots
    ]
