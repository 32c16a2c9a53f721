"""A taxonomy of three labels, built from files as small."""

from pathlib import Path

from tests.factories.toy_space import at_angles

from mastershot.curation.built import BuiltTaxonomy
from mastershot.curation.curate import Curation
from mastershot.curation.decisions import Decision, append_decisions
from mastershot.pipeline.taxonomy.build import (
    TaxonomyBuilder,
    TaxonomyPlan,
)

SPACE = at_angles({"lake": 0, "office": 90, "pond": -40, "stream": 180, "reef": 270, "quay": 10})


def toy_plan(folder: Path) -> TaxonomyPlan:
    """Write scripts, labels, a glossary and a decision into a folder; return them as a plan."""
    (folder / "one.txt").write_text("EXT. LAKE - DAY\n\nINT. OFFICE <b> - DAY\n\nEXT. STREAM\n")
    (folder / "aux.txt").write_text("Lake\nOffice\npond\nreef\nReef\n")
    (folder / "words.csv").write_text("label,definition\nlake,a still <water>\n")
    append_decisions(folder / "decisions.csv", [Decision("drop", "reef", by="ada")])
    return TaxonomyPlan(
        (folder / "one.txt",), folder / "aux.txt", folder / "decisions.csv",
        folder / "words.csv",
    )  # fmt: skip


def built(plan: TaxonomyPlan) -> tuple[BuiltTaxonomy, Curation]:
    """Return the taxonomy ``toy`` of a plan, and how it came about."""
    builder = TaxonomyBuilder(plan, SPACE)
    curation = builder.curate()
    return builder.describe(curation, "toy"), curation
