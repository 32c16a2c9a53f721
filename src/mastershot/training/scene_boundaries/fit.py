"""Probes of one table, one for each seed, that are asked and not kept: for evaluation."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from mastershot.datasets.tables.scene_table import SceneTable
from mastershot.encoders.scene_head import boundary_scores
from mastershot.evaluation.downstream.boundaries import BoundaryAnswers
from mastershot.evaluation.downstream.tasks import Probe
from mastershot.evaluation.scene_boundaries import best_threshold, gap_precision
from mastershot.training.engine.settings import OnProgress
from mastershot.training.scene_boundaries.data import labelled_films
from mastershot.training.scene_boundaries.settings import BoundaryTrainingSettings
from mastershot.training.scene_boundaries.train import fit_head, head_card, scores_of, truth_of


def fit_boundary_probes(
    table: SceneTable,
    probe: Probe,
    seeds: tuple[int, ...],
    split: str,
    on_probe: Callable[[int], OnProgress],
) -> tuple[BoundaryAnswers, ...]:
    """Return what the probe of each seed, trained as heads are, answers for the films of a split.

    Args:
        table: The films; train is learned from, val chooses epoch and threshold.
        probe: How a probe is trained.
        seeds: Of weights and batches.
        split: The films that are asked.
        on_probe: Returns what is called with the progress of the probe of this place.

    Raises:
        DatasetError: Train or val has no boundary.
        MastershotError: A loss is not finite any more.
    """
    data, answers = labelled_films(table), []
    val = data.films["val"]
    for place, seed in enumerate(seeds):
        training = BoundaryTrainingSettings(
            epochs=probe.epochs,
            batch_size=probe.batch_size,
            learning_rate=probe.learning_rate,
            patience=probe.patience,
            seed=seed,
            hidden=probe.hidden,
            dropout=probe.dropout,
        )
        with TemporaryDirectory(prefix="mastershot-") as out:
            card = head_card("probe", data, training)
            network = fit_head(card, data, training, Path(out), on_probe(place))
        chosen, truth = scores_of(network, val), truth_of(val)
        answers.append(
            BoundaryAnswers(
                tuple(boundary_scores(network, film.features) for film in data.films[split]),
                best_threshold(chosen, truth),
                gap_precision(chosen, truth),
            )
        )
    return tuple(answers)
