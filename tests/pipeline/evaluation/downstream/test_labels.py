import json
from pathlib import Path

import numpy as np
import pytest
from tests.factories.downstream import SIZES, write_lvu

from mastershot.core.errors import DatasetError
from mastershot.evaluation.downstream.tasks import TASKS
from mastershot.pipeline.evaluation.downstream.labels import read_task_labels


def test_missing_labels_are_a_class_or_left_out(tmp_path: Path) -> None:
    folder = write_lvu(tmp_path / "lvu", "writer", missing=1)
    kept = read_task_labels(TASKS["lvu/writer"], tmp_path)
    dropped = read_task_labels(TASKS["lvu/writer"], folder, "drop")
    assert {name: len(items) for name, items in kept.splits.items()} == SIZES
    assert kept.classes[:3] == (r"\N", "airport", "school")
    assert len(dropped.splits["test"]) == 13
    assert 0 not in dropped.splits["test"].targets
    assert dropped.missing == kept.missing == {"train": 14, "val": 7, "test": 7}
    assert (kept.are_kept, dropped.are_kept) == (True, False)


def test_the_released_writers_without_the_missing_ones(real_data: Path) -> None:
    dropped = read_task_labels(TASKS["lvu/writer"], real_data, "drop")
    sizes = {split: len(items) for split, items in dropped.splits.items()}
    assert sizes == {"train": 508, "val": 133, "test": 159}
    for name in (name for name in TASKS if name.startswith("lvu/")):
        found = read_task_labels(TASKS[name], real_data)
        assert found.splits["train"].targets.dtype.kind == ("i" if found.classes else "f")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "1 airport test0 tt1",
            "'test0' stands twice, 'office' in test and 'airport' in test;",
        ),
        (
            "0 office train3 tt1",
            "'train3' stands twice, 'office' in train and 'office' in test;",
        ),
    ],
)
def test_several_labels_where_one_is_expected_are_refused(
    tmp_path: Path, row: str, message: str
) -> None:
    path = write_lvu(tmp_path / "lvu", "scene") / "scene" / "test.csv"
    path.write_text(path.read_text() + row + "\n")
    with pytest.raises(DatasetError, match=message):
        read_task_labels(TASKS["lvu/place"], tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="none does not exist; name the folder of lvu, or"):
        read_task_labels(TASKS["lvu/place"], tmp_path / "none")


def test_place_tags_are_columns_in_alphabetical_order(tmp_path: Path) -> None:
    films = {"train": ["tt1"], "val": ["tt2"], "test": ["tt3"]}
    (tmp_path / "movie1K.split.v1.json").write_text(json.dumps(films))
    (tmp_path / "annotation").mkdir()
    for film, tags in (("tt1", ["deck", "bar"]), ("tt2", ["bar"]), ("tt3", ["cabin"])):
        scene = {"id": f"{film}_0000", "shot": [0, 2], "place_tag": tags}
        (tmp_path / "annotation" / f"{film}.json").write_text(json.dumps({"scene": [scene]}))
    found = read_task_labels(TASKS["place-tags"], tmp_path)
    assert found.classes == ("bar", "cabin", "deck")
    assert found.splits["train"].targets.tolist() == [[True, False, True]]
    assert found.splits["test"].groups == ("tt3",)


def test_moderation_is_read_from_its_table(tmp_path: Path) -> None:
    (tmp_path / "moderation").mkdir()
    text = "clip,label,split,film\na,sex,train,f\nb,none,val,g\nc,drug-use,test,h\n"
    (tmp_path / "moderation" / "labels.csv").write_text(text)
    found = read_task_labels(TASKS["moderation"], tmp_path)
    assert found.classes == ("sex", "violence", "drug-use", "none")
    assert np.concatenate([part.targets for part in found.splits.values()]).tolist() == [0, 3, 2]
    assert found.splits["val"].groups == ("g",)
