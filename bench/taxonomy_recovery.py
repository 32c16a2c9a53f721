"""How much of the published 179-label taxonomy is recovered from scripts and HVU's scene labels.

    python bench/taxonomy_recovery.py                   every table of docs/taxonomy.md
    python bench/taxonomy_recovery.py --chart FILE      also writes the share of labels by source

The decisions file was written and committed before this script was, without the published list.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from mastershot.core.labels import load_taxonomy
from mastershot.curation.curate import Curation, Embed, nearest
from mastershot.encoders.text import SentenceEncoder
from mastershot.exports.pages.templates import environment
from mastershot.exports.taxonomy import source_shares
from mastershot.pipeline.taxonomy.build import (
    RememberedVectors,
    TaxonomyBuilder,
    TaxonomyPlan,
    step_counts,
)

REPOSITORY = Path(__file__).resolve().parents[1]
DECISIONS = REPOSITORY / "docs" / "taxonomy_decisions.csv"
DECIDED_AT = 250
PAIRS = {  # The cosine the paper prints (section 3.2); METHODS A2
    ("dune", "desert"): 0.66,
    ("tennis camp", "tennis court"): 0.62,
    ("restroom", "bathroom"): 0.80,
    ("rural area", "village"): 0.64,
    ("boardwalk", "walkway"): 0.67,
    ("television room", "living room"): 0.67,
    ("glacial lake", "lake"): 0.73,
}


def recovery(labels: Sequence[str], published: Sequence[str], embed: Embed) -> tuple[int, int]:
    """Return how many published labels are there, and how many have one within cosine 0.8."""
    near = nearest(published, labels, embed)
    return len(set(labels) & set(published)), sum(merge.cosine >= 0.8 for merge in near)


def precision(labels: Sequence[str], published: Sequence[str], embed: Embed) -> int:
    return sum(merge.cosine >= 0.8 for merge in nearest(labels, published, embed))


def row(name: str, curation: Curation, embed: Embed, published: Sequence[str]) -> None:
    steps = step_counts(curation)
    labels = [entry.label for entry in curation.entries]
    exact, near = recovery(labels, published, embed)
    counts = [steps[key] for key in ("L_MS", "L_com", "L_NC", "merged into L_com", "L_N")]
    cells = [name, *counts, steps["L_final"], f"{exact} ({exact / len(published):.0%})"]
    cells += [f"{near} ({near / len(published):.0%})"]
    cells += [f"{precision(labels, published, embed) / len(labels):.0%}"]
    print("|", " | ".join(map(str, cells)), "|")


def builder(data: Path, top: int, decisions: Path | None, embed: Embed) -> TaxonomyBuilder:
    headings = data / "scripts" / "headings.tsv"
    auxiliary = data / "hvu" / "HVU_Tags_Categories_V1.0.csv"
    return TaxonomyBuilder(TaxonomyPlan((headings,), auxiliary, decisions, top=top), embed)


def main() -> None:
    default = os.environ.get("MASTERSHOT_DATA", REPOSITORY.parent / "shared" / "data")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--chart", type=Path)
    arguments = parser.parse_args()
    embed = RememberedVectors(SentenceEncoder().encode_texts)
    print("| pair | ours | the paper's |\n|---|---|---|")
    for (label, into), printed in PAIRS.items():
        print(f"| {label} ~ {into} | {nearest([label], [into], embed)[0].cosine:.3f} | {printed} |")
    published = load_taxonomy("movieclip").labels
    print("\n| taxonomy | L_MS | L_com | L_NC | merged | L_N | labels | exact | near | ours near |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for top in (100, 173, DECIDED_AT, 400):
        made = builder(arguments.data, top, None, embed)
        row(f"top {top}, no decisions", made.curate(), embed, published)
    made = builder(arguments.data, DECIDED_AT, DECISIONS, embed)
    curation = made.curate()
    row(f"top {DECIDED_AT}, decisions", curation, embed, published)
    unrestored = [label for label in made.sources.auxiliary if label in set(published)]
    print(f"\nof HVU's labels themselves: {len(unrestored)} are published labels")
    kinds: dict[str, int] = {}
    for decision in curation.decisions.values():
        kinds[decision.decision] = kinds.get(decision.decision, 0) + 1
    print("decisions:", ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    ends = {old: e.label for e in curation.entries for old in (e.label, *e.merged)}
    missed = [label for label in published if label not in {e.label for e in curation.entries}]
    dropped = [name for name in missed if name not in ends and name in curation.decisions]
    print("published, merged here:", ", ".join(f"{n} → {ends[n]}" for n in missed if n in ends))
    print("published, dropped here:", ", ".join(dropped))
    below = [name for name in missed if name not in ends and name not in dropped]
    print("published, in neither source:", ", ".join(below))
    built = made.describe(curation, "scripts and HVU")
    print("\n" + "\n".join(f"- **{g.exemplar}**: {', '.join(g.labels)}" for g in built.groups))
    shares = source_shares(built)
    print("\n" + "; ".join(f"{s.words} {s.count} ({s.percent:.0f} %)" for s in shares))
    if arguments.chart:
        arguments.chart.write_text(environment().get_template("sources.svg").render(shares=shares))


if __name__ == "__main__":
    main()
