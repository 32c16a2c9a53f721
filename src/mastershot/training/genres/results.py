"""What a run of genres leaves: the model, its scores of the splits, the trailers' embeddings."""
# T trailers, G genres, E experts, D width of an embedding

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mastershot.core.embeddings import FloatArray
from mastershot.core.files import make_folder, replacing
from mastershot.datasets.genres.embeddings import EMBEDDINGS
from mastershot.datasets.genres.table import SPLITS
from mastershot.datasets.tables.tag_scores import TagScores, write_tag_scores
from mastershot.encoders.genre_model import GenreCard, write_genre_model
from mastershot.evaluation.genres import choose_thresholds, genre_figures
from mastershot.models.genres.network import GenreNetwork
from mastershot.training.engine.run_directory import whole_folder
from mastershot.training.genres.inputs import GenreInputs
from mastershot.training.genres.settings import GenreRecipe

MODEL, SCORES = "model", "scores"
_AT_ONCE = 16  # in float32, where training may be in half of that


@dataclass(frozen=True, eq=False)
class TrailerOutputs:
    """What a network makes of trailers.

    Attributes:
        scores: Probability of each genre, (T, G).
        embeddings: The bottleneck, (T, D).
        opened: How far each expert's gate was open, (T, E).
    """

    scores: FloatArray
    embeddings: FloatArray
    opened: FloatArray


def run_network(network: GenreNetwork, inputs: GenreInputs, trailers: Any) -> TrailerOutputs:
    """Return what a network makes of trailers, in evaluation mode, on the network's device."""
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    parts = []
    order = np.argsort([inputs.data.trailers[place].num_clips for place in trailers], kind="stable")
    with torch.inference_mode():
        for first in range(0, len(order), _AT_ONCE):  # Of like length, so that little is padding.
            chosen = [int(trailers[place]) for place in order[first : first + _AT_ONCE]]
            vectors, present = inputs.batch(chosen)
            moved = {name: one.to(device) for name, one in vectors.items()}
            made = network(moved, present.to(device))
            outputs = made.logits.sigmoid(), made.bottleneck, made.opened
            parts.append([one.float().cpu().numpy() for one in outputs])
    network.train(was_training)
    back = np.argsort(order)
    scores, embeddings, opened = (np.concatenate(each)[back] for each in zip(*parts, strict=True))
    return TrailerOutputs(scores, embeddings, opened)


def write_results(
    recipe: GenreRecipe, out: Path, inputs: GenreInputs, coarse: GenreNetwork, fine: GenreNetwork
) -> None:
    """Write scores and embeddings, and last the model's folder: with it the run is finished."""
    data = inputs.data
    places = {split: data.split(split) for split in SPLITS}
    made = {split: run_network(coarse, inputs, rows) for split, rows in places.items()}
    thresholds = choose_thresholds(made["val"].scores, data.truth[places["val"]])
    names = tuple(expert.name for expert in inputs.experts)
    make_folder(out / SCORES)
    figures: dict[str, Any] = {"figures": {}}
    for split in ("val", "test"):
        rows, scores = places[split], made[split].scores
        ids = tuple(data.trailers[place].id for place in rows)
        made_by = {"model": recipe.name, "experts": list(names), "split": split}
        write_tag_scores(
            out / SCORES / f"{split}.npz",
            TagScores(scores, data.truth[rows], ids, ids, ids, data.genres, made_by),
        )
        found = genre_figures(scores, data.truth[rows], thresholds, data.genres)
        figures["figures"][split] = asdict(found)
    every = np.array([place for place, one in enumerate(data.trailers) if one.num_clips], np.int64)
    before = run_network(coarse, inputs, every)
    after = before if fine is coarse else run_network(fine, inputs, every)
    shown = [data.trailers[place] for place in every.tolist()]
    with replacing(out / EMBEDDINGS, ending=".part.npz") as partial:
        np.savez(
            partial,
            coarse=before.embeddings,
            fine=after.embeddings,
            opened=before.opened,
            experts=np.array(names),
            trailers=np.array([one.id for one in shown]),
            titles=np.array([one.title for one in shown]),
            files=np.array([one.content_hash for one in shown]),
        )
    figures |= {
        "trailers": {split: len(rows) for split, rows in places.items()},
        "settings": asdict(recipe),
        "dataset": data.name,
    }
    card = genre_card(recipe, inputs, tuple(thresholds.tolist()))
    with whole_folder(out / MODEL) as partial:
        changed = None if fine is coarse else fine
        write_genre_model(partial, card, coarse, fine=changed, figures=figures)


def genre_card(
    recipe: GenreRecipe, inputs: GenreInputs, thresholds: tuple[float, ...] = ()
) -> GenreCard:
    """Return the card of a recipe's model; without thresholds they are 0.5."""
    network, data = recipe.network, inputs.data
    return GenreCard(
        name=recipe.name,
        classes=data.genres,
        thresholds=thresholds or (0.5,) * len(data.genres),
        experts={expert.name: expert.width for expert in inputs.experts},
        pieces={expert.name: expert.pieces for expert in inputs.experts if expert.pieces},
        made_by={expert.name: dict(expert.made_by) for expert in inputs.experts},
        shots=dict(data.made_by.get("clips", {})),
        width=network.width,
        clusters=network.clusters,
        gating=network.gating,
        pooling=network.pooling,
        clips=network.clips,
        sequences=network.sequences,
        joining=network.joining,
        sequence_width=network.sequence_width,
        bottleneck=network.bottleneck,
    )
