import json
from pathlib import Path

import numpy as np
import pytest
from tests.factories.downstream import nearest_class_mean, write_clip_features, write_lvu

from mastershot.evaluation.downstream.results import TaskResult
from mastershot.evaluation.downstream.tasks import TASKS
from mastershot.exports.downstream import (
    PUBLISHED_NOTE,
    basis_of,
    classes_table,
    downstream_lines,
    downstream_markdown,
    lowered_of,
    measured_table,
    missing_of,
    published_table,
    task_facts,
)
from mastershot.exports.pages.downstream import write_downstream_page
from mastershot.pipeline.evaluation.downstream.labels import read_task_labels
from mastershot.pipeline.evaluation.downstream.measure import MeasureSettings, measure_task
from mastershot.pipeline.evaluation.downstream.vectors import mean_vectors, read_rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_lvu(tmp_path / "lvu", "scene", "writer", "view_count", missing=1)
    return tmp_path


def result(folder: Path, name: str, *, rows: int = 1, skip: int = 0) -> TaskResult:
    files = [
        read_rows(write_clip_features(folder / f"row {n}.npz", seed=n, skip=skip))
        for n in range(rows)
    ]
    vectors = [mean_vectors(file, list(file.readers)) for file in files]
    labels = read_task_labels(TASKS[name], folder)
    settings = MeasureSettings((0, 1, 2))
    return measure_task(TASKS[name], labels, vectors, nearest_class_mean, settings)


def test_measured_and_published_figures_are_in_tables_of_their_own(folder: Path) -> None:
    found = result(folder, "lvu/place", rows=2)
    columns, rows = measured_table(found)
    assert columns == ("vectors", "accuracy", "seeds", "gain over row 0")
    assert [row[0] for row in rows] == ["row 0", "row 1", "(commonest class of train)"]
    assert rows[0][1:] == ("1.000 [1.000, 1.000]", "1.000 to 1.000", "–")
    assert rows[2][1].startswith("0.350 [")
    columns, rows = published_table(found)
    assert columns == ("method", "per cent", "of", "source")
    assert rows[-1] == ("Movies2Scenes", "68.2", "all", "Movies2Scenes, Table 2, row 10")
    assert not {"row 0", "row 1"} & {row[0] for row in rows}
    text = downstream_markdown("lvu/place", [found])
    before, after = text.split("### Published")
    assert "68.2" not in before
    assert "1.000" not in after
    assert PUBLISHED_NOTE in after


def test_what_a_figure_rests_on_and_what_is_missing_are_said(folder: Path) -> None:
    found = result(folder, "lvu/writer", skip=12)
    assert "40 of 40 of train, 20 of 20 of val, 8 of 20 of test; asked: test; 3 seeds" in (
        basis_of(found)
    )
    assert r"missing (\N), kept as a class: 14 of train, 7 of val, 7 of test" in basis_of(found)
    (text,) = missing_of(found)
    assert text.startswith("Without vectors, left out of test: test8, test9, ")
    assert text.endswith("test17 and 2 more")
    facts = task_facts(found)
    assert len(facts["without_vectors"]["test"]) == 12
    assert facts["missing_labels"] == {"kept": True, "train": 14, "val": 7, "test": 7}


def test_values_are_in_their_own_unit_and_have_no_classes(folder: Path) -> None:
    found = result(folder, "lvu/view_count", rows=2)
    assert measured_table(found)[0][1] == "mean squared error"
    assert measured_table(found)[0][-1] == "minus row 0; less is better"
    assert published_table(found)[0][1] == "mean squared error"
    assert classes_table(found)[1] == []
    assert lowered_of(found)[0] == (
        "With a learning rate of 0.01, outputs of some probes of row 0 cease to be finite; "
        "theirs is 0.005"
    )
    assert lowered_of(result(folder, "lvu/place")) == []
    assert "### By class" not in downstream_markdown("lvu/view_count", [found])


def test_retrieval_shows_every_size_and_label(folder: Path) -> None:
    found = result(folder, "retrieval")
    columns, rows = measured_table(found)
    assert columns == ("vectors", "precision@1", "precision@5", "precision@10")
    assert rows[1][2:] == ("", "")
    assert classes_table(found)[1][1] == ("airport", "7", "1.000 [1.000, 1.000]")
    assert ("CLIP", "35.08", "@1", "Movies2Scenes, supplement, Table 2") in published_table(found)[
        1
    ]


def test_facts_are_json_without_what_is_no_number(folder: Path) -> None:
    found = result(folder, "lvu/place", skip=19)  # One clip alone has no interval.
    text = json.dumps(task_facts(found), allow_nan=False)
    facts = json.loads(text)
    assert facts["measured"][0]["figures"]["all"]["low"] is None
    assert facts["probe"]["learning_rate"] == 0.1
    assert {one["unit"] for one in facts["published"]} == {"per cent"}
    assert "–" not in text


def test_lines_and_the_page_name_tasks_rows_and_notes(folder: Path) -> None:
    found = [result(folder, name, skip=1) for name in ("lvu/place", "lvu/view_count", "retrieval")]
    lines = list(downstream_lines(found))
    assert lines[0] == "lvu/place: accuracy of where it is"
    assert any("Without vectors, left out of test: test19." in line for line in lines)
    write_downstream_page("lvu", found, folder / "page.html", notes=("a note <b>",))
    page = (folder / "page.html").read_text("utf-8")
    assert "a note &lt;b&gt;" in page
    assert page.count("<h3>Published</h3>") == 3
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert np.isfinite(found[0].constant.value)
