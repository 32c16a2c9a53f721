"""What another taxonomy would change in a library, from its kept vectors: nothing is decoded."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from math import isfinite
from typing import Any, TypeAlias

from mastershot.core.errors import EncoderError, LibraryError, SettingError
from mastershot.core.labels import Taxonomy
from mastershot.core.movie import Shot
from mastershot.core.protocols import FeatureStore
from mastershot.core.timeline import Timeline
from mastershot.encoders.catalogue import load_encoder
from mastershot.labelling.smoothing import SmoothingSettings
from mastershot.labelling.weak_labels import AbstentionRule, KeepRule
from mastershot.pipeline.analysis.annotate import label_scores, label_shots
from mastershot.pipeline.analysis.labeller import Labeller
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan
from mastershot.pipeline.analysis.stored import has_vectors
from mastershot.store.library import Library as FilmStore

Labellers: TypeAlias = Callable[[str], tuple[Labeller, Labeller]]


@dataclass(frozen=True)
class RelabellingEffect:
    """What another taxonomy changes in a library.

    Attributes:
        num_shots: Shots of the library.
        num_labelled: Those that have labels.
        num_naming_gone: Those that keep a label which the new taxonomy lacks.
        num_scored: Those that could be scored with both taxonomies.
        num_best_changed: Of these, how many get another best label.
        num_kept_changed: Of these, how many keep other labels.
        notes: Sentences on what could not be scored.
    """

    num_shots: int
    num_labelled: int
    num_naming_gone: int
    num_scored: int
    num_best_changed: int
    num_kept_changed: int
    notes: tuple[str, ...] = ()


def relabelling_effect(library: FilmStore, old: Taxonomy, new: Taxonomy) -> RelabellingEffect:
    """Return what labels would change if a library were labelled with another taxonomy.

    Each film is scored with both, by the encoder and the rule that it was labelled with, from the
    vectors that the library keeps. Nothing is written.

    Raises:
        LibraryError: The library cannot be read, or holds no film.
    """
    counts: Counter[str] = Counter()
    notes: dict[str, None] = {}

    @cache
    def labellers(model: str) -> tuple[Labeller, Labeller]:
        encoder = load_encoder(model, download=False)
        return Labeller(encoder, old), Labeller(encoder, new)

    for film in library.movies():
        timeline = library.timeline(film.id)
        labelled = [shot for shot in timeline.shots if shot.labels]
        pairs: list[tuple[Shot, Shot]] = []
        try:
            pairs = _relabelled(timeline, library.features(film.id), labellers)
        except EncoderError as error:
            notes[f"film {film.path} was not scored: {error}"] = None
        counts.update(
            num_shots=len(timeline.shots),
            num_labelled=len(labelled),
            num_naming_gone=sum(not set(shot.kept) <= set(new.labels) for shot in labelled),
            num_scored=len(pairs),
            num_best_changed=sum(_best(before) != _best(after) for before, after in pairs),
            num_kept_changed=sum(before.kept != after.kept for before, after in pairs),
        )
    if not counts["num_shots"]:
        raise LibraryError(f"library {library.path} holds no film; add one before comparing")
    return RelabellingEffect(**counts, notes=tuple(notes))


def _relabelled(
    timeline: Timeline, store: FeatureStore, labellers: Labellers
) -> list[tuple[Shot, Shot]]:
    """Return each shot as either taxonomy labels it, by the rules its labels were kept by."""
    if not isinstance(timeline.made_by.steps.get("labels"), dict):
        raise EncoderError("it has no labels")
    model, plan = _how_labelled(timeline)
    both, shots = labellers(model), timeline.shots
    space = both[0].encoder.space
    if not has_vectors(shots, [space], store):
        raise EncoderError(f"the library lacks vectors of {space.model} for it")
    before, after = (
        label_shots(shots, label_scores(shots, loaded, timeline.made_by, store), loaded)
        for loaded in (LoadedPlan(plan, labeller) for labeller in both)
    )
    return list(zip(before, after, strict=True))


def _how_labelled(timeline: Timeline) -> tuple[str, Plan]:
    """Return a film's encoder of labels, and a plan with the rules by which they were kept."""
    made = timeline.made_by.steps
    if "recogniser" in made["labels"]:
        raise EncoderError("it was labelled by a recogniser, whose classes are its own")
    try:
        keep = KeepRule(**(made["labels"].get("keep") or {}))
        abstain = AbstentionRule(**(made.get("scale", {}).get("abstain") or {}))
        smoothing = _smoothing(made["labels"].get("smoothing"))
        if not (isfinite(keep.min_best + keep.above) and isinstance(keep.num_best, int)):
            raise ValueError(f"{keep} is no rule")
        return str(made["labels"]["encoder"]), Plan(keep=keep, smoothing=smoothing, abstain=abstain)
    except (AttributeError, KeyError, TypeError, ValueError, SettingError) as error:
        raise EncoderError(
            "its timeline does not say by which encoder and rules it was labelled; analyse the "
            "film again"
        ) from error


def _smoothing(made: Mapping[str, Any] | None) -> SmoothingSettings | None:
    names = [setting.name for setting in fields(SmoothingSettings)]
    return None if made is None else SmoothingSettings(**{name: made[name] for name in names})


def _best(shot: Shot) -> str | None:
    return shot.labels[0].name if shot.labels else None
