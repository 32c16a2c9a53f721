import csv
import json
from pathlib import Path

import pytest
from tests.factories.commands import invoke
from tests.factories.moderation import scored_folder, scored_timeline
from tests.factories.timelines import make_thumbs, make_timeline

from mastershot.encoders.probe import ProbeCard, build_probe, write_probe
from mastershot.labelling.moderation.queue import read_queue
from mastershot.store.library import Library


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library") / "films.mastershot"
    store = Library(folder, create=True)
    for name, porn in (("a.mp4", {45: 0.9}), ("b.mp4", {10: 0.75})):
        movie = make_timeline(name).movie
        timeline = scored_timeline(store.features(movie.id), name=name, porn=porn)
        store.put_timeline(timeline, make_thumbs(timeline))
    plain = make_timeline("c.mp4")
    store.put_timeline(plain, make_thumbs(plain))
    return folder


def fill(sheet: Path, out: Path, reviewer: str, ticks: dict[str, str], note: str = "") -> Path:
    """Write a sheet with a reviewer's verdicts, by class; shots by the empty class."""
    with sheet.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row |= {"rater": reviewer, "ticked": ticks[row["class"]], "note": note}
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return out


def test_policies_are_listed_checked_and_printed(tmp_path: Path) -> None:
    listed = invoke("moderation", "policies")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [
        "default",
        "lenient",
        "strict",
    ]
    shown = invoke("moderation", "policies", "strict")
    assert shown.stdout.startswith("policy: strict")
    path = tmp_path / "mine.yaml"
    path.write_text(shown.stdout.replace("violence:", "violance:"))
    wrong = invoke("moderation", "policies", path)
    assert wrong.exit_code == 2
    assert "names class 'violance'; did you mean 'violence'" in wrong.stderr
    assert wrong.stderr.count("\n") == 1


