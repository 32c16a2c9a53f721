"""What another taxonomy would change in a library, from its kept vectors: nothing is decoded."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mastershot.core.errors import EncoderError, LibraryError
from mastershot.core.labels import Taxonomy
from mastershot.core.movie import Shot
from mastershot.core.timeline import Timeline
from mastershot.encoders.catalogue import load_encoder
from mastershot.labelling.weak_labels import AbstentionRule, KeepRule
from mastershot.pipeline.analysis.annotate import has_vectors, label_shots, score_shots
from mastershot.pipeline.analysis.plan import Labeller, Plan
from mastershot.store.library import Library as FilmStore


@dataclass(frozen=True)
class RelabellingEffect:
    """What another taxonomy changes in a library.

    Attributes:
        num_shots: Shots of the library.
        num_labelled: Those that have labels.
        num_naming_gone: Those that keep a label which the new taxonomy has not.
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
    counts = np.zeros(6, np.int64)
    notes: dict[str, None] = {}
    relabeller = _Relabeller(library, old, new)
    for film in library.movies():
        timeline = library.timeline(film.id)
        labelled = [shot for shot in timeline.shots if shot.labels]
        gone = [shot for shot in labelled if not set(shot.kept) <= set(new.labels)]
        pairs: list[tuple[Shot, Shot]] = []
        try:
            pairs = list(relabeller.relabel(timeline))
        except EncoderError as error:
            notes[f"film {film.path} was not scored: {error}"] = None
        best = sum(_best(before) != _best(after) for before, after in pairs)
        kept = sum(before.kept != after.kept for before, after in pairs)
        counts += (len(timeline.shots), len(labelled), len(gone), len(pairs), best, kept)
    if not counts[0]:
        raise LibraryError(f"library {library.path} holds no film; add one before comparing")
    num_shots, num_labelled, num_gone, num_scored, num_best, num_kept = counts.tolist()
    return RelabellingEffect(
        num_shots=num_shots,
        num_labelled=num_labelled,
        num_naming_gone=num_gone,
        num_scored=num_scored,
        num_best_changed=num_best,
        num_kept_changed=num_kept,
        notes=tuple(notes),
    )


class _Relabeller:
    """Labels films anew with two taxonomies; each encoder is loaded once."""

    def __init__(self, library: FilmStore, old: Taxonomy, new: Taxonomy) -> None:
        self._library = library
        self._taxonomies = (old, new)
        self._labellers: dict[str, tuple[Labeller, ...]] = {}

    def relabel(self, timeline: Timeline) -> Iterator[tuple[Shot, Shot]]:
        """Yield each shot as either taxonomy labels it.

        Raises:
            EncoderError: The film has no labels, its encoder is not here, or vectors are missing.
        """
        made = timeline.made_by.steps.get("labels")
        if not isinstance(made, dict):
            raise EncoderError("it has no labels")
        labellers = self._labellers_of(str(made["encoder"]))
        store, space = self._library.features(timeline.movie.id), labellers[0].encoder.space
        if not has_vectors(timeline.shots, [space], store):
            raise EncoderError(f"the library lacks vectors of {space.model} for it")
        plan = _plan_of(timeline)
        before, after = (
            label_shots(timeline.shots, score_shots(timeline.shots, one, store), one, plan)
            for one in labellers
        )
        yield from zip(before, after, strict=True)

    def _labellers_of(self, model: str) -> tuple[Labeller, ...]:
        if model not in self._labellers:
            encoder = load_encoder(model, download=False)
            self._labellers[model] = tuple(
                Labeller(encoder, taxonomy) for taxonomy in self._taxonomies
            )
        return self._labellers[model]


def _plan_of(timeline: Timeline) -> Plan:
    """Return the rules by which a film's labels were kept."""
    made = timeline.made_by.steps
    keep, abstain = (
        step.get(name) if isinstance(step := made.get(of), dict) else None
        for of, name in (("labels", "keep"), ("scale", "abstain"))
    )
    return Plan(
        keep=KeepRule(**keep) if isinstance(keep, dict) else KeepRule(),
        abstain=AbstentionRule(**abstain) if isinstance(abstain, dict) else AbstentionRule(),
    )


def _best(shot: Shot) -> str | None:
    return shot.labels[0].name if shot.labels else None
