"""From two label sets and decisions to a taxonomy, on labels whose cosines are known."""

from math import cos, radians

import numpy as np
import pytest
from tests.factories.toy_space import at_angles

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import TaxonomyError
from mastershot.curation.candidates import Candidate
from mastershot.curation.curate import Curation, LabelSources, MergeRule, curate, more_generic
from mastershot.curation.decisions import Decision
from mastershot.encoders.text import SentenceEncoder

# lake and office are common; pond (40° off: 0.77) merges into lake; creek and stream are left, near
# each other (10°: 0.98); reef is near nothing.
SPACE = at_angles(
    {"lake": 0, "office": 90, "pond": -40, "creek": 180, "stream": 190, "reef": 270, "brook": 1}
)
SCRIPTS = ("lake", "creek", "office")
AUXILIARY = ("lake", "office", "pond", "stream", "reef")


def sources(scripts: tuple[str, ...] = SCRIPTS, **num_scripts: int) -> LabelSources:
    counts = {"lake": 9, "office": 8, "creek": 7, "stream": 2} | num_scripts
    named = {name: Candidate(name, count, count, "INT.") for name, count in counts.items()}
    return LabelSources(scripts, AUXILIARY, named)


def curated(*decisions: Decision) -> Curation:
    return curate(sources(), SPACE, decisions)


def labels(curation: Curation) -> dict[str, tuple[str, ...]]:
    return {entry.label: entry.merged for entry in curation.entries}


def test_without_decisions_only_what_is_near_a_common_label_is_merged() -> None:
    found = curated()
    assert found.common == ("lake", "office")
    assert found.not_common == ("creek", "pond", "stream", "reef")
    assert [(merge.label, merge.into) for merge in found.merged] == [("pond", "lake")]
    assert found.merged[0].cosine == pytest.approx(cos(radians(40)), abs=1e-6)
    assert found.rest == found.undecided == ("creek", "stream", "reef")
    assert labels(found) == {
        "creek": (), "lake": ("pond",), "office": (), "reef": (), "stream": (),
    }  # fmt: skip
    assert {entry.label: entry.origin for entry in found.entries} == {
        "creek": "scripts", "lake": "common", "office": "common",
        "reef": "auxiliary", "stream": "auxiliary",
    }  # fmt: skip


def test_the_rarer_of_two_near_labels_is_offered_to_the_other() -> None:
    assert {label: merge.into for label, merge in curated().offers.items()} == {"stream": "creek"}
    kept = curated(Decision("keep", "stream"))
    assert kept.offers == {}
    assert kept.undecided == ("creek", "reef")


def test_a_cosine_at_the_limit_is_offered_but_not_merged() -> None:
    def embed(texts: object) -> FloatArray:
        vectors = {"a": [1, 0], "b": [0.6, 0.8], "c": [0, -1], "d": [0.714142843, -0.7]}
        return np.array([vectors[text] for text in texts], np.float32)  # type: ignore[attr-defined]

    found = curate(LabelSources(("a", "c"), ("a", "b")), embed)
    assert found.merged == ()
    rule = MergeRule(into_common_above=0.9)
    offered = curate(LabelSources(("b", "c"), ("b", "d")), embed, rule=rule)
    assert offered.offers["d"].cosine == float(np.float32(0.7))


def test_decisions_drop_merge_rename_and_add() -> None:
    found = curated(
        Decision("drop", "reef"),
        Decision("merge", "stream", "creek"),
        Decision("rename", "creek", "brook"),
        Decision("add", "boxing ring"),
    )
    assert labels(found) == {
        "boxing ring": (), "brook": ("creek", "stream"), "lake": ("pond",), "office": (),
    }  # fmt: skip
    origins = {entry.label: entry.origin for entry in found.entries}
    assert (origins["boxing ring"], origins["brook"]) == ("person", "scripts")
    assert found.undecided == ()


def test_a_decision_counts_before_a_cosine() -> None:
    kept = curated(Decision("keep", "pond"))
    assert labels(kept)["pond"] == ()
    assert labels(kept)["lake"] == ()
    without_lake = curated(Decision("drop", "lake"))
    assert "lake" not in labels(without_lake)
    assert "pond" in without_lake.undecided


def test_a_label_that_stands_for_a_common_one_is_not_merged_back_into_it() -> None:
    found = curated(Decision("merge", "lake", "pond"))
    assert labels(found)["pond"] == ("lake",)
    chained = curated(Decision("merge", "lake", "reef"), Decision("merge", "reef", "pond"))
    assert labels(chained)["pond"] == ("lake", "reef")


def test_what_is_merged_into_a_dropped_label_goes_with_it() -> None:
    found = curated(Decision("merge", "stream", "creek"), Decision("drop", "creek"))
    assert "stream" not in labels(found)
    assert "creek" not in labels(found)


def test_the_last_decision_on_a_label_counts() -> None:
    found = curated(Decision("drop", "reef"), Decision("keep", "reef"))
    assert "reef" in labels(found)
    taken_back = curated(Decision("add", "boxing ring"), Decision("drop", "boxing ring"))
    assert "boxing ring" not in labels(taken_back)
    assert taken_back.stale == ()


def test_a_rename_to_a_label_that_comes_later_is_a_merge() -> None:
    found = curated(Decision("rename", "reef", "office"))
    assert labels(found)["office"] == ("reef",)


