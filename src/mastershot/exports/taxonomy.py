"""A taxonomy as a folder: its labels, all that is known of them, each step, and a page."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.errors import OutputError
from mastershot.core.files import written_whole
from mastershot.curation.built import DETAILS_FILE, LABELS_FILE, BuiltTaxonomy
from mastershot.curation.curate import Curation, Merge, Origin
from mastershot.exports.pages.templates import count_text, write_page
from mastershot.exports.tables import as_text

STEP_COLUMNS = (
    "label", "in_scripts", "in_auxiliary", "num_scripts", "num_sluglines", "example",
    "step", "into", "cosine", "by", "note", "ends_in",
)  # fmt: skip
_ORIGIN_WORDS: dict[Origin, str] = {
    "common": "common to both",
    "scripts": "scripts alone",
    "auxiliary": "auxiliary set alone",
    "person": "added by a person",
}


@dataclass(frozen=True)
class Share:
    """One bar of the chart: which part of a taxonomy is from one source (paper, Fig. 2)."""

    origin: str
    words: str
    count: int
    percent: float


def write_taxonomy(built: BuiltTaxonomy, curation: Curation, folder: Path) -> None:
    """Write a taxonomy and how it came about into a folder.

    ``taxonomy.txt`` is what `load_taxonomy` reads; ``details.json`` holds all that is known of
    each label, ``steps.csv`` a row for each label of any source and what became of it,
    ``report.html`` and ``sources.svg`` are for people.

    Raises:
        OutputError: A file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror or error}") from error
    with written_whole(folder / LABELS_FILE) as file:
        file.write(f"# {len(built.labels)} labels, made by `mastershot taxonomy build`;\n")
        file.write(f"# {DETAILS_FILE} beside this file says from what and how.\n")
        file.writelines(f"{label.label}\n" for label in built.labels)
    with written_whole(folder / DETAILS_FILE) as file:
        json.dump(built.as_json(), file, indent=1, ensure_ascii=False)
    with written_whole(folder / "steps.csv", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(STEP_COLUMNS)
        writer.writerows(step_rows(curation))
    write_page("sources.svg", folder / "sources.svg", shares=source_shares(built))
    facts = count_text(len(built.labels), "label"), f"fingerprint {built.taxonomy.fingerprint}"
    content = {"built": built, "curation": curation, "steps": built.made_by["steps"]}
    content |= {"title": built.name, "facts": facts, "shares": source_shares(built)}
    write_page("taxonomy.html", folder / "report.html", **content)


def source_shares(built: BuiltTaxonomy) -> tuple[Share, ...]:
    """Return the share of labels by the source they are from, in a fixed order."""
    counts = Counter(label.origin for label in built.labels)
    return tuple(
        Share(origin, words, counts[origin], 100 * counts[origin] / len(built.labels))
        for origin, words in _ORIGIN_WORDS.items()
    )


def step_rows(curation: Curation) -> Iterator[tuple[object, ...]]:
    """Yield what became of each label, as the cells of `STEP_COLUMNS`."""
    sources = curation.sources
    in_scripts, in_auxiliary = set(sources.scripts), set(sources.auxiliary)
    ends = {old: entry.label for entry in curation.entries for old in (*entry.merged, entry.label)}
    merges = {merge.label: merge for merge in curation.merged}
    for label in dict.fromkeys([*sources.scripts, *sources.auxiliary, *curation.decisions]):
        named = sources.candidate(label)
        yield (
            as_text(label),
            "yes" if label in in_scripts else "",
            "yes" if label in in_auxiliary else "",
            named.num_scripts,
            named.num_sluglines,
            as_text(named.example),
            *map(as_text, _step_of(label, curation, merges.get(label))),
            as_text(ends.get(label, "")),
        )


def _step_of(label: str, curation: Curation, merge: Merge | None) -> tuple[str, ...]:
    """Return what was done with a label, into what, the cosine, by whom and why."""
    made, offer = curation.decisions.get(label), curation.offers.get(label)
    if made:
        cosine = "" if made.cosine is None else f"{made.cosine:.3f}"
        return made.decision, made.into, cosine, made.by, made.note
    if merge:
        return "merged by cosine", merge.into, f"{merge.cosine:.3f}", "", ""
    step = "common" if label in curation.common else "undecided"
    return step, "", "", "", f"offered: {offer.into} {offer.cosine:.3f}" if offer else ""
