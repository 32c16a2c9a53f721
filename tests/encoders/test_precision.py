from collections.abc import Sequence

import numpy as np
import pytest
import torch

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.precision import (
    computes_in_int8,
    encode_batches,
    find_device,
    find_precision,
    round_weights,
)
from mastershot.models.devices import fastest_float

CPU = torch.device("cpu")


@pytest.mark.parametrize("num_items", [0, 1, 3, 4, 7])
def test_items_are_encoded_in_order_and_batches_are_never_too_large(num_items: int) -> None:
    sizes: list[int] = []

    def encode(items: Sequence[int]) -> FloatArray:
        assert torch.is_inference_mode_enabled()
        sizes.append(len(items))
        return np.array([[item, -item] for item in items], np.float32)

    found = encode_batches(range(num_items), encode, batch_size=3, width=2)
    assert found.shape == (num_items, 2)
    assert found.dtype == np.float32
    assert found[:, 0].tolist() == list(range(num_items))
    assert sizes == [3] * (num_items // 3) + [num_items % 3] * bool(num_items % 3)


@pytest.mark.parametrize(
    ("can", "fastest", "int8"),
    [
        ({"avx512_bf16": True, "avx512_vnni": False}, "bfloat16", False),
        ({"amx_bf16": True, "amx_int8": True}, "bfloat16", True),
        ({"avx_vnni": True}, "float32", True),
        ({}, "float32", False),
    ],
)
def test_a_processor_computes_in_what_it_says_it_does(
    can: dict[str, bool], fastest: str, int8: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can)
    assert fastest_float(CPU) == find_precision(None, CPU) == fastest
    assert computes_in_int8(CPU) == int8
    assert not computes_in_int8(torch.device("meta"))
    if int8:
        assert find_precision("int8", CPU) == "int8"
    else:
        with pytest.raises(EncoderError, match=f"^int8 needs a CPU with VNNI .*; {fastest} is the"):
            find_precision("int8", CPU)
    assert find_precision("float32", CPU) == "float32"


@pytest.mark.parametrize("name", ["int4", "", "INT8", "float32 "])
def test_an_unknown_precision_is_refused(name: str) -> None:
    sentence = f"^encoders compute in float32, bfloat16, int8, not in '{name}'$"
    with pytest.raises(EncoderError, match=sentence):
        find_precision(name, CPU)


@pytest.mark.parametrize("name", ["gpu", "cuda:77", "", "c\xe9", "\udce9", "cpu:x"])
def test_a_device_that_is_not_here_is_refused(name: str) -> None:
    with pytest.raises(EncoderError, match=r"^there is no device .* here; cpu is always there$"):
        find_device(name)


def test_a_device_that_holds_no_numbers_is_refused() -> None:
    with pytest.raises(EncoderError, match=r"^encoders run on cpu and cuda, not on 'meta'$"):
        find_device("meta")
    assert find_device("cpu") == CPU


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_weights_are_rounded_on_the_spot(precision: str) -> None:
    network = torch.nn.Linear(8, 8)
    exact = network.weight.detach().clone()
    round_weights(network, precision)
    dtype = getattr(torch, precision)
    assert network.weight.dtype == dtype
    torch.testing.assert_close(network.weight.detach(), exact.to(dtype), rtol=0, atol=0)