def test_what_a_label_was_renamed_to_can_be_decided_about() -> None:
    renamed = Decision("rename", "creek", "brook"), Decision("rename", "brook", "beck")
    assert labels(curated(*renamed))["beck"] == ("creek",)
    dropped = curated(*renamed, Decision("drop", "beck"))
    assert dropped.stale == ()
    assert not {"creek", "brook", "beck"} & set(labels(dropped))
    merged = curated(*renamed, Decision("merge", "beck", "stream"))
    assert labels(merged)["stream"] == ("creek",)
    taken_back = curated(*renamed, Decision("drop", "beck"), Decision("keep", "creek"))
    assert "creek" in labels(taken_back)
    assert [made.label for made in taken_back.stale] == ["brook", "beck"]
    lost = curated(*renamed, Decision("merge", "beck", "moat")).stale_texts()
    assert "there is no label 'moat' now" in lost[0]


def test_nothing_is_merged_by_cosine_into_a_label_that_goes_under_another_name() -> None:
    assert labels(curated())["lake"] == ("pond",)
    found = curated(Decision("rename", "lake", "mere"), Decision("drop", "mere"))
    assert "pond" in found.undecided
    assert labels(found)["pond"] == ()


def test_decisions_on_labels_that_are_gone_are_reported_one_sentence_each() -> None:
    gone = Decision("drop", "moat")
    lost = Decision("merge", "stream", "moat")
    found = curate(sources(moat=2), SPACE, [gone, lost, Decision("add", "lake")])
    assert found.stale == (gone, lost)
    assert "stream" in found.undecided
    assert found.stale_texts() == [
        "the decision to drop 'moat' has no effect: there is no label 'moat' now; 2 scripts name "
        "it, too few for the cut; add it, or take the decision out",
        "the decision to merge 'stream' into 'moat' has no effect: there is no label 'moat' now; "
        "2 scripts name it, too few for the cut; add it, or take the decision out",
    ]


def test_decisions_in_a_circle_and_decisions_that_leave_nothing_are_errors() -> None:
    with pytest.raises(TaxonomyError, match="circle: 'creek' into 'stream' into 'creek'"):
        curated(Decision("merge", "creek", "stream"), Decision("merge", "stream", "creek"))
    with pytest.raises(TaxonomyError, match="the decisions leave no label"):
        curate(LabelSources(("lake",), ("lake",)), SPACE, [Decision("drop", "lake")])
    with pytest.raises(TaxonomyError, match="'#1' starts with `#`, which marks a comment"):
        curated(Decision("add", "#1"))


def test_a_label_that_would_be_two_in_a_cell_is_an_error_and_can_be_renamed() -> None:
    odd = LabelSources(("lake", "office; den"), ("lake",))
    space = at_angles({"lake": 0, "office; den": 90, "office": 90})
    with pytest.raises(TaxonomyError, match=r"'office; den' holds a semicolon .*; rename it"):
        curate(odd, space)
    found = curate(odd, space, [Decision("rename", "office; den", "office")])
    assert labels(found) == {"lake": (), "office": ("office; den",)}


def test_an_empty_source_is_an_error() -> None:
    with pytest.raises(TaxonomyError, match="the auxiliary label set is empty"):
        LabelSources(("lake",), ())
    with pytest.raises(TaxonomyError, match="no script names a label that the cut keeps"):
        LabelSources((), ("lake",))


def test_sets_with_nothing_in_common_merge_nothing() -> None:
    found = curate(LabelSources(("creek",), ("reef",)), SPACE)
    assert found.merged == ()
    assert labels(found) == {"creek": (), "reef": ()}


def test_the_same_sources_and_decisions_give_the_same_taxonomy() -> None:
    decisions = [Decision("merge", "stream", "creek"), Decision("drop", "reef")]
    assert curated(*decisions) == curated(*decisions)


@pytest.mark.parametrize(
    ("generic", "specific"),
    [("lake", "glacial lake"), ("creek", "stream"), ("reef", "salt marsh"), ("bay", "gulf")],
)
def test_which_label_is_more_generic(generic: str, specific: str) -> None:
    """Fewer of the same words, then more scripts, then fewer words, then the shorter."""
    assert more_generic(generic, specific, sources())
    assert not more_generic(specific, generic, sources())


def test_merging_is_what_a_plain_loop_over_labels_does() -> None:
    rng = np.random.default_rng(3)
    names = [f"label {index}" for index in range(60)]
    vectors = rng.normal(size=(60, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    points = dict(zip(names, vectors.astype(np.float32), strict=True))
    found = curate(
        LabelSources(tuple(names[:35]), tuple(names[20:])),
        lambda labels: np.stack([points[label] for label in labels]),
    )
    expected = []
    for label in [*names[:20], *names[35:]]:
        cosines = [float(points[label] @ points[other]) for other in names[20:35]]
        if max(cosines) > 0.6:
            expected.append((label, names[20 + cosines.index(max(cosines))]))
    assert 3 < len(expected) < 45
    assert [(merge.label, merge.into) for merge in found.merged] == expected


# METHODS A2; the paper prints 0.66, 0.62, 0.80, 0.64, 0.67, 0.67, 0.73 of another checkpoint.
@pytest.mark.parametrize(
    ("label", "into", "cosine"),
    [
        ("dune", "desert", 0.601),
        ("tennis camp", "tennis court", 0.695),
        ("restroom", "bathroom", 0.867),
        ("rural area", "village", 0.637),
        ("boardwalk", "walkway", 0.417),
        ("television room", "living room", 0.740),
        ("glacial lake", "lake", 0.758),
    ],
)
def test_the_sentence_encoder_gives_the_cosines_of_methods(
    sentences: SentenceEncoder, label: str, into: str, cosine: float
) -> None:
    found = curate(LabelSources((into, label), (into,)), sentences.encode_texts)
    a, b = sentences.encode_texts([label, into])
    assert float(a @ b) == pytest.approx(cosine, abs=0.005)
    assert [merge.label for merge in found.merged] == ([label] if cosine > 0.6 else [])


@pytest.fixture(scope="module")
def sentences() -> SentenceEncoder:
    return SentenceEncoder()
