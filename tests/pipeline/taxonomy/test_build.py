"""Sources read once, decisions replayed, and the folder that comes of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.factories.taxonomies import built, toy_plan

from mastershot.core.errors import DatasetError, TaxonomyError
from mastershot.curation.built import open_taxonomy, read_glossary
from mastershot.exports.taxonomy import write_taxonomy
from mastershot.pipeline.taxonomy.build import (
    RememberedVectors,
    TaxonomyBuilder,
    TaxonomyPlan,
    read_auxiliary,
    step_counts,
)


@pytest.fixture
def plan(tmp_path: Path) -> TaxonomyPlan:
    return toy_plan(tmp_path)


def test_a_taxonomy_is_built_from_files_and_decisions(plan: TaxonomyPlan) -> None:
    found, curation = built(plan)
    assert found.taxonomy.labels == ("lake", "office", "stream")
    lake = found.labels[0]
    assert (lake.origin, lake.merged, lake.num_scripts) == ("common", ("pond",), 1)
    assert (lake.definition, lake.example) == ("a still <water>", "EXT. LAKE - DAY")
    counts = step_counts(curation)
    assert counts == {
        "L_MS": 3, "L_aux": 4, "L_com": 2, "L_NC": 3, "merged into L_com": 1, "L_N": 2,
        "decided": 1, "merges on offer": 0, "undecided": 1, "L_final": 3,
    }  # fmt: skip


def test_a_folder_that_is_no_build_or_was_changed_by_hand_is_an_error(
    plan: TaxonomyPlan, tmp_path: Path
) -> None:
    with pytest.raises(TaxonomyError, match="holds no taxonomy that `taxonomy build` made"):
        open_taxonomy(tmp_path)
    folder = tmp_path / "out"
    write_taxonomy(*built(plan), folder)
    (folder / "taxonomy.txt").write_text("lake\n")
    with pytest.raises(TaxonomyError, match="name other labels; build the taxonomy again"):
        open_taxonomy(folder)
    values = json.loads((folder / "details.json").read_text())
    (folder / "details.json").write_text(json.dumps(values | {"schema": "other/9"}))
    with pytest.raises(TaxonomyError, match="has schema 'other/9', not 'mastershot/taxonomy/1'"):
        open_taxonomy(folder)
    for change in ({"label": 7}, {"origin": "elsewhere"}, {"num_scripts": "many"}):
        broken = values | {"labels": [values["labels"][0] | change]}
        (folder / "details.json").write_text(json.dumps(broken))
        with pytest.raises(TaxonomyError, match="holds no taxonomy that"):
            open_taxonomy(folder)
    (folder / "details.json").write_text("[" * 100_000)
    with pytest.raises(TaxonomyError, match="holds no taxonomy that"):
        open_taxonomy(folder)


def test_an_empty_auxiliary_list_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "aux.txt").write_text("# nothing yet\n")
    with pytest.raises(TaxonomyError, match="taxonomy 'aux' holds no label; write one label a"):
        read_auxiliary(tmp_path / "aux.txt")
    (tmp_path / "aux.csv").write_text("Tag,Category\n")
    with pytest.raises(DatasetError, match="is empty; it should hold one tag a line"):
        read_auxiliary(tmp_path / "aux.csv")


def test_a_glossary_without_its_columns_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text("word,meaning\n")
    with pytest.raises(DatasetError, match=r"glossary .* has no column 'label'"):
        read_glossary(tmp_path / "words.csv")


def test_a_text_is_encoded_once() -> None:
    asked: list[str] = []

    def embed(texts):  # type: ignore[no-untyped-def]
        asked.extend(texts)
        return np.eye(9, dtype=np.float32)[: len(texts)]

    remembered = RememberedVectors(embed)
    first = remembered(["a", "b", "a"])
    assert first.shape == (3, 9)
    np.testing.assert_array_equal(remembered(["b", "c"])[0], first[1])
    assert asked == ["a", "b", "c"]


def test_the_published_decisions_fit_the_scripts_here(real_data: Path) -> None:
    """The taxonomy of docs/taxonomy.md: nothing stale, nothing left to ask."""
    plan = TaxonomyPlan(
        (real_data / "scripts" / "headings.tsv",),
        real_data / "hvu" / "HVU_Tags_Categories_V1.0.csv",
        Path(__file__).parents[3] / "docs" / "taxonomy_decisions.csv",
        top=250,
    )
    curation = TaxonomyBuilder(plan).curate()
    assert (curation.stale, curation.undecided) == ((), ())
    counts = step_counts(curation)
    assert [counts[name] for name in ("L_MS", "L_aux", "L_com", "L_NC", "L_final")] == [
        250, 248, 75, 348, 192,
    ]  # fmt: skip
