from dataclasses import asdict

import numpy as np
import pytest

from mastershot.core.errors import SettingError
from mastershot.core.labels import Taxonomy
from mastershot.core.movie import SCALES
from mastershot.labelling.abstention import (
    AbstentionRule,
    borrowed_labels,
    is_close,
    rule_of_shot,
)
from mastershot.labelling.weak_labels import KeepRule, best_labels, kept_labels

PLACES = Taxonomy("places", ("forest", "beach", "bar"))
KEEP = KeepRule()


def scale(**shares: float) -> dict[str, float]:
    return dict.fromkeys(SCALES, 0.0) | shares


def kept_at(score: float, shot_scale: dict[str, float] | None) -> tuple[str, ...]:
    scores = np.array([score, 1 - score, 0], np.float32)
    return kept_labels(best_labels(scores, PLACES, rule_of_shot(KEEP, shot_scale)))


def test_a_label_on_a_close_up_needs_more() -> None:
    assert kept_at(0.55, scale(LS=1.0)) == ("forest", "beach")
    assert kept_at(0.55, scale(CS=1.0)) == ()
    assert kept_at(0.62, scale(CS=1.0)) == ("forest", "beach")
    assert kept_at(0.55, scale(ECS=0.3, CS=0.3, MS=0.4)) == ()


def test_a_shot_of_unknown_scale_is_judged_as_ever() -> None:
    assert rule_of_shot(KEEP, None) == KEEP
    assert kept_at(0.55, None) == ("forest", "beach")


def test_what_is_close_is_the_sum_of_the_two_closest_scales() -> None:
    assert is_close(scale(ECS=0.25, CS=0.25, LS=0.5))
    assert not is_close(scale(ECS=0.2, CS=0.25, LS=0.55))
    assert not is_close(scale(CS=0.7, LS=0.3), AbstentionRule(close_from=0.8))


def test_only_the_best_labels_threshold_is_raised_and_never_lowered() -> None:
    close = scale(CS=1.0)
    assert asdict(rule_of_shot(KEEP, close)) == asdict(KEEP) | {"min_best": 0.6}
    strict = KeepRule(min_best=0.9)
    assert rule_of_shot(strict, close) == strict
    assert rule_of_shot(KEEP, close, AbstentionRule(min_best_close=0.4)) == KEEP


@pytest.mark.parametrize("name", ["min_best_close", "close_from"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_share_is_refused(name: str, value: float) -> None:
    with pytest.raises(SettingError, match=f"{name} is .*; it is from 0 to 1"):
        AbstentionRule(**{name: value})


def test_a_shot_that_is_unsure_borrows_what_its_scene_is_sure_of() -> None:
    def labels(*scores: float) -> tuple:
        return best_labels(np.array(scores, np.float32), PLACES)

    scene, close_up, sure = labels(0.6, 0.32, 0.08), labels(0.2, 0.1, 0.3), labels(0, 0, 0.9)
    assert [label.name for label in borrowed_labels(close_up, scene)] == ["forest", "beach"]
    assert borrowed_labels(sure, scene) == ()
    assert borrowed_labels(close_up, close_up) == ()
