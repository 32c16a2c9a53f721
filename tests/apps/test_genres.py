"""The commands about genres."""

import json
from pathlib import Path

from tests.factories.commands import invoke
from tests.factories.trailers import write_run


def test_sub_genres_are_printed_and_written(tmp_path: Path) -> None:
    run, dataset = write_run(tmp_path)
    command = ("genres", "subgenres", run, "--dataset", dataset, "--maps", "tsne")
    done = invoke(*command, "--k", "2-6", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "3 sub-genres of 90 trailers"
    assert lines[-1] == f"→ {tmp_path / 'out' / 'subgenres.html'}"
    assert done.stderr == ""
    as_json = invoke(*command, "--k", "3", "--json")
    facts = json.loads(as_json.stdout)
    assert facts["num_subgenres"] == 3
    assert facts["silhouettes_tried"] == {}


def test_what_is_wrong_is_one_sentence(tmp_path: Path) -> None:
    run, dataset = write_run(tmp_path)
    for options, code, sentence in (
        (("--k", "many"), 2, "--k many is neither a number nor a range such as 2-40"),
        (("--by", "dbscan"), 2, "clustering by 'dbscan' is unknown; use kmeans or hdbscan"),
        (("--maps", "pca"), 2, "a map by 'pca' is unknown; use tsne or umap"),
        (("--within", "Musical"), 1, "genre 'Musical' is unknown; the data set has Drama, Horror"),
        (("--k", "91"), 1, "91 sub-genres were asked for of 90 distinct trailers"),
    ):
        done = invoke("genres", "subgenres", run, "--dataset", dataset, *options)
        assert (done.exit_code, done.stdout) == (code, ""), done.output
        [line] = done.stderr.splitlines()
        assert line.startswith(f"mastershot: {sentence}")


def test_statistics_are_printed_and_drawn(tmp_path: Path) -> None:
    _, dataset = write_run(tmp_path)
    done = invoke("genres", "stats", dataset)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "planted: 90 trailers, 0 clips"
    assert lines[-2:] == ["year unknown: 1 trailers", f"→ {dataset / 'stats' / 'stats.html'}"]
    out = dataset / "stats"
    names = {"genres", "genres_a_trailer", "clips_a_trailer", "years"}
    assert {path.stem for path in out.glob("*.svg")} == names
    assert (out / "stats.csv").read_text().splitlines()[:2] == [
        "histogram,bin,trailers,train,val,test", "genres,Comedy,30,10,10,10",
    ]  # fmt: skip
    page = (out / "stats.html").read_text()
    assert page.count("<svg") == 4
    assert "The year of 1 trailer is not known." in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    facts = json.loads(invoke("genres", "stats", dataset, "--out", tmp_path / "o", "--json").stdout)
    assert facts["histograms"]["genres"][0] == {
        "bin": "Comedy", "trailers": 30, "train": 10, "val": 10, "test": 10,
    }  # fmt: skip
    gone = invoke("genres", "stats", tmp_path / "gone")
    assert (gone.exit_code, gone.stderr.count("\n")) == (1, 1)
