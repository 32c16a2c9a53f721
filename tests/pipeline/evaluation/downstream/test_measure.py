from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, softmax
from tests.factories.downstream import nearest_class_mean, write_clip_features, write_lvu

from mastershot.core.errors import SettingError
from mastershot.evaluation.downstream.items import Items
from mastershot.evaluation.downstream.results import TaskResult
from mastershot.evaluation.downstream.tasks import TASKS
from mastershot.pipeline.evaluation.downstream.join import join_items
from mastershot.pipeline.evaluation.downstream.labels import TaskLabels, read_task_labels
from mastershot.pipeline.evaluation.downstream.measure import (
    MeasureSettings,
    log_odds,
    measure_task,
)
from mastershot.pipeline.evaluation.downstream.vectors import (
    ItemVectors,
    mean_vectors,
    read_rows,
)


def row(tmp_path: Path, name: str = "good", **options: int) -> ItemVectors:
    rows = read_rows(write_clip_features(tmp_path / f"{name}.npz", **options))
    return mean_vectors(rows, list(rows.readers))


def measured(
    tmp_path: Path, name: str, *rows: ItemVectors, settings: MeasureSettings | None = None
) -> TaskResult:
    task = TASKS[name]
    if not (tmp_path / "lvu" / task.labels).exists():
        write_lvu(tmp_path / "lvu", task.labels)
    labels = read_task_labels(task, tmp_path)
    return measure_task(task, labels, rows, nearest_class_mean, settings or MeasureSettings((0, 1)))


def test_a_task_of_classes_is_measured_beside_the_commonest_class(tmp_path: Path) -> None:
    good, poor = row(tmp_path), row(tmp_path, "poor", seed=1)
    poor = ItemVectors("poor", {name: vector[3:] for name, vector in poor.vectors.items()}, {})
    found = measured(tmp_path, "lvu/place", good, poor)
    assert [one.name for one in found.rows] == ["good", "poor"]
    assert found.rows[0].measured.figures[""].value == 1
    assert found.rows[0].gains == {}
    assert found.rows[1].gains[""].value < -0.2
    assert found.constant.value == pytest.approx(7 / 20)
    assert found.counts == {"office": 7, "airport": 7, "school": 6}
    assert (found.split, found.seeds, found.is_whole) == ("test", (0, 1), True)
    assert {one.split for one in found.published} == {"test"}


def test_the_validation_split_stands_beside_figures_of_it_alone(tmp_path: Path) -> None:
    found = measured(tmp_path, "lvu/place", row(tmp_path), settings=MeasureSettings((0,), "val"))
    assert found.rows[0].measured.figures[""].num_items == 20
    assert {one.source.partition(",")[0] for one in found.published} == {"Table 1"}
    assert len(found.published) == 15


def test_a_value_and_retrieval_are_measured(tmp_path: Path) -> None:
    value = measured(tmp_path, "lvu/view_count", row(tmp_path))
    assert value.rows[0].measured.figures[""].value == pytest.approx(value.constant.value)
    found = measured(tmp_path, "retrieval", row(tmp_path))
    assert found.rows[0].measured.figures["@1"].value == 1
    assert (found.split, found.seeds, found.rows[0].epochs) == ("val", (), ())
    assert found.constant.value == pytest.approx(1 / 3, abs=0.02)


def test_items_without_vectors_are_named(tmp_path: Path) -> None:
    found = measured(tmp_path, "lvu/place", row(tmp_path, skip=3))
    assert found.without_vectors == {"train": (), "val": (), "test": ("test17", "test18", "test19")}
    assert (found.sizes["test"], found.labelled["test"], found.is_whole) == (17, 20, False)
    assert found.fingerprint != measured(tmp_path, "lvu/place", row(tmp_path)).fingerprint


