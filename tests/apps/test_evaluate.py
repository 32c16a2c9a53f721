import json
from pathlib import Path

import pytest
import torch
from tests.factories.commands import invoke
from tests.factories.downstream import write_clip_features, write_lvu
from tests.factories.movies2scenes import FEATURE_NET
from tests.factories.tag_scores import drawn_scores
from tests.factories.timelines import make_timeline

from mastershot.datasets.tables.tag_scores import write_tag_scores
from mastershot.training.movies2scenes.checkpoints import SCENE_STEM, write_encoder
from mastershot.training.movies2scenes.networks import SceneShape, scene_network


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    for name, skill in (("lstm", 0.4), ("swin", 0.6)):
        (tmp_path / name / "scores").mkdir(parents=True)
        write_tag_scores(tmp_path / name / "scores" / "test.npz", drawn_scores(60, skill=skill))
    return tmp_path / "lstm", tmp_path / "swin"


def test_runs_are_compared_and_a_report_is_written(runs: tuple[Path, Path], tmp_path: Path) -> None:
    one, other = runs
    out = tmp_path / "out"
    done = invoke("evaluate", "--task", "tagging", "--run", one, "--run", other, "--out", out)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].startswith("scores  gain in mAP")
    assert {path.name for path in out.iterdir()} == {
        "evaluation.json", "evaluation.md", "evaluation.html",
    }  # fmt: skip
    file = other / "scores" / "test.npz"
    alone = invoke("evaluate", "--task", "tagging", "--features", file, "--json")
    value = json.loads(alone.stdout)
    assert value["schema"] == "mastershot/evaluation/1"
    assert [result["name"] for result in value["results"]] == ["test"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--run", "none"], 2, "name what is measured with --task: tagging"),
        (["--task", "tagging"], 2, "nothing to evaluate was given"),
        (["--task", "tagging", "--encoder", "starter"], 2, "does not take --encoder"),
        (["--task", "tagging", "--run", "none"], 1, "run none holds no scores"),
        (["--task", "tagging", "--features", "none.npz"], 1, "none.npz cannot be read: No such"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(
    arguments: list[str], code: int, message: str
) -> None:
    done = invoke("evaluate", *arguments)
    assert done.exit_code == code, done.output
    assert done.stderr.startswith("mastershot: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_features_and_a_run_are_measured_on_a_task(tmp_path: Path) -> None:
    write_lvu(tmp_path / "data" / "lvu", "scene")
    features = write_clip_features(tmp_path / "clips.npz")
    run, shape = tmp_path / "run", SceneShape(3, (6,))
    torch.manual_seed(0)
    network = scene_network(FEATURE_NET, shape)
    about = {"recipe": {"shots": {"pooling": "mean"}}}
    folder = run / "scenes" / "scene_encoder"
    write_encoder(folder, SCENE_STEM, FEATURE_NET, shape, network, metadata=about)
    out = tmp_path / "out"
    done = invoke(
        "evaluate", "--task", "lvu/scene", "--features", features, "--run", run,
        "--data", tmp_path / "data", "--seeds", 2, "--out", out, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (result,) = json.loads(done.stdout)["results"]
    assert [row["name"] for row in result["measured"]] == ["clips", "run"]
    assert result["measured"][0]["figures"]["all"]["value"] > 0.9
    assert result["seeds"] == [0, 1]
    assert (out / "evaluation.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--task", "lvu/plac", "--features", "x"], 2, "did you mean 'lvu/place'? known are tagg"),
        (["--task", "lvu/place"], 2, "takes --run or --features or --encoder"),
        (["--task", "lvu/place", "--features", "none.npz"], 1, "none.npz cannot be read: No such"),
        (["--task", "lvu/place", "--run", "none"], 1, "none holds no scene_encoder.json"),
        (["--task", "lvu/place", "--features", "FILE"], 1, "does not exist; name the folder of"),
        (
            ["--task", "lvu", "--features", "FILE", "--missing-labels", "skip"],
            2,
            "missing labels is 'skip'; it should be keep or drop",
        ),
    ],
)
def test_what_a_downstream_task_cannot_take_is_one_sentence(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    file = str(write_clip_features(tmp_path / "clips.npz"))
    given = [file if argument == "FILE" else argument for argument in arguments]
    done = invoke("evaluate", *given, "--data", tmp_path / "none")
    assert done.exit_code == code, done.output
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """The folder of a timeline with cuts at 40 and 70 of 120 frames, and of its true list."""
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "timeline.json").write_text(make_timeline().to_json(), "utf-8")
    (tmp_path / "truth.txt").write_text("0 41\n42 69\n70 119\n", "utf-8")
    return tmp_path / "film"


def test_shots_are_compared_with_a_list(film: Path) -> None:
    truth = film.parent / "truth.txt"
    done = invoke("evaluate", "shots", "--truth", truth, film)
    assert done.exit_code == 0, done.output
    header, detected = done.stdout.splitlines()[:2]
    assert header.split() == ["true", "found", "matched", "precision", "recall", "F1", "detected"]
    assert detected.split()[:5] == ["detected", "2", "2", "2", "1.000"]
    exact = invoke("evaluate", "shots", "--truth", truth, "--tolerance", 0, film, "--json")
    value = json.loads(exact.stdout)
    assert (value["schema"], value["task"]) == ("mastershot/evaluation/1", "shots")
    assert value["detected"]["f1"]["value"] == 0.5
    out = film.parent / "report"
    assert invoke("evaluate", "shots", "--truth", truth, film, "--out", out).exit_code == 0
    assert [path.name for path in out.iterdir()] == ["shots.json"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--truth", "none.txt"], 1, "shot list none.txt cannot be read: No such file"),
        ([], 1, "should hold one lane of role truth; it holds none: give the true boundaries with"),
        (["--truth", "TRUTH", "--truth-rate", "x"], 2, "truth rate is 'x'; it should be a number"),
        (["--truth", "TRUTH", "--truth-rate", "1/0"], 2, "truth rate is '1/0'; it should be a"),
        (["--truth", "TRUTH", "--truth-rate", "48"], 0, ""),
        (["--truth", "TRUTH", "--truth-rate", "12"], 1, "goes on to frame 119, but film.mp4 ends"),
        (["--truth", "TRUTH", "--tolerance", "-1"], 2, "tolerance is -1.0; it must be 0 frames or"),
        (["--truth", "TRUTH", "--tolerance", "nan"], 2, "tolerance is nan"),
        (["--truth", "TRUTH", "--flashes", "none.txt"], 1, "list of flashes none.txt cannot be"),
    ],
)
def test_what_shots_cannot_be_compared_with_is_one_sentence(
    arguments: list[str], code: int, message: str, film: Path
) -> None:
    truth = str(film.parent / "truth.txt")
    given = [truth if argument == "TRUTH" else argument for argument in arguments]
    done = invoke("evaluate", "shots", *given, film)
    assert done.exit_code == code, done.output
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == (1 if message else 0)


def test_help_of_evaluate_names_what_it_measures() -> None:
    assert "shots" in invoke("evaluate", "--help").stdout
    assert invoke("evaluate").exit_code == 2
    assert "--truth-rate" in invoke("evaluate", "shots", "--help").stdout
