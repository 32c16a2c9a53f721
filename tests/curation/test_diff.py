"""What changed between two versions of a taxonomy."""

from tests.factories.toy_space import at_angles

from mastershot.core.labels import Taxonomy
from mastershot.curation.decisions import Decision
from mastershot.curation.diff import Change, diff_taxonomies, known_changes

SPACE = at_angles({"lake": 0, "pond": 20, "creek": 90, "brook": 100, "attic": 200, "sea": 5})


def taxonomy(*labels: str) -> Taxonomy:
    return Taxonomy("toy", labels)


def test_labels_are_added_dropped_merged_and_renamed() -> None:
    old, new = taxonomy("attic", "creek", "lake", "pond"), taxonomy("brook", "lake", "sea")
    decisions = [Decision("drop", "pond"), Decision("merge", "pond", "lake")]
    decisions += [Decision("rename", "creek", "brook")]
    diff = diff_taxonomies(old, new, SPACE, known=known_changes(decisions))
    assert diff.added == ("sea",)
    assert diff.dropped == ("attic",)
    assert diff.merged == (Change("pond", "lake"),)
    assert diff.renamed == (Change("creek", "brook"),)
    assert not diff.moved


def test_without_decisions_the_nearest_label_is_suggested_with_its_cosine() -> None:
    diff = diff_taxonomies(taxonomy("lake", "pond", "creek"), taxonomy("lake", "brook"), SPACE)
    assert [(c.label, c.into, round(c.cosine or 0, 2)) for c in diff.merged] == [
        ("pond", "lake", 0.94)
    ]
    assert [(c.label, c.into, round(c.cosine or 0, 2)) for c in diff.renamed] == [
        ("creek", "brook", 0.98)
    ]
    assert diff.added == ()


def test_decisions_are_followed_to_the_label_that_is_there() -> None:
    known: dict[str, str | None] = {"pond": "mere", "mere": "lake", "creek": "run", "run": "creek"}
    diff = diff_taxonomies(taxonomy("lake", "pond", "creek"), taxonomy("lake"), SPACE, known=known)
    assert diff.merged == (Change("pond", "lake"),)
    assert diff.dropped == ("creek",)


def test_another_order_alone_counts_as_moved() -> None:
    diff = diff_taxonomies(taxonomy("lake", "attic"), taxonomy("attic", "lake"), SPACE)
    assert diff.moved
    assert (diff.added, diff.dropped, diff.merged, diff.renamed) == ((), (), (), ())
    same = diff_taxonomies(taxonomy("lake"), taxonomy("lake"), SPACE)
    assert not same.moved


def test_a_label_that_was_dropped_is_not_merged_into_its_nearest() -> None:
    known = known_changes([Decision("drop", "pond")])
    assert diff_taxonomies(
        taxonomy("lake", "pond"), taxonomy("lake"), SPACE, known=known
    ).dropped == ("pond",)
