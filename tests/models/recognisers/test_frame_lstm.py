import numpy as np
import pytest
import torch
from tests.factories import reference

from mastershot.models.recognisers.frame_lstm import FrameLSTM, pad_frames

WIDTH, CLASSES = 6, 3


def network(seed: int = 0, layers: int = 2, *, both_directions: bool = False) -> FrameLSTM:
    torch.manual_seed(seed)
    model = FrameLSTM(WIDTH, CLASSES, hidden=8, layers=layers, both_directions=both_directions)
    return model.eval().requires_grad_(False)


def sequences(*lengths: int) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [random.normal(size=(length, WIDTH)).astype(np.float32) for length in lengths]


@pytest.mark.parametrize("both_directions", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_logits_are_those_of_a_plain_loop(layers: int, both_directions: bool) -> None:
    model = network(layers=layers, both_directions=both_directions)
    weights = {name: tensor.double().numpy() for name, tensor in model.state_dict().items()}
    shots = sequences(5, 1, 3)
    expected = [
        reference.lstm_logits(shot.tolist(), weights, layers, both_directions=both_directions)
        for shot in shots
    ]
    np.testing.assert_allclose(model(*pad_frames(shots)).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("both_directions", [False, True])
def test_padding_changes_nothing(both_directions: bool) -> None:
    model = network(both_directions=both_directions)
    shots = sequences(4, 2, 7)
    frames, lengths = pad_frames(shots)
    together = model(frames, lengths)
    alone = torch.cat([model(*pad_frames([shot])) for shot in shots])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)
    noisy = frames.clone()
    for row, length in enumerate(lengths.tolist()):
        noisy[row, length:] = 1e6
    torch.testing.assert_close(model(noisy, lengths), together, atol=1e-6, rtol=0)


@pytest.mark.parametrize("both_directions", [False, True])
def test_no_gradient_flows_into_the_padding(both_directions: bool) -> None:
    model = network(both_directions=both_directions).requires_grad_(True)
    frames, lengths = pad_frames(sequences(4, 2))
    frames.requires_grad_(True)
    model(frames, lengths).sum().backward()
    assert frames.grad is not None
    assert frames.grad[0].abs().sum(dim=1).all()
    assert not frames.grad[1, 2:].any()


def test_the_sizes_are_those_of_the_paper_by_default() -> None:
    model = FrameLSTM(768, 5)
    assert (model.lstm.hidden_size, model.lstm.num_layers) == (512, 2)
    assert model.head.weight.shape == (5, 512)


def test_normed_vectors_are_read_whatever_their_length() -> None:
    torch.manual_seed(0)
    model = FrameLSTM(WIDTH, CLASSES, hidden=8, normed=True).eval().requires_grad_(False)
    shots = sequences(3, 5)
    first = model(*pad_frames(shots))
    for factor in (0.02, 50):
        scaled = [(factor * shot).astype(np.float32) for shot in shots]
        torch.testing.assert_close(model(*pad_frames(scaled)), first, atol=2e-2, rtol=0)
    plain = FrameLSTM(WIDTH, CLASSES, hidden=8).eval().requires_grad_(False)
    plain.load_state_dict(model.state_dict())
    by_hand = [(s - s.mean(1, keepdims=True)) / s.std(1, keepdims=True) for s in shots]
    torch.testing.assert_close(plain(*pad_frames(by_hand)), first, atol=1e-4, rtol=0)
