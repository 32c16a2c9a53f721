import json
from pathlib import Path

import pytest
from tests.factories.commands import invoke
from tests.factories.models import make_scale_classifier
from typer.testing import Result

from mastershot.core.labels import Taxonomy
from mastershot.core.movie import SCALES
from mastershot.datasets.movieclip import (
    read_split_folder,
    shot_file_name,
    write_index,
    write_split,
)
from mastershot.datasets.tables.records import LabelledShot
from mastershot.datasets.tables.score_table import open_scores
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.store.library import Library


def select(dataset: Path, out: Path, *options: object) -> Result:
    return invoke("label", "select", dataset, "--out", out, "--top1", 0, "--index", "all",
               "--splits", "train=0.67,test=0.33", *options)  # fmt: skip


def test_a_clip_that_fails_is_one_sentence_and_the_exit_code(
    clips: Path, tiny: Path, tmp_path: Path
) -> None:
    done = invoke("label", "build", clips, tmp_path / "gone.mp4", "--out", tmp_path, "--json",
               "--encoder", tiny, "--format", "lance")  # fmt: skip
    assert done.exit_code == 1
    assert done.stderr == f"mastershot: {tmp_path / 'gone.mp4'} does not exist\n"
    value = json.loads(done.stdout)
    assert (value["num_clips"], Path(value["table"]).name) == (3, "scores.lance")
    assert [failure["clip"] for failure in value["failures"]] == [str(tmp_path / "gone.mp4")]
    debug = invoke("label", "build", clips, tmp_path / "gone.mp4", "--out", tmp_path, "--debug",
                "--encoder", tiny)  # fmt: skip
    assert "Traceback" in debug.stderr


def test_a_library_is_a_source(dataset: Path, tiny: Path, tmp_path: Path) -> None:
    library = dataset / "clips.mastershot"
    done = invoke("label", "build", "--library", library, "--out", tmp_path, "--encoder", tiny)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "scores.parquet").read_bytes() == (dataset / "scores.parquet").read_bytes()


def test_scores_may_be_smoothed_and_say_so(dataset: Path, tiny: Path, tmp_path: Path) -> None:
    library = dataset / "clips.mastershot"
    done = invoke("label", "build", "--library", library, "--out", tmp_path, "--encoder", tiny,
               "--smoothing", "0.9")  # fmt: skip
    assert done.exit_code == 0, done.output
    smoothed, plain = (open_scores(folder / "scores.parquet") for folder in (tmp_path, dataset))
    assert smoothed.made_by["labels"]["smoothing"]["stay"] == 0.9
    assert "smoothing" not in plain.made_by["labels"]
    pairs = zip(smoothed.batches(), plain.batches(), strict=True)
    assert any((one.scores != other.scores).any() for one, other in pairs)


def test_shots_and_scales_are_found_as_the_options_say(
    clips: Path, tiny: Path, tmp_path: Path
) -> None:
    space = load_frame_encoder(tiny, precision="float32").space
    scale = make_scale_classifier(
        tmp_path / "scale", encoder=str(tiny), width=space.width, encoder_hash=space.weights_hash
    )
    done = invoke("label", "build", clips / "one.mp4", "--out", tmp_path / "out", "--encoder", tiny,
               "--precision", "float32", "--detector", "content", "--exact", "--threshold", 200,
               "--min-shot", 0.25, "--sampling", "rate:4", "--scale", scale)  # fmt: skip
    assert (done.exit_code, done.stderr) == (0, "")
    table = open_scores(tmp_path / "out" / "scores.parquet")
    (shots,) = table.made_by["shots"]
    del shots["library"]
    settings = {"detector": "content", "pixels": "exact", "threshold": 200.0, "min_shot_s": 0.25}
    assert shots == settings
    assert table.made_by["frames"] == [{"sampling": "rate:4"}]
    (batch,) = table.batches()
    assert len(batch.videos) == 1  # no score of a cut is as high as 200
    (movie,) = Library(tmp_path / "out" / "clips.mastershot").movies()
    steps = Library(tmp_path / "out" / "clips.mastershot").timeline(movie.id).made_by.steps
    assert steps["scale"]["classifier"] == "tiny"
    assert batch.scales is not None
    assert set(batch.scales) <= set(SCALES)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--out", "OUT"], 2, "name clips, a folder of clips, or a --library"),
        (["CLIPS", "--out", "OUT", "--format", "csv"], 2, "format 'csv' is unknown"),
        (["CLIPS", "--out", "OUT", "--policy", "strict"], 2, "No such option: --policy"),
        (["CLIPS", "--out", "OUT", "--genres", "OUT"], 2, "No such option: --genres"),
        (["CLIPS", "--out", "OUT", "--sampling", "often"], 2, "sampling 'often' means nothing"),
        (["CLIPS", "--out", "OUT", "--smoothing", "very"], 2, "smoothing 'very' means nothing"),
        (["CLIPS", "--out", "OUT", "--taxonomy", "movieclp"], 1, "did you mean 'movieclip'?"),
        (
            ["CLIPS", "--out", "OUT", "--encoder", "somebody/clip"],
            1,
            "No labels or headings: the weights",
        ),
        (["CLIPS", "--out", "OUT", "--min-shot", "-1"], 2, "minimum shot length is -1.0 s"),
        (["CLIPS", "--out", "OUT", "--precision", "int8"], 1, "computes only in float32"),
        (["CLIPS", "--out", "OUT", "--scale", "EMPTY"], 2, "holds no classifier of shot scales"),
        (["--library", "OUT", "--out", "OUT", "--scale", "OUT"], 2, "--scale is for clips"),
        (["--library", "OUT", "--out", "OUT"], 1, "no library at"),
        (["EMPTY", "--out", "OUT"], 1, "holds no clip; clips are files"),
    ],
)
def test_a_wrong_option_says_what_would_be_right(
    clips: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "empty").mkdir()
    names = {"CLIPS": clips, "OUT": tmp_path / "out", "EMPTY": tmp_path / "empty"}
    done = invoke("label", "build", *(names.get(word, word) for word in arguments))
    assert done.exit_code == code
    assert words in " ".join(done.stderr.replace("│", " ").split())