def test_a_policy_may_name_the_classes_of_ones_own_models(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("classes:\n  blood:\n    guideline: x\n    thresholds: {seen: 0.5}\n")
    card = ProbeCard("mine", "mlp", ("blood", "none"), 4, 6, 1, 0.0, 9)
    write_probe(tmp_path / "run" / "probe", card, build_probe(card), figures={})
    refused = invoke("moderation", "policies", path)
    assert refused.exit_code == 2
    assert refused.stderr.endswith(
        "names class 'blood'; its classes can be sex, suggestive, violence, drug use, or those of "
        "a --moderation-model\n"
    )
    model = ("--moderation-model", tmp_path / "run")
    shown = invoke("moderation", "policies", path, *model)
    assert (shown.exit_code, shown.stdout) == (0, path.read_text())
    path.write_text(path.read_text().replace("blood", "none"))
    assert "names class 'none'" in invoke("moderation", "policies", path, *model).stderr
    gone = invoke("moderation", "policies", path, "--moderation-model", tmp_path)
    assert gone.exit_code == 1
    assert "holds neither a probe" in gone.stderr
    unused = invoke("moderation", "policies", *model)
    assert unused.exit_code == 2
    assert "is named, but no policy whose classes it finds" in unused.stderr


def test_a_film_is_tried_with_another_policy(tmp_path: Path) -> None:
    folder = scored_folder(tmp_path / "film", porn={45: 0.6})
    tried = invoke("moderation", "tune", folder, "--policy", "strict")
    assert tried.exit_code == 0, tried.output
    assert "policy strict (" in tried.stdout
    assert "sex, seen: 1 interval, by nsfw" in tried.stdout
    assert "drug use, seen: not covered: no detector" in tried.stdout
    value = json.loads(
        invoke("moderation", "tune", folder, "--policy", "strict", "--write", "--json").stdout
    )
    assert value["written"] is True
    assert [one["name"] for one in value["intervals"]] == ["sex"]
    assert {"name": "drug use", "status": "not covered"}.items() <= value["coverage"][-1].items()
    missing = invoke("moderation", "tune", tmp_path / "nowhere")
    assert missing.exit_code == 1
    assert "Traceback" not in missing.stderr


def test_a_library_is_reviewed_twice_and_reported(library: Path, tmp_path: Path) -> None:
    out = tmp_path / "queue.json"
    drawn = invoke("moderation", "queue", "--library", library, "--out", out, "--shots", 3,
                   "--seed", 1)  # fmt: skip
    assert drawn.exit_code == 0, drawn.output
    assert "1 of 3 films have no scores of moderation: `mastershot analyze" in drawn.stderr
    assert (
        "policy default: 2 of 2 intervals, 3 of 4 unflagged shots; 2 need a second" in drawn.stdout
    )
    assert "not covered in a.mp4, b.mp4: violence (seen), drug use (seen)" in drawn.stdout
    queue = read_queue(out)
    page = (tmp_path / "queue.html").read_text("utf-8")
    assert all(item.id in page for item in queue.items)
    assert "Confirm where the picture shows sexual activity" in page
    assert "Not covered in a.mp4, b.mp4: violence (seen), drug use (seen)." in page
    assert "data:image/jpeg" in page
    second = (tmp_path / "queue-second.html").read_text("utf-8")
    assert sum(item.id in second for item in queue.items) == 2

    early = invoke("moderation", "report", out, "--library", library)
    assert early.exit_code == 1
    assert "no verdict on this queue yet" in early.stderr

    ann = fill(tmp_path / "queue.csv", tmp_path / "ann.csv", "Ann", {"sex": "confirm", "": "none"})
    bob = fill(tmp_path / "queue-second.csv", tmp_path / "bob.csv", "Bob",
               {"sex": "reject", "": "none"}, note="art")  # fmt: skip
    entered = invoke("moderation", "record", out, ann, bob, "--library", library)
    assert "7 of 7 verdicts entered, 0 of them change earlier ones" in entered.stdout
    again = invoke("moderation", "record", out, ann, "--library", library)
    assert "0 of 5 verdicts entered" in again.stdout

    report = invoke("moderation", "report", out, "--library", library)
    assert report.exit_code == 0, report.output
    assert "5 of 5 items reviewed by Ann, Bob" in report.stdout
    assert (
        "sex, seen: 2 intervals, 1 confirm, 1 disputed; precision 100.0% [2.5%, 100.0%] of 1"
        in (report.stdout)
    )
    assert "second reviews: 2 of 2 done; first and second agree on 50.0%" in report.stdout
    assert "disagreement on" in report.stdout
    assert "Ann: confirm, Bob: reject" in report.stdout
    assert (
        "missed, any class: in 0 of 3 unflagged shots, 0.0% [0.0%, 70.8%] of 3; of all unflagged"
        in (report.stdout)
    )
    value = json.loads(invoke("moderation", "report", out, "--library", library, "--json").stdout)
    assert value["second_review"]["disagreements"][0]["verdicts"] == {
        "Ann": ["confirm"], "Bob": ["reject"],
    }  # fmt: skip
    log = (library / "moderation_verdicts.jsonl").read_text().splitlines()
    assert len(log) == 7
    assert json.loads(log[-1])["note"] == "art"
    assert invoke("library", "verify", "--library", library).stderr.count("moderation") == 0


def test_a_verdict_on_an_interval_that_does_not_exist_enters_nothing(
    library: Path, tmp_path: Path
) -> None:
    out = tmp_path / "queue.json"
    assert invoke("moderation", "queue", "--library", library, "--out", out).exit_code == 0
    held = read_queue(out).items[0]
    sheet = tmp_path / "verdicts.csv"
    sheet.write_text(
        f"shot,rater,ticked\n{held.id},Eve,confirm\n0123456789abcdef/mffffffff,Eve,confirm\n"
    )
    done = invoke("moderation", "record", out, sheet, "--library", library)
    assert done.exit_code == 1
    assert (
        "line 3: '0123456789abcdef/mffffffff' is no interval or shot of this queue" in done.stderr
    )
    log = library / "moderation_verdicts.jsonl"
    assert not log.exists() or "Eve" not in log.read_text()


def test_a_queue_may_follow_another_policy_and_few_films(library: Path, tmp_path: Path) -> None:
    out = tmp_path / "queue.json"
    value = json.loads(
        invoke("moderation", "queue", "a.mp4", "--library", library, "--out", out,
               "--policy", "strict", "--json").stdout
    )  # fmt: skip
    assert (value["policy"], value["num_flags"]) == ("strict", 1)
    lenient = invoke("moderation", "queue", "b.mp4", "--library", library, "--out", out,
                     "--policy", "lenient")  # fmt: skip
    assert lenient.exit_code == 2
    assert "policy lenient flags no interval of these films" in lenient.stderr


def test_a_queue_of_films_without_scores_says_which_command_makes_them(
    library: Path, tmp_path: Path
) -> None:
    out = tmp_path / "queue.json"
    done = invoke("moderation", "queue", "c.mp4", "--library", library, "--out", out)
    assert done.exit_code == 1
    assert "no film of library" in done.stderr
    assert "`mastershot analyze FILM --steps" in done.stderr
    assert not out.exists()
    wrong = invoke("moderation", "queue", "--library", library, "--out", tmp_path / "queue.txt")
    assert "a queue goes to a .json file" in wrong.stderr


def test_a_library_shows_what_was_found_and_what_was_not_looked_for(library: Path) -> None:
    shown = invoke("library", "show", "a.mp4", "--library", library)
    assert "moderation, sex, seen: 1 interval, by nsfw" in shown.stdout
    assert "moderation, drug use, seen: not covered: no detector" in shown.stdout


def test_a_table_with_verdicts_is_never_overwritten(library: Path, tmp_path: Path) -> None:
    out = tmp_path / "queue.json"
    assert invoke("moderation", "queue", "--library", library, "--out", out).exit_code == 0
    fill(tmp_path / "queue.csv", tmp_path / "queue.csv", "Ann", {"sex": "confirm", "": "none"})
    done = invoke("moderation", "queue", "--library", library, "--out", out)
    assert done.exit_code == 1
    assert "holds verdicts already" in done.stderr
