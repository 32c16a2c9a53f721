import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mastershot.models.checkpointing import CheckpointedBlock, checkpoint_blocks
from mastershot.models.recognisers.build import build_recogniser


class NormedBlock(CheckpointedBlock):
    """A residual block as convolutional networks have them, with dropout for its random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(6, 6, 3, padding=1)
        self.norm = nn.BatchNorm3d(6)
        self.dropout = nn.Dropout(0.3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.dropout(self.norm(self.conv(x)).relu())


def convolutional() -> nn.Module:
    stages = [nn.Sequential(NormedBlock(), NormedBlock()) for _ in range(2)]
    return nn.Sequential(nn.Conv3d(3, 6, 1), *stages, nn.Flatten(2))


def recogniser(name: str) -> Callable[[], nn.Module]:
    return lambda: build_recogniser(
        name, num_classes=3, width=1 / 8, depth=0.4, frames=4, size_px=32
    )


NETWORKS = {
    "convolutional": (convolutional, 4),
    "timesformer_b": (recogniser("timesformer_b"), 5),
    "video_swin_b": (recogniser("video_swin_b"), 10),
}


def step(network: nn.Module, clips: Tensor) -> tuple[Tensor, dict[str, Tensor], int]:
    """Return the outputs, the gradients, and how many bytes were kept for the backward pass."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    torch.manual_seed(4)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = network(clips)
    outputs.square().sum().backward()
    gradients = {name: p.grad for name, p in network.named_parameters() if p.grad is not None}
    return outputs.detach(), gradients, sum(kept.values())


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_the_same_and_fewer_activations_are_kept(name: str) -> None:
    build, num_blocks = NETWORKS[name]
    torch.manual_seed(0)
    plain = build().train()
    saving = copy.deepcopy(plain)
    assert checkpoint_blocks(saving) == num_blocks
    clips = torch.randn(2, 3, 4, 32, 32)
    outputs, gradients, kept = step(plain, clips)
    same_outputs, same_gradients, fewer = step(saving, clips)
    torch.testing.assert_close(same_outputs, outputs, rtol=0, atol=0)
    torch.testing.assert_close(same_gradients, gradients, rtol=0, atol=0)
    torch.testing.assert_close(saving.state_dict(), plain.state_dict(), rtol=0, atol=0)
    assert fewer < kept / 2


def test_it_can_be_switched_off_again_and_acts_in_training_alone() -> None:
    network = convolutional().train()
    clips = torch.randn(1, 3, 2, 8, 8)
    kept = step(network, clips)[2]
    checkpoint_blocks(network)
    assert step(network, clips)[2] < kept
    evaluated = step(network.eval(), clips)[2]
    checkpoint_blocks(network, on=False)
    assert step(network, clips)[2] == evaluated
    assert step(network.train(), clips)[2] == kept


def test_a_network_without_such_blocks_has_none() -> None:
    assert checkpoint_blocks(nn.Linear(2, 2)) == 0
