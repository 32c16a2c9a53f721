import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.probe import (
    NETWORKS,
    ProbeCard,
    TrainedProbe,
    build_probe,
    probe_scores,
    write_probe,
)

CARD = ProbeCard("toy", "mlp", ("a", "b", "c"), 4, 6, 1, 0.2, max_steps=3)


def videos(*lengths: int) -> list[FloatArray]:
    random = np.random.default_rng(0)
    return [random.normal(size=(length, 4)).astype(np.float32) for length in lengths]


def write(folder: Path, network: str = "mlp") -> tuple[Path, torch.nn.Module]:
    card = replace(CARD, network=network)
    torch.manual_seed(0)
    probe = build_probe(card)
    write_probe(folder, card, probe, figures={"mean_precision": {"test": 0.5}})
    return folder, probe


@pytest.mark.parametrize("network", NETWORKS)
def test_what_was_written_scores_as_before(tmp_path: Path, network: str) -> None:
    folder, probe = write(tmp_path, network)
    loaded = TrainedProbe(folder)
    shown = videos(2, 1, 3)
    scores = loaded.scores(shown)
    assert loaded.card == replace(CARD, network=network)
    assert scores.shape == (3, 3)
    assert ((scores > 0) & (scores < 1)).all()
    np.testing.assert_array_equal(scores, probe_scores(probe, loaded.card, shown))
    assert probe.training
    assert json.loads((folder / "probe.json").read_text())["mean_precision"] == {"test": 0.5}


def test_an_mlp_reads_the_mean_of_all_vectors_and_an_lstm_the_first_ones(tmp_path: Path) -> None:
    mlp, lstm = (TrainedProbe(write(tmp_path / name, name)[0]) for name in ("mlp", "lstm"))
    (video,) = videos(5)
    mean = np.array([[sum(column) / 5 for column in video.T.tolist()]], np.float32)
    np.testing.assert_allclose(mlp.scores([video]), mlp.scores([mean]), atol=1e-6)
    np.testing.assert_array_equal(lstm.scores([video]), lstm.scores([video[:3]]))
    assert not np.array_equal(lstm.scores([video]), lstm.scores([video[:2]]))


@pytest.mark.parametrize("shape", [(0, 4), (2, 5), (4,)])
def test_vectors_of_another_shape_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    probe = TrainedProbe(write(tmp_path)[0])
    with pytest.raises(EncoderError, match=r"video 0 has vectors of shape .* takes one or more"):
        probe.scores([np.zeros(shape, np.float32)])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"network": "gru"}, "network is 'gru', none of mlp, lstm, bilstm"),
        ({"classes": ["a", "a", "b"]}, "classes should be one or more, each once"),
        ({"classes": "ab"}, "classes should be a list"),
        ({"classes": ["a", 1]}, "1 should be a name on one line"),
        ({"classes": ["a", "b\nc"]}, r"'b\\nc' should be a name on one line"),
        ({"classes": ["a", "\ud800"]}, r"'\\ud800' should be a name on one line"),
        ({"name": " "}, "' ' should be a name on one line"),
        ({"width": 0}, "width is 0; it is from 1 to 16384"),
        ({"dropout": 1}, "dropout is 1; it is from 0 to below 1"),
        ({"format": "mastershot/probe/9"}, "is of format 'mastershot/probe/9'"),
        ({"hidden": 7}, "cannot be loaded into VideoProbe"),
        ({"classes": ["a"]}, "cannot be loaded into VideoProbe"),
        ({"hidden": None}, "does not describe a probe"),
    ],
)
def test_a_description_that_does_not_fit_is_one_sentence(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    folder, _ = write(tmp_path)
    path = folder / "probe.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(EncoderError, match=sentence):
        TrainedProbe(folder)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    folder, _ = write(tmp_path)
    path = folder / "probe.safetensors"
    weights = load_file(path)
    weights["head.bias"][0] = torch.nan
    save_file(weights, path)
    with pytest.raises(EncoderError, match=r"holds head.bias that is not finite numbers"):
        TrainedProbe(folder)