def test_rows_of_different_splits_are_not_compared(tmp_path: Path) -> None:
    rows = row(tmp_path), row(tmp_path, "fewer", skip=3)
    message = "good has 20 items of test and fewer 17, 17 of them the same; figures of different"
    with pytest.raises(SettingError, match=message):
        measured(tmp_path, "lvu/place", *rows)
    found = measured(tmp_path, "lvu/place", *rows, settings=MeasureSettings((0,), common=True))
    assert found.sizes["test"] == 17


def test_rows_of_as_many_but_other_items_are_not_compared(tmp_path: Path) -> None:
    vectors = dict(row(tmp_path).vectors)
    one = ItemVectors("one", {n: v for n, v in vectors.items() if n != "test0"}, {})
    other = ItemVectors("other", {n: v for n, v in vectors.items() if n != "test1"}, {})
    with pytest.raises(SettingError, match="one has 19 items of test and other 19, 18 of them"):
        measured(tmp_path, "lvu/place", one, other)


@pytest.mark.parametrize(
    ("settings", "kept", "message"),
    [
        (MeasureSettings((0,), "train"), "", "split is 'train'; tasks are evaluated on val or te"),
        (MeasureSettings((0,)), "train", "good has none of the 20 items of val, such as 'val0'"),
        (MeasureSettings((0,), "val"), "0", "all 4 training items that have vectors are of one cl"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(
    tmp_path: Path, settings: MeasureSettings, kept: str, message: str
) -> None:
    whole = row(tmp_path)
    vectors = {name: one for name, one in whole.vectors.items() if kept in name}
    if kept == "0":  # train0, 10, 20 and 30 are of classes 0, 1, 2 and 0.
        vectors |= {name: one for name, one in whole.vectors.items() if "train" not in name}
        vectors = {n: v for n, v in vectors.items() if n not in ("train10", "train20")}
        vectors |= {f"train{n}": whole.vectors[f"train{n}"] for n in (3, 6)}
    with pytest.raises(SettingError, match=message):
        measured(tmp_path, "lvu/place", ItemVectors("good", vectors, {}), settings=settings)


def test_tags_and_moderation_are_measured_by_average_precision(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = tuple(f"clip {number}" for number in range(40))
    targets = np.arange(40) % 4
    parts = {split: Items(names, names, targets) for split in ("train", "val", "test")}
    labels = TaskLabels(TASKS["moderation"].classes, parts, dict.fromkeys(parts, 0), True)
    vectors = (np.eye(4)[targets] * 9 + rng.normal(size=(40, 4))).astype(np.float32)
    good = ItemVectors("good", dict(zip(names, vectors, strict=True)), {})
    found = measure_task(
        TASKS["moderation"], labels, [good], nearest_class_mean, MeasureSettings((0,))
    )
    assert found.rows[0].measured.figures[""].value == 1
    assert set(found.rows[0].measured.figures) == {"", "sex", "violence", "drug-use", "none"}
    assert found.constant.value == pytest.approx(0.25)


def test_log_odds_are_those_of_the_softmax_and_not_tied_near_one() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (2, 5, 4)).astype(np.float32)
    assert expit(log_odds(logits)) == pytest.approx(softmax(logits, axis=-1), rel=1e-4)
    near = log_odds(np.array([[40, 0], [41, 0], [42, 0]], np.float32))
    assert near.tolist() == [[40, -40], [41, -41], [42, -42]]


def test_a_join_of_nothing_in_common_is_refused(tmp_path: Path) -> None:
    labels = read_task_labels(TASKS["lvu/place"], write_lvu(tmp_path / "lvu", "scene").parent)
    whole = row(tmp_path).vectors
    rows = [
        ItemVectors(name, {n: v for n, v in whole.items() if int(n[-1]) % 2 == odd}, {})
        for odd, name in enumerate(("even", "odd"))
    ]
    with pytest.raises(SettingError, match="all 2 rows have together none of the 40 items of tra"):
        join_items("lvu/place", labels, rows, common=True)
