import csv
import json
from pathlib import Path

import pytest
from tests.factories.moderation import scored_timeline

from mastershot.core.errors import DatasetError, SettingError
from mastershot.core.timeline import Timeline
from mastershot.labelling.moderation.policy import load_policy
from mastershot.labelling.moderation.queue import (
    Queue,
    draw_queue,
    read_queue,
    write_queue,
    write_sheet,
)
from mastershot.store.features import FolderFeatures

POLICY = load_policy("default")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Timeline]]:
    made = []
    for number, porn in enumerate(({10: 0.75}, {55: 0.95, 80: 0.8}, {})):
        store = FolderFeatures(tmp_path_factory.mktemp("features"))
        heard = {2.0: 0.6} if number == 2 else {}
        name = f"film{number}.mp4"
        made.append((name, scored_timeline(store, name=name, porn=porn, gunshots=heard)))
    return made


def test_the_gravest_and_surest_intervals_come_first(films: list[tuple[str, Timeline]]) -> None:
    queue = draw_queue(films, POLICY)
    assert [(item.name, item.source, item.score) for item in queue.items] == [
        ("sex", "seen", 0.96), ("sex", "seen", 0.76), ("violence", "heard", 0.6),
    ]  # fmt: skip
    assert all(item.kind == "flag" for item in queue.items)
    assert queue.num_flags == len(queue.items)
    assert set(queue.guidelines) == {rule.name for rule in POLICY.classes}
    assert queue.uncovered["film0.mp4"] == ("violence (seen)", "drug use (seen)")
    few = draw_queue(films, POLICY, num_flags=1)
    assert few.items[0].id == queue.items[0].id
    assert (len(few.items), few.num_flags) == (1, queue.num_flags)


def test_unflagged_shots_are_drawn_by_the_seed_alone(films: list[tuple[str, Timeline]]) -> None:
    queue = draw_queue(films, POLICY, num_shots=3, seed=1)
    flagged = {shot for _, film in films for one in film.moderation or () for shot in one.shots}
    drawn = [item.id for item in queue.of_kind("shot")]
    assert len(drawn) == 3
    assert not flagged & set(drawn)
    assert queue.num_unflagged == sum(len(film.shots) for _, film in films) - len(flagged)
    assert [
        item.id for item in draw_queue(films[::-1], POLICY, num_shots=3, seed=1).of_kind("shot")
    ] == drawn
    others = {
        tuple(item.id for item in draw_queue(films, POLICY, num_shots=3, seed=seed).of_kind("shot"))
        for seed in range(8)
    }
    assert len(others) > 1
    every = draw_queue(films, POLICY, num_shots=10_000)
    assert len(every.of_kind("shot")) == every.num_unflagged


def test_a_set_share_is_reviewed_twice_the_same_with_the_same_seed(
    films: list[tuple[str, Timeline]],
) -> None:
    def twice(share: float, seed: int = 0) -> set[str]:
        policy = type(POLICY)(POLICY.name, POLICY.about, share, POLICY.classes)
        queue = draw_queue(films, policy, num_shots=4, seed=seed)
        return {item.id for item in queue.items if item.second}

    assert twice(0) == set()
    assert len(twice(1)) == 4 + draw_queue(films, POLICY).num_flags
    assert len(twice(0.01)) == 2  # one interval and one shot at least
    assert twice(0.4) == twice(0.4)
    assert len({frozenset(twice(0.4, seed)) for seed in range(8)}) > 1


def test_nothing_to_review_says_how_to_look_for_what_was_missed(tmp_path: Path) -> None:
    film = scored_timeline(FolderFeatures(tmp_path))
    with pytest.raises(SettingError, match=r"flags no interval .* --shots N draws some"):
        draw_queue([("film.mp4", film)], POLICY)
    with pytest.raises(SettingError, match="fewer than 0"):
        draw_queue([("film.mp4", film)], POLICY, num_shots=-1)


def test_a_queue_reads_back_and_its_table_is_blank(
    films: list[tuple[str, Timeline]], tmp_path: Path
) -> None:
    queue = draw_queue(films, POLICY, num_shots=2)
    write_queue(tmp_path / "queue.json", queue)
    assert read_queue(tmp_path / "queue.json") == queue
    write_sheet(tmp_path / "queue.csv", queue.items)
    with (tmp_path / "queue.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["shot"] for row in rows] == [item.id for item in queue.items]
    assert {row["rater"] + row["ticked"] for row in rows} == {""}
    assert rows[0]["shown"] == "confirm;reject;unsure"
    assert rows[-1]["shown"] == "sex;suggestive;violence;drug use;none;unsure"


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema": "other"}', "no JSON"])
def test_what_is_no_queue_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "queue.json").write_text(text)
    with pytest.raises(DatasetError, match="is no queue of moderation"):
        read_queue(tmp_path / "queue.json")


def test_an_item_of_a_queue_that_holds_no_texts_is_refused(
    films: list[tuple[str, Timeline]], tmp_path: Path
) -> None:
    queue: Queue = draw_queue(films, POLICY)
    write_queue(tmp_path / "queue.json", queue)
    text = (tmp_path / "queue.json").read_text().replace(f'"{queue.items[0].id}"', "7", 1)
    (tmp_path / "queue.json").write_text(text)
    with pytest.raises(DatasetError, match="holds no texts"):
        read_queue(tmp_path / "queue.json")


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("name", "boredom", "is of no class of the policy"),
        ("choices", ["confirm"], "offers other ticks"),
        ("kind", "scene", "is neither an interval nor a shot"),
        ("second", None, "is neither an interval nor a shot"),
        ("score", None, "a number is none"),
        ("source", [], "holds no texts"),
    ],
)
def test_an_item_that_no_guideline_can_judge_is_refused(
    films: list[tuple[str, Timeline]], tmp_path: Path, key: str, value: object, problem: str
) -> None:
    path = tmp_path / "queue.json"
    write_queue(path, draw_queue(films, POLICY))
    kept = json.loads(path.read_text())
    kept["items"][0][key] = value
    path.write_text(json.dumps(kept))
    with pytest.raises(DatasetError, match=f"is no queue of moderation .*{problem}"):
        read_queue(path)


@pytest.mark.parametrize("guidelines", [None, [], {"sex": 3}])
def test_a_queue_without_guidelines_is_refused(
    films: list[tuple[str, Timeline]], tmp_path: Path, guidelines: object
) -> None:
    path = tmp_path / "queue.json"
    write_queue(path, draw_queue(films, POLICY))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"guidelines": guidelines}))
    with pytest.raises(DatasetError, match="is no queue of moderation"):
        read_queue(path)
