from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from mastershot.training.distillation import film_views as changes
from mastershot.training.distillation.film_views import film_views

CHANGES = ["_with_people", "_graded", "_blurred", "_grainy", "_barred"]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def views() -> Tensor:
    return torch.rand(64, 3, 40, 40, generator=generator(9)) * 255


def change(name: str) -> Callable[[Tensor, float, torch.Generator], Tensor]:
    function: Callable[[Tensor, float, torch.Generator], Tensor] = getattr(changes, name)
    return function


def test_nothing_changes_at_a_share_of_none(views: Tensor) -> None:
    assert torch.equal(film_views(views, 0.0, generator()), views)


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_takes_about_its_share_of_views(name: str, views: Tensor) -> None:
    changed = change(name)(views, 0.5, generator())
    share = (changed != views).flatten(1).any(1).float().mean()
    assert 0.3 < share < 0.7
    assert 0 <= changed.min() <= changed.max() <= 255


def test_views_depend_on_the_generator_alone(views: Tensor) -> None:
    one, same = (film_views(views, 0.5, generator(3)) for _ in range(2))
    assert torch.equal(one, same)
    assert not torch.equal(one, film_views(views, 0.5, generator(4)))


def test_bars_are_black_on_two_sides_and_leave_the_middle(views: Tensor) -> None:
    barred = changes._barred(views + 1, 1.0, generator())
    dark = (barred == 0).all(1)
    assert not dark[:, 10:30, 10:30].any()
    rows, columns = dark.all(2), dark.all(1)
    assert ((rows[:, 0] & rows[:, -1]) | (columns[:, 0] & columns[:, -1])).all()


def test_grain_is_grey_and_of_no_mean(views: Tensor) -> None:
    grain = changes._grainy(torch.full_like(views, 128.0), 1.0, generator()) - 128
    assert torch.equal(grain[:, 0], grain[:, 2])
    assert grain.mean().abs() < 0.2


def test_somebody_covers_part_of_the_place(views: Tensor) -> None:
    covered = (changes._with_people(views, 1.0, generator()) != views).any(1).float().mean((1, 2))
    assert covered.min() > 0.02
    assert covered.max() < 0.95
