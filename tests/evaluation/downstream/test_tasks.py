import re
from pathlib import Path

import pytest

from mastershot.core.errors import SettingError
from mastershot.datasets.lvu import CLASSIFICATION, REGRESSION
from mastershot.evaluation.downstream.published import LVU
from mastershot.evaluation.downstream.tasks import ALIASES, GROUPS, TASKS, tasks_named

PAPER = Path(__file__).parents[4] / "shared" / "papers" / "movies2scenes.txt"


def test_every_task_of_lvu_is_a_row() -> None:
    rows = [task for task in TASKS.values() if task.name.startswith("lvu/")]
    assert {task.labels for task in rows} == {*CLASSIFICATION, *REGRESSION}
    assert {task.labels for task in rows if task.head == "value"} == set(REGRESSION)
    assert [task.name for task in tasks_named("lvu")] == [task.name for task in rows]
    assert set(ALIASES.values()) <= set(TASKS)
    assert {name for group in GROUPS.values() for name in group} <= set(TASKS)


def test_probes_have_the_settings_of_the_supplement() -> None:
    printed = {  # Learning rate, batch size, epochs, dropout.
        "place": (0.1, 128, 400, 0.1), "director": (1.0, 256, 400, 0.5),
        "relationship": (0.01, 16, 400, 0.5), "way_speaking": (0.1, 256, 400, 0.1),
        "writer": (0.5, 32, 400, 0.25), "year": (0.1, 128, 400, 0.75),
        "genre": (0.1, 256, 400, 0.1), "view_count": (0.01, 16, 500, 0.8),
        "like_ratio": (0.1, 16, 500, 0.5),
    }  # fmt: skip
    for name, settings in printed.items():
        probe = TASKS[f"lvu/{name}"].probe
        assert probe is not None
        found = probe.learning_rate, probe.batch_size, probe.epochs, probe.dropout
        assert (found, probe.hidden) == (settings, 512)


def test_published_figures_are_what_the_paper_prints() -> None:
    if not PAPER.is_file():
        pytest.skip(f"the paper's text is not at {PAPER}")
    text = PAPER.read_text("utf-8")
    rows = [
        [float(number) for number in re.findall(r"(?<=\t)\d+(?:\.\d+)?", line)[-9:]]
        for line in text.splitlines()
        if line.count("\t") >= 12 and re.match(r"\d+\t", line)
    ]
    order = list(LVU)
    assert order[:2] == ["place", "director"]
    for split, count in (("val", 15), ("test", 10)):
        by_task = [[one.value for one in LVU[task] if one.split == split] for task in order]
        found = [list(row) for row in zip(*by_task, strict=True)]
        assert len(found) == count
        assert all(row in rows for row in found)
    for task in ("place-tags", "scene-boundaries", "moderation", "retrieval"):
        for one in TASKS[task].published:
            whole, _, rest = f"{one.value:g}".partition(".")
            printed = rf"{whole}\.{rest}0*" if rest else rf"{whole}(\.0+)?"
            assert re.search(rf"(?<![\d.]){printed}(?![\d.]\d)", text), one


def test_published_retrieval_is_a_mean_over_queries() -> None:
    # The printed percentages are fractions of these numbers of queries.
    queries = {
        "office": 10, "airport": 4, "school": 42, "hotel": 14, "prison": 34, "restaurant": 10,
    }  # fmt: skip
    values = {(one.method, one.of): one.value for one in TASKS["retrieval"].published}
    for method in ("CLIP", "SlowFast R101", "Movies2Scenes"):
        hits = {name: values[method, f"{name}@1"] * count / 100 for name, count in queries.items()}
        assert all(abs(count - round(count)) < 0.01 for count in hits.values())
        mean = 100 * sum(map(round, hits.values())) / sum(queries.values())
        assert abs(mean - values[method, "@1"]) < 0.01


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lvu/plac", r"task 'lvu/plac' is not known; did you mean 'lvu/place'\? known are mine, "),
        ("writer", "did you mean 'lvu/writer'"),
        ("scene", "did you mean 'lvu/place'"),
        ("moderations", "did you mean 'moderation'"),
        ("xyzzy", "task 'xyzzy' is not known; known are mine, lvu, all, lvu/relationship"),
    ],
)
def test_an_unknown_task_is_met_with_the_closest_one(name: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        tasks_named(name, others=("mine",))


def test_an_alias_means_its_task() -> None:
    assert tasks_named("lvu/scene") == tasks_named("lvu/place")
    assert TASKS["lvu/place"].is_better_high
    assert not TASKS["lvu/view_count"].is_better_high
