"""What another taxonomy would change, counted over a library of toy films."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.factories.models import make_tiny_clip
from tests.factories.timelines import make_embeddings, make_thumbs, make_timeline

from mastershot.core.errors import LibraryError
from mastershot.core.labels import Taxonomy
from mastershot.encoders.catalogue import load_encoder
from mastershot.labelling.smoothing import SmoothingSettings, default_model
from mastershot.labelling.weak_labels import KeepRule
from mastershot.pipeline.analysis.annotate import label_scores, label_shots, score_shots
from mastershot.pipeline.analysis.labeller import Labeller
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan
from mastershot.pipeline.taxonomy import relabel
from mastershot.pipeline.taxonomy.relabel import relabelling_effect
from mastershot.store.library import Library

OLD = Taxonomy("old", ("kitchen", "bar", "lake", "attic"))
NEW = Taxonomy("new", ("bar", "lake", "attic", "moat"))


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """One film with vectors, one without, one without labels; three shots each."""
    encoder = load_encoder(make_tiny_clip(tmp_path / "tiny"))
    monkeypatch.setattr(relabel, "load_encoder", lambda name, download: encoder)
    made = {"labels": {"encoder": encoder.space.model, "keep": {"min_best": 0.0, "above": 0.2}}}
    library = Library(tmp_path / "films.mastershot", create=True)
    for name, labels in (("one.mp4", ("kitchen", "bar")), ("two.mp4", ("bar",)), ("no.mp4", None)):
        timeline = make_timeline(name, labels=labels, steps=made if labels else {})
        library.put_timeline(timeline, make_thumbs(timeline))
    one = make_timeline("one.mp4").movie.id
    library.features(one).put(make_embeddings(encoder.space, range(120)))
    return library


def test_shots_that_would_change_are_counted(library: Library) -> None:
    effect = relabelling_effect(library, OLD, NEW)
    # Of each film the first shot keeps nothing; kitchen is gone from two shots of the first film.
    assert (effect.num_shots, effect.num_labelled, effect.num_naming_gone) == (9, 6, 2)
    assert effect.num_scored == 3
    assert any("the library lacks vectors of" in note for note in effect.notes)
    assert any("it has no labels" in note for note in effect.notes)


def test_the_counts_are_those_of_labelling_with_both(library: Library) -> None:
    effect = relabelling_effect(library, OLD, NEW)
    timeline = library.timeline(make_timeline("one.mp4").movie.id)
    encoder = relabel.load_encoder("tiny", download=False)
    plan = Plan(keep=KeepRule(min_best=0.0, above=0.2))
    shots = []
    for taxonomy in (OLD, NEW):
        labeller = Labeller(encoder, taxonomy)
        scores = score_shots(timeline.shots, labeller, library.features(timeline.movie.id))
        shots.append(label_shots(timeline.shots, scores, LoadedPlan(plan, labeller)))
    changed = [a.labels[0].name != b.labels[0].name for a, b in zip(*shots, strict=True)]  # type: ignore[index]
    assert effect.num_best_changed == sum(changed)
    assert effect.num_kept_changed == sum(a.kept != b.kept for a, b in zip(*shots, strict=True))
    same = relabelling_effect(library, OLD, OLD)
    assert (same.num_scored, same.num_best_changed, same.num_kept_changed) == (3, 0, 0)


def test_films_are_relabelled_as_smoothly_as_they_were_labelled(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    smoothing = SmoothingSettings(stay=0.9)
    movie = make_timeline("one.mp4").movie
    timeline = library.timeline(movie.id)
    labels = timeline.made_by.steps["labels"] | {"smoothing": default_model(smoothing).made()}
    made = replace(timeline.made_by, steps={**timeline.made_by.steps, "labels": labels})
    library.put_timeline(replace(timeline, made_by=made), {})
    smoothers = []
    monkeypatch.setattr(
        relabel, "label_scores",
        lambda shots, loaded, made, store: smoothers.append(loaded.smoother)
        or label_scores(shots, loaded, made, store),
    )  # fmt: skip
    assert relabelling_effect(library, OLD, NEW).num_scored == 3
    assert [one and one.settings for one in smoothers] == [smoothing, smoothing]


def test_a_library_without_a_film_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="holds no film; add one before comparing"):
        relabelling_effect(Library(tmp_path / "none.mastershot", create=True), OLD, NEW)


@pytest.mark.parametrize(
    "steps",
    [
        {"labels": {"keep": {}}},
        {"labels": {"encoder": "tiny", "keep": [0.4, 0.1]}},
        {"labels": {"encoder": "tiny", "keep": {"at_least": 0.4}}},
        {"labels": {"encoder": "tiny", "keep": {"min_best": "high"}}},
        {"labels": {"encoder": "tiny", "keep": {"num_best": 2.5}}},
        {"labels": {"encoder": "tiny"}, "scale": None},
        {"labels": {"encoder": "tiny"}, "scale": {"abstain": {"close_from": 7}}},
    ],
)
def test_a_timeline_with_damaged_settings_is_a_note_and_the_others_are_scored(
    library: Library, steps: dict[str, Any]
) -> None:
    timeline = make_timeline("bad.mp4", steps=steps)
    library.put_timeline(timeline, make_thumbs(timeline))
    effect = relabelling_effect(library, OLD, NEW)
    assert (effect.num_shots, effect.num_scored) == (12, 3)
    (note,) = (note for note in effect.notes if "bad.mp4" in note)
    assert note.endswith(
        "was not scored: its timeline does not say by which encoder and rules it was labelled; "
        "analyse the film again"
    )


def test_a_film_that_a_recogniser_labelled_is_a_note(library: Library) -> None:
    steps = {"labels": {"recogniser": {"name": "i3d"}, "share": 1.0}}
    timeline = make_timeline("seen.mp4", steps=steps)
    library.put_timeline(timeline, make_thumbs(timeline))
    (note,) = (one for one in relabelling_effect(library, OLD, NEW).notes if "seen.mp4" in one)
    assert note.endswith("it was labelled by a recogniser, whose classes are its own")
