import numpy as np
import pytest
import torch

from mastershot.models.video_probe import VideoProbe


@pytest.mark.parametrize(
    ("hidden", "num_classes", "expected"), [(4096, 248, 21_995_768), (512, 13, 794_125)]
)
def test_the_sizes_are_those_of_the_paper(hidden: int, num_classes: int, expected: int) -> None:
    # M_scene and M_trailer: 1024 → FC hidden → FC hidden → FC classes, weights and biases.
    by_hand = (1024 + 1) * hidden + (hidden + 1) * hidden + (hidden + 1) * num_classes
    with torch.device("meta"):
        probe = VideoProbe(1024, num_classes, hidden=hidden)
    assert sum(weight.numel() for weight in probe.parameters()) == by_hand == expected


def test_the_logits_are_those_of_a_plain_loop() -> None:
    torch.manual_seed(0)
    probe = VideoProbe(5, 3, hidden=4).eval().requires_grad_(False)
    vectors = np.random.default_rng(0).normal(size=(2, 5)).astype(np.float32)
    weights = [tensor.double().tolist() for tensor in probe.state_dict().values()]
    expected = []
    for vector in vectors.tolist():
        values = vector
        for layer in range(3):
            matrix, bias = weights[2 * layer : 2 * layer + 2]
            values = [
                sum(w * x for w, x in zip(row, values, strict=True)) + b
                for row, b in zip(matrix, bias, strict=True)
            ]
            if layer < 2:
                values = [max(0.0, value) for value in values]
        expected.append(values)
    np.testing.assert_allclose(probe(torch.from_numpy(vectors)).numpy(), expected, atol=1e-6)


def test_dropout_follows_the_first_layer_and_only_in_training() -> None:
    probe = VideoProbe(5, 3, hidden=1000)
    vectors = torch.ones(1, 5)
    first, again = probe.hidden_layers[:3](vectors), probe.hidden_layers[:3](vectors)
    kept = (probe.hidden_layers[:2](vectors) > 0).sum()
    assert 0.7 < float((first > 0).sum() / kept) < 0.9
    assert not torch.equal(first, again)
    probe.eval()
    assert torch.equal(probe(vectors), probe(vectors))
