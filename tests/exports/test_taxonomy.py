"""The folder of a taxonomy."""

import csv
from pathlib import Path

import pytest
from tests.factories.taxonomies import built, toy_plan

from mastershot.core.errors import OutputError
from mastershot.core.labels import load_taxonomy
from mastershot.curation.built import open_taxonomy
from mastershot.curation.decisions import Decision, append_decisions
from mastershot.exports.taxonomy import STEP_COLUMNS, source_shares, step_rows, write_taxonomy
from mastershot.pipeline.taxonomy.build import (
    TaxonomyPlan,
)


@pytest.fixture
def plan(tmp_path: Path) -> TaxonomyPlan:
    return toy_plan(tmp_path)


def test_the_folder_reads_back_as_what_was_built(plan: TaxonomyPlan, tmp_path: Path) -> None:
    found, curation = built(plan)
    folder = tmp_path / "out" / "toy"
    write_taxonomy(found, curation, folder)
    assert open_taxonomy(folder) == found
    assert load_taxonomy(folder / "taxonomy.txt").labels == found.taxonomy.labels
    with (folder / "steps.csv").open(newline="", encoding="utf-8") as file:
        steps = {row["label"]: row for row in csv.DictReader(file)}
    assert [steps[name]["step"] for name in ("lake", "pond", "reef", "stream")] == [
        "common", "merged by cosine", "drop", "undecided",
    ]  # fmt: skip
    assert (steps["pond"]["into"], steps["pond"]["cosine"]) == ("lake", "0.766")
    assert (steps["reef"]["by"], steps["reef"]["ends_in"]) == ("ada", "")
    page = (folder / "report.html").read_text("utf-8")
    assert "INT. OFFICE &lt;b&gt; - DAY" in page
    assert "<svg" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_the_same_build_writes_the_same_bytes(plan: TaxonomyPlan, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_taxonomy(*built(plan), tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_shares_by_source_sum_to_the_whole(plan: TaxonomyPlan) -> None:
    shares = source_shares(built(plan)[0])
    assert [(share.origin, share.count) for share in shares] == [
        ("common", 2), ("scripts", 1), ("auxiliary", 0), ("person", 0),
    ]  # fmt: skip
    assert sum(share.percent for share in shares) == pytest.approx(100)


def test_a_folder_that_cannot_be_made_is_an_error(plan: TaxonomyPlan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        write_taxonomy(*built(plan), tmp_path / "file" / "out")


def test_every_label_of_any_source_has_one_row_that_says_who_did_what(plan: TaxonomyPlan) -> None:
    append_decisions(
        plan.decisions,
        [
            Decision("merge", "stream", "lake", "ada", cosine=0.25, note="=wet"),
            Decision("add", "quay", by="bob"),
            Decision("drop", "never heard of", by="bob"),
        ],
    )
    found, curation = built(plan)
    rows = [dict(zip(STEP_COLUMNS, row, strict=True)) for row in step_rows(curation)]
    assert [row["label"] for row in rows] == ["lake", "office", "stream", "pond", "reef", "quay"]
    by_label = {row["label"]: row for row in rows}
    stream = [by_label["stream"][name] for name in ("step", "into", "cosine", "by", "note")]
    assert stream == ["merge", "lake", "0.250", "ada", "'=wet"]
    sources = {label: (row["in_scripts"], row["in_auxiliary"]) for label, row in by_label.items()}
    assert sources["lake"] == ("yes", "yes")
    assert sources["stream"] == ("yes", "")
    assert sources["reef"] == ("", "yes")
    assert sources["quay"] == ("", "")
    ends = {row["ends_in"] for row in rows if row["ends_in"]}
    assert ends == set(found.taxonomy.labels) == {"lake", "office", "quay"}
    assert by_label["stream"]["ends_in"] == by_label["pond"]["ends_in"] == "lake"
    shares = {share.origin: share.percent for share in source_shares(found)}
    assert shares == {
        "common": pytest.approx(200 / 3), "scripts": 0, "auxiliary": 0,
        "person": pytest.approx(100 / 3),
    }  # fmt: skip
