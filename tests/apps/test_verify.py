import csv
import json
from pathlib import Path

from tests.factories.commands import invoke

from mastershot.apps.verify import _alpha, _share
from mastershot.datasets.movieclip import read_split_folder
from mastershot.evaluation.bootstrap import UNDEFINED, Figure
from mastershot.labelling.draws import read_draw


def test_a_draw_is_rated_and_reported(dataset: Path, tmp_path: Path) -> None:
    done = invoke("verify", "draw", dataset, "--n", 5, "--out", tmp_path / "draw.json")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("5 of ")
    assert "data:image/jpeg" in (tmp_path / "draw.html").read_text("utf-8")
    draw = read_draw(tmp_path / "draw.json")
    for rater in ("ann", "bob"):
        with (tmp_path / f"{rater}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["shot", "rater", "ticked"])
            for number, shot in enumerate(draw.shots):
                writer.writerow([shot.name, rater, shot.labels[0] if number < 3 else ""])
    sheets = [tmp_path / "ann.csv", tmp_path / "bob.csv"]
    report = invoke("verify", "report", tmp_path / "draw.json", *sheets, "--index", "all",
                 "--out", tmp_path / "report")  # fmt: skip
    assert report.exit_code == 0, report.output
    assert "5 of 5 drawn shots rated by 2 raters, 10 verdicts" in report.stdout
    assert "best label confirmed: 60.0% [" in report.stdout
    assert "Krippendorff's alpha: 1.000" in report.stdout
    assert "evaluation subset: 3 shots; 2 dropped, 0 outside the index" in report.stdout
    _, splits = read_split_folder(tmp_path / "report")
    assert len(splits["human-verified"]) == 3
    alone = invoke("verify", "report", tmp_path / "draw.json", sheets[0], "--index", "all")
    assert "alpha: not defined" in alone.stdout
    value = json.loads(
        invoke(
            "verify", "report", tmp_path / "draw.json", *sheets, "--index", "all", "--json"
        ).stdout
    )
    assert value["best_confirmed"]["value"] == 0.6


def test_figures_of_one_clip_say_that_they_have_no_interval() -> None:
    alone = Figure(0.5, UNDEFINED, 2)
    assert (_share(alone), _alpha(alone)) == ("50.0%, no interval", "0.500, no interval")


def test_an_equal_draw_says_so(dataset: Path, tmp_path: Path) -> None:
    table = dataset / "scores.parquet"
    done = invoke(
        "verify", "draw", table, "--n", 4, "--equal", "--out", tmp_path / "d.json", "--json"
    )
    assert "the page has no pictures" in done.stderr
    assert json.loads(done.stdout)["num_drawn"] == 4
    draw = read_draw(tmp_path / "d.json")
    rows = [f"{shot.name},ann," for shot in draw.shots]
    (tmp_path / "ann.csv").write_text("\n".join(["shot,rater,ticked", *rows, ""]))
    report = invoke("verify", "report", tmp_path / "d.json", tmp_path / "ann.csv", "--index", "all")
    assert "each shot weighted by the shots it stands for" in report.stdout


def test_verdicts_that_cannot_be_meant_are_one_sentence(dataset: Path, tmp_path: Path) -> None:
    invoke("verify", "draw", dataset, "--n", 2, "--out", tmp_path / "draw.json")
    shot = read_draw(tmp_path / "draw.json").shots[0]
    draw, sheet = tmp_path / "draw.json", tmp_path / "ann.csv"
    for text, code, words in (
        ("v/9.mp4,ann,", 1, "names shot 'v/9.mp4', which was not drawn"),
        (f"{shot.name},ann,moon base", 1, "ticks 'moon base' on"),
        ("", 1, "there is no verdict yet"),
    ):
        sheet.write_text(f"shot,rater,ticked\n{text}\n")
        done = invoke("verify", "report", draw, sheet)
        assert (done.exit_code, len(done.stderr.splitlines())) == (code, 1)
        assert words in done.stderr
    done = invoke("verify", "report", sheet, sheet)
    assert "is no draw of shots" in done.stderr
    usage = invoke("verify", "report", draw, sheet, "--index", "min-shots:3")
    assert usage.exit_code == 2
    nothing = invoke("verify", "draw", dataset, "--n", 0, "--out", tmp_path / "x.json")
    assert (nothing.exit_code, nothing.stderr) == (
        2, "mastershot: a draw of 0 shots means nothing; draw at least 1\n",
    )  # fmt: skip
