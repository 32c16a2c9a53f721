from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.factories.reference import window_similarities
from torch import Tensor
from torch.nn.functional import avg_pool2d, cross_entropy, max_pool2d, pad, relu

from mastershot.core.errors import SettingError
from mastershot.models.movie_encoder import MovieEncoder, MovieSettings

TINY = MovieSettings(num_inputs=5, width=8, num_shots=40, kernel=4, stride=2)
LENGTHS = (40, 7, 1, 33, 55, 2)  # one is longer than films are cut to


def encoder_of(settings: MovieSettings = TINY) -> MovieEncoder:
    torch.manual_seed(0)
    return MovieEncoder(settings)


def films_of(settings: MovieSettings = TINY, lengths: tuple[int, ...] = LENGTHS) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(n, settings.num_inputs, generator=generator) for n in lengths]


def literal_logits(encoder: MovieEncoder, films: list[Tensor], kept: list[Tensor]) -> Tensor:
    """Return logits by the paper's path; the first half of the films against the second."""
    settings = encoder.settings
    encoded = []
    for film, kept_SD in zip(films, kept, strict=True):
        film = film[: settings.num_shots]
        hidden = relu(encoder.first(film)) * kept_SD[: len(film)]
        shots = encoder.last(hidden)
        encoded.append(pad(shots, (0, 0, 0, settings.num_shots - len(film))))
    half = len(films) // 2
    matrix = torch.stack(encoded[:half]) @ torch.stack(encoded[half:]).mT
    scenes = avg_pool2d(matrix[:, None], settings.kernel, settings.stride)
    return encoder.verdict(max_pool2d(scenes, settings.kernel, settings.stride).flatten(1))


def results(encoder: MovieEncoder, films: list[Tensor], logits: Tensor) -> list[Tensor]:
    """Return logits, and the loss's gradients of every weight and film."""
    targets = torch.arange(len(logits)) % 2
    wanted = [*encoder.parameters(), *(film for film in films if film.requires_grad)]
    return [logits, *torch.autograd.grad(cross_entropy(logits, targets), wanted)]


@pytest.mark.parametrize(
    ("settings", "lengths"),
    [
        (TINY, LENGTHS),
        (replace(TINY, kernel=3, stride=1), LENGTHS),
        (replace(TINY, kernel=4, stride=4), LENGTHS),
        (replace(TINY, num_shots=41), LENGTHS),  # the last shot lies in no window
        (replace(TINY, kernel=1, stride=1, num_shots=6), LENGTHS),
        (MovieSettings(num_inputs=5, width=8), (1024, 700, 1, 1500)),
    ],
)
def test_averaging_windows_first_is_the_papers_path(
    settings: MovieSettings, lengths: tuple[int, ...]
) -> None:
    encoder = encoder_of(settings).eval()
    films = [film.requires_grad_() for film in films_of(settings, lengths)]
    half = len(films) // 2
    everything = [torch.ones(settings.num_shots, settings.width)] * len(films)
    literal = results(encoder, films, literal_logits(encoder, films, everything))
    ours = results(encoder, films, encoder(films[:half], films[half:]))
    torch.testing.assert_close(ours, literal, rtol=1e-5, atol=1e-5)


def test_with_dropout_it_is_the_papers_path_with_the_same_numbers_dropped() -> None:
    encoder = encoder_of(replace(TINY, dropout=0.3)).train()
    films = films_of()
    torch.manual_seed(5)
    draws = [torch.rand(min(len(film), 40), 8) for film in films]
    literal = literal_logits(encoder, films, [(drawn >= 0.3) / 0.7 for drawn in draws])
    expected = results(encoder, films, literal)
    torch.manual_seed(5)
    ours = results(encoder, films, encoder(films[:3], films[3:]))
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


def test_dropout_leaves_out_its_share_and_keeps_the_mean() -> None:
    encoder = encoder_of(MovieSettings(num_inputs=1, width=64))
    with torch.no_grad():
        for layer, weights in ((encoder.first, 0.0), (encoder.last, torch.eye(64))):
            layer.weight.copy_(torch.as_tensor(weights).expand_as(layer.weight))
            layer.bias.zero_()
        encoder.first.bias.fill_(1.0)
        windows = encoder.train().windows([torch.zeros(1024, 1)])
        assert windows.mean().item() == pytest.approx(1, abs=0.02)
        # A window is the mean of 16 numbers that are 0 or 2.
        assert windows.std().item() == pytest.approx(0.25, abs=0.02)
        assert (encoder.eval().windows([torch.zeros(1024, 1)]) == 1).all()


def test_windows_compare_as_a_plain_loop_does() -> None:
    encoder = encoder_of().eval()
    one, other = films_of()[0], films_of()[3]
    with torch.inference_mode():
        encoded = [encoder.last(encoder.shot_features(film)) for film in (one, other)]
        padded = [pad(film, (0, 0, 0, 40 - len(film))).tolist() for film in encoded]
        windows = encoder.windows([one, other])
        expected = window_similarities(*padded, kernel=4, stride=2)
    np.testing.assert_allclose(windows[0] @ windows[1].T, expected, rtol=1e-5, atol=1e-5)


def test_films_of_many_pairs_may_be_encoded_once() -> None:
    encoder = encoder_of().eval()
    films = films_of()
    windows = encoder.windows(films)
    pairs = torch.tensor([[0, 1], [0, 2], [3, 1]])
    together = encoder.compare(windows[pairs[:, 0]], windows[pairs[:, 1]])
    alone = encoder([films[i] for i in pairs[:, 0]], [films[i] for i in pairs[:, 1]])
    torch.testing.assert_close(together, alone)


def test_features_in_half_precision_are_taken() -> None:
    encoder = encoder_of().eval()
    halves = [film.half() for film in films_of()]
    expected = encoder.windows([film.float() for film in halves])
    assert torch.equal(encoder.windows(halves), expected)
    assert encoder.shot_features(halves[0]).dtype == torch.float32


def test_all_shots_of_a_long_film_have_features_to_compare_scenes_by() -> None:
    encoder = encoder_of().train()
    film = films_of()[4]
    features = encoder.shot_features(film)
    assert features.shape == (55, 8)
    assert torch.equal(features, encoder.first(film).clamp_min(0))


def test_the_papers_sizes_are_those_of_the_paper() -> None:
    settings = MovieSettings()
    assert (settings.num_windows, settings.num_highest**2) == (127, 196)


@pytest.mark.parametrize("shape", [(0, 5), (4, 6), (2, 4, 5)])
def test_a_film_that_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    encoder, film = encoder_of(), torch.zeros(shape)
    for encode in (encoder.shot_features, lambda film: encoder([film], [film])):
        with pytest.raises(SettingError, match=r"network for \(shots, 5\) with a shot or more"):
            encode(film)


def test_pairs_need_two_films_each() -> None:
    films = films_of()
    with pytest.raises(SettingError, match="2 films and 3 others are no pairs"):
        encoder_of()(films[:2], films[:3])
    with pytest.raises(SettingError, match="no films to encode"):
        encoder_of().windows([])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"width": 0}, "width is 0; it must be 1 or more"),
        ({"dropout": 1.0}, r"dropout is 1\.0; it must be 0 or more and below 1"),
        ({"stride": 3}, "windows of 4 in steps of 3 .* the stride must divide the kernel"),
        ({"num_shots": 9}, "films of 9 shots are too short .*; 10 or more are needed"),
    ],
)
def test_a_shape_that_cannot_be_says_why(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        replace(TINY, **changes)
    assert replace(TINY, num_shots=10).num_highest == 1