def test_a_selection_is_counted_and_written(dataset: Path, tmp_path: Path) -> None:
    done = select(dataset, tmp_path)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert "177 classes" in lines[0]
    assert lines[1].startswith("left out: 0 unsure")
    assert lines[-1] == f"→ {tmp_path}"
    _, splits = read_split_folder(tmp_path)
    assert list(splits) == ["train", "test"]
    facts = json.loads(select(dataset, tmp_path, "--json").stdout)
    assert facts["splits"] == {name: len(shots) for name, shots in splits.items()}


def test_splits_are_by_film_and_verified_clips_are_left_out(dataset: Path, tmp_path: Path) -> None:
    films = tmp_path / "films.csv"
    films.write_text("video,film,year,genres\none,f,1999,War\ntwo,f,1999,War\nthree,g,2001,\n")
    done = select(dataset, tmp_path / "a", "--films", films)
    assert "train and test share 0 clips" in done.stdout
    assert "0 films (of 1 and 1)" in done.stdout
    (tmp_path / "verified.txt").write_text("v_two_seg_0_10/v_two_seg_0_10-Scene-001.mp4 149\n")
    held = select(dataset, tmp_path / "b", "--films", films, "--verified",
                  tmp_path / "verified.txt")  # fmt: skip
    assert held.exit_code == 0, held.output
    assert "human-verified share 0 clips" in held.stdout
    assert "two/" not in "".join(path.read_text() for path in (tmp_path / "b").glob("*.txt"))


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--top1", "1.5"], 2, "the top-1 threshold is 1.5; scores go from 0 to 1"),
        (["--others", "-1"], 2, "the other threshold is -1"),
        (["--splits", "0.5,0.6"], 2, "split ratios should be above 0 with sum 1"),
        (["--index", "gone.txt"], 1, "taxonomy 'gone.txt' is neither a file nor one of"),
        (["--films", "gone.csv"], 1, "table of clips gone.csv cannot be read"),
    ],
)
def test_a_selection_that_means_nothing_is_one_sentence(
    dataset: Path, tmp_path: Path, options: list[str], code: int, words: str
) -> None:
    done = invoke("label", "select", dataset, "--out", tmp_path / "out", *options)
    assert (done.exit_code, len(done.stderr.splitlines())) == (code, 1)
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_figures_are_printed_and_drawn(dataset: Path, tmp_path: Path) -> None:
    films = tmp_path / "films.csv"
    films.write_text("video,film,year,genres\none,f,1999,War\ntwo,f,1999,War\n")
    done = invoke("label", "stats", dataset, "--genres", films, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("1 movies, 1999-1999, 3 clips, ")
    assert "The film of 1 of 3 clips is not in the table" in done.stderr
    page = (tmp_path / "stats.html").read_text("utf-8")
    assert "data:image/jpeg" in page
    value = json.loads(invoke("label", "stats", dataset, "--json").stdout)
    assert value["corpus"]["num_clips"] == 3
    assert invoke("label", "stats", dataset, "--gallery", "-1").exit_code == 2
    none = invoke("label", "stats", tmp_path)
    assert (none.exit_code, len(none.stderr.splitlines())) == (1, 1)
    assert "is no data set" in none.stderr


def test_splits_have_figures(dataset: Path, tmp_path: Path) -> None:
    select(dataset, tmp_path)
    done = invoke("label", "stats", tmp_path)
    assert done.exit_code == 0, done.output
    assert "train: " in done.stdout
    assert "train and test share 0 clips" in done.stdout


def test_which_place_follows_which_is_printed(tmp_path: Path) -> None:
    write_index(tmp_path / "index.json", Taxonomy("places", ("bar", "kitchen")))
    shots = [LabelledShot("v", shot_file_name("v", n), (int(n > 2),)) for n in range(1, 5)]
    write_split(tmp_path / "train.txt", shots)
    lines = invoke("label", "stats", tmp_path).stdout.splitlines()
    assert "of 3 pairs of shots that follow each other, 66.7% keep the label" in lines
    assert "after bar (2): itself 50.0%, kitchen 50.0%" in lines
    assert "after kitchen (1): itself 100.0%" in lines
    rows = json.loads(invoke("label", "stats", tmp_path, "--json").stdout)["transitions"]
    assert rows[0]["others"] == [["kitchen", 0.5]]
