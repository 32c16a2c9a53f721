"""Similarity of two films by windows of their shots' features (Movies2Scenes 3.1; METHODS B3).

The paper averages windows of the matrix of dot products of two films' shots. Such a mean is the dot
product of the windows' means, so windows are averaged first and that matrix is never formed. The
last layer is linear, so it too comes after the averaging.
"""
# F films, S shots, C numbers a shot feature has, K blocks of shots, W windows, D width, B pairs

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu

from mastershot.core.errors import SettingError
from mastershot.models.transformer import require_positive_sizes


@dataclass(frozen=True)
class MovieSettings:
    """The shape of a movie encoder; the defaults are the paper's (section 4.1).

    Attributes:
        num_inputs: C, how many numbers a shot's feature has.
        width: D, of both layers.
        num_shots: Longer films are cut to so many, shorter ones padded without influence.
        dropout: Share of the first layer's outputs left out in training.
        kernel: Length of a window, in shots when averaging, in windows when taking the highest.
        stride: From one window to the next; it divides the kernel.
    """

    num_inputs: int = 512
    width: int = 512
    num_shots: int = 1024
    dropout: float = 0.5
    kernel: int = 16
    stride: int = 8

    def __post_init__(self) -> None:
        require_positive_sizes(self)
        if not 0 <= self.dropout < 1:
            raise SettingError(f"dropout is {self.dropout}; it must be 0 or more and below 1")
        if self.kernel % self.stride:
            raise SettingError(
                f"windows of {self.kernel} in steps of {self.stride} are not supported; "
                "the stride must divide the kernel"
            )
        if self.num_windows < self.kernel:
            shortest = self.kernel + (self.kernel - 1) * self.stride
            raise SettingError(
                f"films of {self.num_shots} shots are too short for windows of {self.kernel} in "
                f"steps of {self.stride}; {shortest} or more are needed"
            )

    @property
    def num_windows(self) -> int:
        """W, the windows of averaged shots in a film; 127."""
        return (self.num_shots - self.kernel) // self.stride + 1

    @property
    def num_highest(self) -> int:
        """The highest similarities kept along each film; 14, so 196 a pair."""
        return (self.num_windows - self.kernel) // self.stride + 1


