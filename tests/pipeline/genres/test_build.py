"""A data set of trailers: each decoded once, killed and resumed, no film in two splits."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.factories.commands import invoke

from mastershot.core.errors import DatasetError
from mastershot.datasets.genres.listing import ListedTrailer, read_words
from mastershot.datasets.genres.table import read_genre_dataset
from mastershot.media.video import Film
from mastershot.pipeline.experts.watching import ClipExpert
from mastershot.pipeline.genres.build import (
    BuildSettings,
    Built,
    build_genres,
    list_trailers,
)
from mastershot.shots.settings import ShotSettings

SETTINGS = BuildSettings("test", ShotSettings("content", min_shot_s=0.2), licence="ours")
LIST = """file,genres,title,year,synopsis,keywords
loud.mkv,Drama|War,"Loud, and long",1999,A war of colours.,colour;war
mute.mp4,war; Comedy,Mute,2001,,
single.mp4,Comedy,,,A still.,
broken.mp4,Drama,,,,
"""


@pytest.fixture
def listed(trailers: Path, tmp_path: Path) -> tuple[ListedTrailer, ...]:
    (tmp_path / "genres.csv").write_text(LIST)
    return list_trailers(trailers, tmp_path / "genres.csv")


def build(
    trailers: Path,
    listed: Sequence[ListedTrailer],
    experts: Sequence[ClipExpert],
    out: Path,
    settings: BuildSettings = SETTINGS,
) -> Built:
    return build_genres(trailers, listed, experts, out, settings)


def files_of(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def forbid_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_frames(*arguments: object) -> None:
        raise AssertionError("a trailer is decoded again")

    monkeypatch.setattr(Film, "frames", no_frames)


def test_a_data_set_holds_what_can_be_read_and_lists_what_cannot(
    trailers: Path, listed: tuple[ListedTrailer, ...], experts: Sequence[ClipExpert],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    out = tmp_path / "out"
    built = build(trailers, listed, experts, out)
    assert [one.trailer for one in built.failures] == ["broken"]
    assert built.num_decoded == 3
    assert set(built.real_time) >= {"location", "audio", "decoding and shots"}
    data = read_genre_dataset(out)
    assert data.genres == ("Comedy", "Drama", "War")
    assert [(one.id, one.genres) for one in data.trailers] == [
        ("loud", ("Drama", "War")), ("mute", ("War", "Comedy")), ("single", ("Comedy",)),
    ]  # fmt: skip
    assert [one.num_clips for one in data.trailers] == [3, 4, 1]
    assert data.trailers[0].year == 1999
    assert np.isnan(data.vectors("audio", 1)).all()
    assert np.isfinite(data.vectors("audio", 0)).any()
    assert np.isfinite(data.vectors("image", 2)).all()
    words = read_words(out / "words.csv")
    assert words["loud"].startswith("A war of colours. colour war ")
    text = (out / "README.md").read_text()
    assert "3 trailers, 8 clips" in text
    assert "stated by who made this: ours" in text
    assert "1 trailers could not be read" in text
    with (out / "failures.csv").open() as file:
        assert [row["trailer"] for row in csv.DictReader(file)] == ["broken"]

    before = files_of(out)
    forbid_decoding(monkeypatch)
    again = build(trailers, listed, experts, out)
    assert again.num_decoded == 0
    assert files_of(out) == before

    # The damaged one is no longer asked for: nothing of it stays listed.
    build(trailers, listed[:3], experts, out)
    assert not (out / "failures.csv").exists()


def test_only_what_is_new_is_computed(
    trailers: Path, listed: tuple[ListedTrailer, ...], experts: Sequence[ClipExpert], tmp_path: Path
) -> None:
    some = [one for one in experts if one.described.name in ("location", "text")]
    build(trailers, listed[:1], some, tmp_path / "out")
    part = tmp_path / "out" / "parts" / "loud.safetensors"
    first = part.read_bytes()
    more = [one for one in experts if one.described.name in ("location", "text", "audio")]
    built = build(trailers, listed[:1], more, tmp_path / "out")
    assert set(built.seconds) == {"audio", "decoding and shots"}
    whole = build(trailers, listed[:1], more, tmp_path / "other")
    for name in ("location", "text", "audio"):
        one, other = built.dataset.vectors(name, 0), whole.dataset.vectors(name, 0)
        np.testing.assert_array_equal(one, other)
    other_words = [ListedTrailer("loud", "loud.mkv", ("War",), synopsis="A garden of flowers.")]
    built = build(trailers, other_words, more, tmp_path / "out")
    assert set(built.seconds) == {"text", "decoding and shots"}
    # A part that is cut off is made anew.
    part.write_bytes(first[:100])
    built = build(trailers, other_words, more, tmp_path / "out")
    assert set(built.seconds) >= {"location", "text", "audio"}


def test_other_settings_of_shots_make_other_clips(
    trailers: Path, listed: tuple[ListedTrailer, ...], experts: Sequence[ClipExpert], tmp_path: Path
) -> None:
    some = [one for one in experts if one.described.name == "motion"]
    build(trailers, listed[:1], some, tmp_path)
    long = BuildSettings("test", ShotSettings("content", min_shot_s=2.0))
    built = build(trailers, listed[:1], some, tmp_path, long)
    assert built.num_decoded == 1
    assert built.dataset.trailers[0].num_clips == 1


def test_a_run_that_was_killed_goes_on_and_writes_the_same(trailers: Path, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    rows = ["file,genres"]
    for number in range(4):
        shutil.copy(trailers / "mute.mp4", folder / f"t{number}.mp4")
        with (folder / f"t{number}.mp4").open("ab") as file:
            file.write(bytes([number]))  # another film, by its digest
        rows.append(f"t{number}.mp4,War")
    (tmp_path / "list.csv").write_text("\n".join(rows) + "\n")
    out, other = tmp_path / "out", tmp_path / "other"
    command = [
        "genres", "build", str(folder), "--genres", str(tmp_path / "list.csv"),
        "--experts", "location,motion", "--detector", "content", "--name", "same",
    ]  # fmt: skip
    run = subprocess.Popen([sys.executable, "-m", "mastershot", *command, "--out", str(out)])
    deadline = time.monotonic() + 120
    while not list((out / "parts").glob("*.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    kept = {path.name: path.read_bytes() for path in (out / "parts").glob("*.safetensors")}
    assert kept
    assert invoke(*command, "--out", out).exit_code == 0
    assert invoke(*command, "--out", other).exit_code == 0
    after, whole = files_of(out), files_of(other)
    assert all(after[f"parts/{name}"] == data for name, data in kept.items())
    assert {k: v for k, v in after.items() if not k.endswith(".part")} == whole


def test_one_film_in_two_splits_is_refused_before_anything_is_decoded(
    trailers: Path, experts: Sequence[ClipExpert], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_decoding(monkeypatch)
    shutil.copy(trailers / "mute.mp4", tmp_path / "copy.mp4")
    shutil.copy(trailers / "mute.mp4", tmp_path / "mute.mp4")
    pair = [
        ListedTrailer("a", "mute.mp4", ("War",), split="train"),
        ListedTrailer("b", "copy.mp4", ("War",), split="test"),
    ]
    with pytest.raises(DatasetError, match=r"trailers a \(train\) and b \(test\) are the same"):
        build(tmp_path, pair, experts, tmp_path / "out")


def test_two_that_look_the_same_are_refused_in_two_splits_and_kept_together_else(
    trailers: Path, experts: Sequence[ClipExpert], tmp_path: Path
) -> None:
    some = [one for one in experts if one.described.name == "image"]
    for name in ("a", "b"):
        (tmp_path / f"{name}.mp4").write_bytes((trailers / "mute.mp4").read_bytes() + name.encode())
    shutil.copy(trailers / "loud.mkv", tmp_path / "c.mkv")
    stated = [
        ListedTrailer("a", "a.mp4", ("War",), split="train"),
        ListedTrailer("b", "b.mp4", ("War",), split="val"),
    ]
    with pytest.raises(DatasetError, match=r"a \(train\) and b \(val\) look the same"):
        build(tmp_path, stated, some, tmp_path / "out")
    free = [ListedTrailer(one, f, ("War",)) for one, f in
            (("a", "a.mp4"), ("b", "b.mp4"), ("c", "c.mkv"))]  # fmt: skip
    built = build(tmp_path, free, some, tmp_path / "out")
    splits = [one.split for one in built.dataset.trailers]
    assert splits[0] == splits[1]
    assert built.twins == ("a and b look the same (their mean image vectors have cosine 1.0000)",)


def test_a_folder_a_genre_needs_no_list(
    trailers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for genre, name in (("War", "mute.mp4"), ("Comedy", "mute.mp4"), ("Comedy", "single.mp4")):
        (tmp_path / "films" / genre).mkdir(parents=True, exist_ok=True)
        shutil.copy(trailers / name, tmp_path / "films" / genre / name)
    done = invoke("genres", "build", tmp_path / "films", "--out", tmp_path / "out", "--experts",
                  "motion", "--detector", "content", "--split", "train=1", "--json")  # fmt: skip
    assert done.exit_code == 0, done.output
    value = json.loads(done.stdout)
    assert (value["trailers"], value["genres"]) == (2, ["Comedy", "War"])
    data = read_genre_dataset(tmp_path / "out")
    assert data.trailers[0].genres == ("Comedy", "War")
    assert {one.split for one in data.trailers} == {"train"}
    shutil.copy(trailers / "single.mp4", tmp_path / "films" / "War" / "mute.mp4")
    done = invoke("genres", "build", tmp_path / "films", "--out", tmp_path / "out")
    assert (done.exit_code, "have one name and are not the same" in done.stderr) == (1, True)


def test_the_command_says_what_failed_and_how_long_experts_took(
    trailers: Path, tmp_path: Path
) -> None:
    (tmp_path / "g.csv").write_text("id,genres,split\nsingle,War,train\ngone,War,test\n")
    done = invoke("genres", "build", trailers, "--genres", tmp_path / "g.csv", "--out",
                  tmp_path / "out", "--experts", "motion", "--detector", "content")  # fmt: skip
    assert done.exit_code == 1
    assert done.stderr == f"mastershot: {trailers} holds no film of the name gone\n"
    assert "1 trailers decoded, 1 s; of a second each took" in done.stdout
    assert "motion: " in done.stdout
    again = invoke("genres", "build", trailers, "--genres", tmp_path / "g.csv", "--out",
                   tmp_path / "out", "--experts", "motion", "--detector", "content")  # fmt: skip
    assert "nothing was decoded" in again.stdout
    wrong = invoke("genres", "build", trailers, "--out", tmp_path / "out", "--split", "1,2,3")
    assert wrong.exit_code == 2
    (tmp_path / "g.csv").write_text("id,genres\ngone,War\n")
    none = invoke("genres", "build", trailers, "--genres", tmp_path / "g.csv", "--out",
                  tmp_path / "none", "--experts", "motion")  # fmt: skip
    assert none.exit_code == 1
    assert "none of 1 trailers could be read" in none.stderr


def test_pieces_of_a_real_film_make_a_data_set(
    real_data: Path, experts: Sequence[ClipExpert], tmp_path: Path
) -> None:
    names = ("sintel_067_068", "sintel_218_219")
    listed = [ListedTrailer(one, "", ("Animation",), synopsis="A dragon.") for one in names]
    settings = BuildSettings("sintel")
    data = build(real_data / "films" / "sintel", listed, experts, tmp_path, settings).dataset
    assert [one.num_clips > 1 for one in data.trailers] == [True] * 2
    for name in ("location", "image", "text"):
        assert all(np.isfinite(data.vectors(name, place)).all() for place in range(2))
    # The first shot of the first is one frame.
    assert np.isnan(data.vectors("motion", 0)).all(axis=1).tolist() == [True, False]
    assert np.isfinite(data.vectors("motion", 1)).all()
    assert np.isnan(data.vectors("audio", 0)).all()
