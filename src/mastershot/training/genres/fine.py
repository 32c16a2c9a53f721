"""The fine stage: two halves of a trailer are alike, other trailers are not (METHODS C4)."""
# B trailers, W width of the projection

from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mastershot.core.embeddings import IntArray
from mastershot.core.errors import SettingError
from mastershot.core.files import make_folder
from mastershot.models.contrastive import nt_xent
from mastershot.models.genres.network import GenreNetwork, ProjectionHead, half_masks
from mastershot.training.engine.epochs import Batch, EpochBatches, EpochModule, fit_epochs
from mastershot.training.engine.settings import OnProgress
from mastershot.training.engine.trainer import steps_done
from mastershot.training.genres.inputs import GenreInputs
from mastershot.training.genres.settings import GenreRecipe

FINE = "fine"
_AT_ONCE = 256


class HalvesNetwork(nn.Module):
    """The network of genres with a projection head, run on two random halves of each trailer."""

    def __init__(self, network: GenreNetwork, width: int) -> None:
        super().__init__()
        self.network = network
        self.head = ProjectionHead(network.genres.in_features, width)

    def forward(self, vectors: dict[str, Tensor], present_BSLE: Tensor) -> tuple[Tensor, Tensor]:
        """Return unit vectors of both halves, each (B, W); they depend on torch's generator."""
        halves = half_masks(present_BSLE, torch.default_generator)
        one, other = (self.head(self.network(vectors, half).bottleneck) for half in halves)
        return one, other


def train_fine(
    recipe: GenreRecipe, out: Path, inputs: GenreInputs, coarse: GenreNetwork,
    on_progress: OnProgress,
) -> GenreNetwork:  # fmt: skip
    """Return the network after the fine stage, or the coarse one where it is left out.

    Raises:
        SettingError: Too few trailers have two sequences, and so two halves.
    """
    settings = recipe.fine
    if not settings.epochs:
        return coarse
    train, val = (_with_halves(inputs, inputs.data.split(name)) for name in ("train", "val"))
    if min(len(train), len(val)) < 2:
        raise SettingError(
            f"the fine stage compares halves of trailers, but only {len(train)} of split train and "
            f"{len(val)} of val have two sequences of {inputs.clips} clips; give network.clips "
            "fewer, or leave the stage out with fine.epochs=0"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = HalvesNetwork(deepcopy(coarse).requires_grad_(True), settings.projection)

    def batch_of(drawn: IntArray) -> Batch:
        made: tuple[Any, ...] = inputs.batch(train[drawn].tolist())
        return made, torch.empty(0)

    def loss_of(halves: tuple[Tensor, Tensor], _: Tensor) -> Tensor:
        return nt_xent(*halves, settings.temperature)

    folder = out / FINE
    make_folder(folder)
    batches = EpochBatches(len(train), batch_of, settings, steps_done(folder))
    module = EpochModule(network, loss_of, settings, steps_per_epoch=batches.steps_per_epoch)

    def measure() -> float:
        return matched_share(network, inputs, val)

    fit_epochs(module, batches, folder, ("val_matched", measure), on_progress)
    best = module.best
    assert isinstance(best, HalvesNetwork)
    return best.network.cpu()


def matched_share(network: HalvesNetwork, inputs: GenreInputs, trailers: IntArray) -> float:
    """Return for how many trailers the nearest other half, of all, is their own, in [0, 1]."""
    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    halves: list[list[Tensor]] = [[], []]
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for first in range(0, len(trailers), _AT_ONCE):
            vectors, present = inputs.batch(trailers[first : first + _AT_ONCE].tolist())
            moved = {name: one.to(device) for name, one in vectors.items()}
            for kept, half in zip(halves, network(moved, present.to(device)), strict=True):
                kept.append(half)
        one, other = (torch.cat(kept) for kept in halves)
        nearest = (one @ other.T).argmax(dim=1)
        matched = (nearest == torch.arange(len(nearest), device=device)).float().mean()
    network.train(was_training)
    return float(matched)


def _with_halves(inputs: GenreInputs, trailers: IntArray) -> IntArray:
    """Return the trailers that have two sequences or more."""
    long = [inputs.data.trailers[place].num_clips > inputs.clips for place in trailers.tolist()]
    return trailers[long]
