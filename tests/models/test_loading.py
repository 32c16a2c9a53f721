import re

import pytest
import torch
from torch import nn

from mastershot.core.errors import EncoderError
from mastershot.models.loading import fit_weights, translate_weights


def test_weights_that_fit_are_copied_or_taken_by_a_network_without_memory() -> None:
    weights = {"weight": torch.randn(3, 2), "bias": torch.randn(3)}
    network = nn.Linear(2, 3)
    fit_weights(network, weights, "file")
    assert torch.equal(network.weight, weights["weight"])
    assert network.weight.data_ptr() != weights["weight"].data_ptr()
    empty = nn.Linear(2, 3, device="meta")
    fit_weights(empty, weights, "file")
    assert empty.weight.data_ptr() == weights["weight"].data_ptr()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"bias": None}, "missing weights: 1, such as bias"),
        ({"gain": 3}, "unexpected weights: 1, such as gain"),
        ({"bias": 4}, "weights of another shape: 1, such as bias of (4,) instead of (3,)"),
        ({"bias": None, "a": 1, "b": 1}, "bias; unexpected weights: 2, such as a"),
    ],
)
def test_weights_that_do_not_fit_are_one_sentence(
    changes: dict[str, int | None], problem: str
) -> None:
    sizes = {"weight": (3, 2), "bias": 3} | changes
    weights = {name: torch.zeros(size) for name, size in sizes.items() if size is not None}
    with pytest.raises(EncoderError, match=re.escape(problem)) as error:
        fit_weights(nn.Linear(2, 3), weights, "some/file")
    assert str(error.value).startswith("some/file cannot be loaded into Linear (")


def test_published_names_become_our_names_and_several_tensors_one() -> None:
    published = {"q": torch.zeros(1, 2), "k": torch.ones(2, 2), "n": torch.tensor(7.0).half()}
    ours = translate_weights(published, {"qk": ("q", "k"), "count": ("n",)}, "it")
    assert ours["qk"].tolist() == [[0, 0], [1, 1], [1, 1]]
    assert (ours["count"].item(), ours["count"].dtype) == (7, torch.float32)
    with pytest.raises(EncoderError, match=r"it cannot be loaded \(missing weights: 1, such as v"):
        translate_weights(published, {"qkv": ("q", "v")}, "it")