class MovieEncoder(nn.Module):
    """Pairs of films to two logits: not similar, similar."""

    def __init__(self, settings: MovieSettings) -> None:
        super().__init__()
        self.settings = settings
        self.first = nn.Linear(settings.num_inputs, settings.width)
        self.last = nn.Linear(settings.width, settings.width)
        self.verdict = nn.Linear(settings.num_highest**2, 2)

    def forward(self, one: Sequence[Tensor], other: Sequence[Tensor]) -> Tensor:
        """Return the logits of pairs of films, shape (B, 2), from their features, (S, C) each.

        Raises:
            SettingError: As `windows` does, or there are more films on one side.
        """
        if len(one) != len(other):
            raise SettingError(f"{len(one)} films and {len(other)} others are no pairs")
        return self.compare(self.windows(one), self.windows(other))

    def windows(self, films: Sequence[Tensor]) -> Tensor:
        """Return the mean encoding of each window of each film's shots, shape (F, W, D).

        Raises:
            SettingError: There is no film, or one has no shot, or features of another width.
        """
        if not films:
            raise SettingError("there are no films to encode")
        settings = self.settings
        for film in films:
            self._check(film)
        films = [film[: settings.num_shots] for film in films]
        num_blocks = settings.num_windows + settings.kernel // settings.stride - 1
        dropout = settings.dropout if self.training else 0.0
        blocks = settings.stride, num_blocks, dropout
        sums_FKD = _BlockSums.apply(*blocks, self.first.weight, self.first.bias, *films)  # type: ignore[no-untyped-call]
        lengths_F1 = torch.tensor([[len(film)] for film in films])
        starts_K = torch.arange(num_blocks) * settings.stride
        num_shots_FK = (lengths_F1 - starts_K).clamp(0, settings.stride).to(sums_FKD)
        per_shot = 1 / settings.kernel
        means_FWD = self._over_windows(sums_FKD) * (per_shot / (1 - dropout))
        filled_FW1 = self._over_windows(num_shots_FK[..., None]) * per_shot
        # The bias belongs to real shots: a window that is half padding gets half of it.
        return means_FWD @ self.last.weight.T + filled_FW1 * self.last.bias

    def compare(self, one_BWD: Tensor, other_BWD: Tensor) -> Tensor:
        """Return the logits of pairs of films from their `windows`, shape (B, 2)."""
        similar_BWW = one_BWD @ other_BWD.mT
        highest = max_pool2d(similar_BWW[:, None], self.settings.kernel, self.settings.stride)
        return self.verdict(highest.flatten(1))  # type: ignore[no-any-return]

    def shot_features(self, film_SC: Tensor) -> Tensor:
        """Return the first layer's output for all shots, however many, (S, D) (METHODS B4).

        Raises:
            SettingError: The film has no shot, or features of another width.
        """
        self._check(film_SC)
        return relu(self.first(film_SC.to(self.first.weight.dtype)))

    def _over_windows(self, sums_FKX: Tensor) -> Tensor:
        """Return sums over blocks of shots as sums over windows of them."""
        num_windows = self.settings.num_windows
        windows = sums_FKX[:, :num_windows]
        for block in range(1, self.settings.kernel // self.settings.stride):
            windows = windows + sums_FKX[:, block : block + num_windows]
        return windows

    def _check(self, film_SC: Tensor) -> None:
        num_inputs = self.settings.num_inputs
        if film_SC.ndim != 2 or len(film_SC) == 0 or film_SC.shape[1] != num_inputs:
            raise SettingError(
                f"a film's features of shape {tuple(film_SC.shape)} do not fit a network for "
                f"(shots, {num_inputs}) with a shot or more"
            )


class _BlockSums(torch.autograd.Function):
    """Sums over blocks of shots of dropout(relu(features · weight + bias)), times 1 - dropout.

    Film by film, so that intermediate results stay in the processor's cache. For the gradient one
    byte a number is kept: whether it was above zero and not dropped.
    """

    @staticmethod
    def forward(
        ctx: Any,
        stride: int,
        num_blocks: int,
        dropout: float,
        weight: Tensor,
        bias: Tensor,
        *films: Tensor,
    ) -> Tensor:
        """Return the sums over ``num_blocks`` (K) of ``stride`` shots each, shape (F, K, D)."""
        sums_FKD = weight.new_zeros(len(films), num_blocks, len(weight))
        hidden = weight.new_empty(num_blocks * stride, len(weight))
        drawn = torch.empty_like(hidden)
        ctx.stride, ctx.active = stride, []
        for film, sums_KD in zip(films, sums_FKD, strict=True):
            x_SC = film[: len(hidden)].to(weight.dtype)
            hidden_SD = torch.addmm(bias, x_SC, weight.T, out=hidden[: len(x_SC)])
            active_SD = hidden_SD > 0
            if dropout:
                # bernoulli_ draws the same six times slower.
                active_SD.logical_and_(drawn[: len(x_SC)].uniform_() >= dropout)
            hidden_SD.mul_(active_SD)
            filled = -(-len(x_SC) // stride)
            hidden[len(x_SC) : filled * stride] = 0
            torch.sum(hidden[: filled * stride].view(filled, stride, -1), 1, out=sums_KD[:filled])
            ctx.active.append(active_SD)
        ctx.save_for_backward(weight, *films)
        return sums_FKD

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of weight, bias, and of the films if they are wanted."""
        weight, *films = ctx.saved_tensors
        grad_weight, grad_bias = torch.zeros_like(weight), weight.new_zeros(len(weight))
        grad_films: list[Tensor | None] = [None] * len(films)
        for index, (film, grad_KD) in enumerate(zip(films, grads[0], strict=True)):
            active_SD = ctx.active[index]
            length = len(active_SD)
            grad_SD = grad_KD.repeat_interleave(ctx.stride, 0)[:length].mul_(active_SD)
            grad_weight.addmm_(grad_SD.T, film[:length].to(weight.dtype))
            grad_bias.add_(grad_SD.sum(0))
            if ctx.needs_input_grad[5 + index]:
                grad_film = torch.zeros_like(film)
                grad_film[:length] = grad_SD @ weight
                grad_films[index] = grad_film
        return None, None, None, grad_weight, grad_bias, *grad_films
