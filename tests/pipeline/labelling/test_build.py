import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from tests.factories.films import drawn_film
from tests.factories.models import make_tiny_clip
from tests.factories.reference import clip_scene_scores

import mastershot as ms
from mastershot.core.errors import (
    DatasetError,
    EncoderError,
    LibraryError,
    MediaError,
    TaxonomyError,
)
from mastershot.core.labels import load_taxonomy
from mastershot.datasets.movieclip import read_tags
from mastershot.datasets.tables.records import ScoredShots, shots_of
from mastershot.datasets.tables.score_table import open_scores
from mastershot.pipeline import library as libraries
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan, prepare
from mastershot.pipeline.labelling.build import (
    FAILURES,
    Build,
    build_from_clips,
    build_from_library,
    find_clips,
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_clip(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def loaded(tiny: Path) -> LoadedPlan:
    return prepare(Plan(encoder=str(tiny)))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    (folder / "1999").mkdir()
    drawn_film(folder / "1999" / "one.mp4", num_scenes=3)
    drawn_film(folder / "two.mp4", num_scenes=2, shots_per_scene=3)
    shutil.copy(folder / "two.mp4", folder / "same as two.mp4")
    (folder / "readme.txt").write_text("no clip")
    (folder / ".hidden.mp4").write_text("no clip")
    return folder


@pytest.fixture(scope="module")
def built(clips: Path, loaded: LoadedPlan, tmp_path_factory: pytest.TempPathFactory) -> Build:
    out = tmp_path_factory.mktemp("built")
    return build_from_clips([clips], loaded, ms.Library(out / "clips.mastershot"), out)


def columns(build: Build) -> ScoredShots:
    (shots,) = open_scores(build.table).batches()
    return shots


def results(build: Build) -> tuple[bytes, bytes]:
    return build.table.read_bytes(), build.tags.read_bytes()


def test_every_shot_of_every_clip_is_there_under_its_names(built: Build) -> None:
    assert (built.num_clips, built.num_shots, built.failures) == (3, 18, ())
    shots = columns(built)
    assert list(dict.fromkeys(shots.videos)) == ["one", "same as two", "two"]
    assert shots.files[:2] == ["one-Scene-001.mp4", "one-Scene-002.mp4"]
    assert shots.frames[0, 0] == 0
    np.testing.assert_array_equal(shots.frames[6:12], shots.frames[12:])
    assert not (built.table.parent / FAILURES).exists()


def test_every_label_has_the_score_of_the_plain_loop(
    built: Build, clips: Path, loaded: LoadedPlan
) -> None:
    library = ms.Library(built.table.parent / "clips.mastershot")
    labeller, shots = loaded.labeller, columns(built)
    assert labeller is not None
    timeline = library.add(clips / "two.mp4", loaded=loaded)
    kept = library.features(timeline.movie.id).get(labeller.encoder.space)
    for row, shot in enumerate(timeline.shots, start=12):
        vectors = kept.vectors[np.isin(kept.frames, shot.sampled_frames)]
        due = clip_scene_scores(
            vectors.tolist(), labeller.label_vectors.tolist(), labeller.encoder.logit_scale
        )
        found = dict(zip(shots.labels[row].tolist(), shots.scores[row].tolist(), strict=True))
        assert len(found) == len(labeller.taxonomy) == 179
        np.testing.assert_allclose([found[label] for label in range(179)], due, atol=1e-5)
        assert (np.diff(shots.scores[row]) <= 0).all()


def test_the_released_form_holds_the_best_five_of_the_same(built: Build) -> None:
    taxonomy = load_taxonomy("movieclip")
    assert list(read_tags(built.tags)) == list(shots_of(columns(built).best(), taxonomy))
    value = json.loads(built.tags.read_text())
    shot = value["one"]["one-Scene-001.mp4"]
    assert [*shot] == ["start_frame", "end_frame", "start_time", "end_time", "labels"]
    assert len(shot["labels"]) == 5


def test_a_table_says_how_it_was_made(built: Build, tiny: Path) -> None:
    made = open_scores(built.table).made_by
    assert made["version"] == ms.__version__
    assert made["labels"]["encoder"] == tiny.name
    assert "keep" not in made["labels"]  # scores hang on no threshold
    assert [shots["detector"] for shots in made["shots"]] == ["temporal"]
    assert made["frames"] == [{"sampling": "uniform:3"}]


def test_the_same_run_again_decodes_nothing_and_gives_the_same_bytes(
    built: Build, clips: Path, loaded: LoadedPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, library = results(built), ms.Library(built.table.parent / "clips.mastershot")
    monkeypatch.setattr(libraries, "analyze_movie", lambda *_, **__: pytest.fail("analysed again"))
    again = build_from_clips([clips], loaded, library, built.table.parent)
    assert results(again) == before


def test_a_run_that_was_stopped_goes_on_and_comes_to_the_same(
    built: Build, clips: Path, loaded: LoadedPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, analyse, seen = ms.Library(tmp_path / "clips.mastershot"), libraries.analyze_movie, []

    def stopped(*arguments: object, **options: object) -> object:
        if len(seen) == 1:
            raise KeyboardInterrupt
        seen.append(arguments)
        return analyse(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(libraries, "analyze_movie", stopped)
        with pytest.raises(KeyboardInterrupt):
            build_from_clips([clips], loaded, library, tmp_path)
    assert not (tmp_path / "scores.parquet").exists()
    assert results(build_from_clips([clips], loaded, library, tmp_path)) == results(built)


def test_a_library_is_labelled_again_without_its_films(
    built: Build, clips: Path, loaded: LoadedPlan, tiny: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(libraries, "analyze_movie", lambda *_, **__: pytest.fail("analysed again"))
    library = ms.Library(tmp_path / "films.mastershot")
    shutil.rmtree(library.path)
    shutil.copytree(built.table.parent / "clips.mastershot", library.path)
    (tmp_path / "mine.txt").write_text("kitchen\nharbour\n")
    other = prepare(Plan(encoder=str(tiny), taxonomy=tmp_path / "mine.txt"))
    before = library.dump()
    again = build_from_library(other, library, tmp_path / "out", table="scores.lance")
    assert (again.num_clips, again.num_shots) == (2, 12)  # of two same files it holds one
    assert library.dump() == before
    table = open_scores(again.table)
    assert table.taxonomy.labels == ("kitchen", "harbour")
    (shots,) = table.batches()
    np.testing.assert_allclose(shots.scores.sum(axis=1), 1, atol=1e-5)
    same = build_from_library(loaded, library, tmp_path / "out")
    assert not (tmp_path / "out" / "scores.lance").exists()
    first = columns(same).scores[:6]
    np.testing.assert_array_equal(first, columns(built).scores[:6])


def test_clips_that_fail_are_listed_and_do_not_stop_the_rest(
    clips: Path, loaded: LoadedPlan, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("no film")
    (tmp_path / "other").mkdir()
    shutil.copy(clips / "two.mp4", tmp_path / "other" / "two.mp4")
    shutil.copy(clips / "two.mp4", tmp_path / "a\nb.mp4")
    out, errors = tmp_path / "out", []
    names = ("text.mp4", "gone.mp4", "a\nb.mp4", "other")
    paths = [clips / "two.mp4", *(tmp_path / name for name in names)]
    library = ms.Library(tmp_path / "l.mastershot")
    build = build_from_clips(paths, loaded, library, out, failed=errors.append)
    assert (build.num_clips, build.num_shots) == (1, 6)
    reasons = {Path(failure.clip).name: failure.reason for failure in build.failures}
    assert reasons.keys() == {"text.mp4", "gone.mp4", "two.mp4", "a\nb.mp4"}
    assert "does not exist" in reasons["gone.mp4"]
    assert "has a name that no data set can hold" in reasons["a\nb.mp4"]
    assert "has the name of" in reasons["two.mp4"]
    assert len(errors) == 4
    assert {type(error) for error in errors} == {MediaError, DatasetError}
    with (out / FAILURES).open(newline="") as file:
        listed = [(row["clip"], row["reason"]) for row in csv.DictReader(file)]
    assert listed == [(failure.clip, failure.reason) for failure in build.failures]
    build_from_clips([clips / "two.mp4"], loaded, library, out)
    assert not (out / FAILURES).exists()


def test_a_clip_without_a_frame_has_no_shot_and_is_one_sentence(
    clips: Path, loaded: LoadedPlan, tmp_path: Path
) -> None:
    with av.open(str(tmp_path / "none.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    library = ms.Library(tmp_path / "l.mastershot")
    build = build_from_clips([tmp_path / "none.mkv", clips / "two.mp4"], loaded, library, tmp_path)
    assert build.num_clips == 1
    (failure,) = build.failures
    assert "none.mkv" in failure.reason
    assert "unforeseen" not in failure.reason


def test_two_films_of_a_library_with_one_name_are_reported(
    clips: Path, loaded: LoadedPlan, tmp_path: Path
) -> None:
    library, path = ms.Library(tmp_path / "l.mastershot"), tmp_path / "film.mp4"
    for clip in ("1999/one.mp4", "two.mp4"):
        shutil.copy(clips / clip, path)
        library.add(path, loaded=loaded)
    build = build_from_library(loaded, library, tmp_path / "out")
    assert build.num_clips == 1
    assert "a data set knows clips by their names" in build.failures[0].reason


def test_a_clip_that_cannot_be_scored_is_listed_too(
    clips: Path, loaded: LoadedPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mastershot.pipeline.labelling import build

    score, calls = build.label_scores, []

    def failing(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise LibraryError("the vectors are damaged")
        return score(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(build, "label_scores", failing)
    build = build_from_clips([clips], loaded, ms.Library(tmp_path / "l.mastershot"), tmp_path)
    assert build.num_clips == 2
    assert [failure.reason for failure in build.failures] == ["the vectors are damaged"]


def test_where_no_clip_can_be_labelled_nothing_is_written_over(
    built: Build, loaded: LoadedPlan, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("no film")
    shutil.copy(built.table, tmp_path / "scores.parquet")
    library = ms.Library(tmp_path / "l.mastershot")
    with pytest.raises(DatasetError, match=r"none of 1 clips could be labelled; .*failures\.csv"):
        build_from_clips([tmp_path / "text.mp4"], loaded, library, tmp_path)
    assert (tmp_path / "scores.parquet").read_bytes() == built.table.read_bytes()
    assert (tmp_path / FAILURES).exists()


def test_clips_are_found_in_folders_and_below(clips: Path) -> None:
    names = [path.name for path in find_clips([clips, clips / "two.mp4", Path("gone.mp4")])]
    assert names == ["gone.mp4", "one.mp4", "same as two.mp4", "two.mp4"]


def test_a_folder_without_clips_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").touch()
    with pytest.raises(DatasetError, match=r"holds no clip; clips are files that end in \.3gp"):
        find_clips([tmp_path])


def test_an_empty_library_is_an_error(loaded: LoadedPlan, tmp_path: Path) -> None:
    library = ms.Library(tmp_path / "l.mastershot")
    with pytest.raises(DatasetError, match="holds no film to label; add some first"):
        build_from_library(loaded, library, tmp_path)


def test_a_library_without_vectors_of_the_encoder_says_so(built: Build, tmp_path: Path) -> None:
    other = prepare(Plan(encoder=str(make_tiny_clip(tmp_path / "other", seed=1))))
    library = ms.Library(built.table.parent / "clips.mastershot")
    errors: list[Exception] = []
    with pytest.raises(DatasetError, match="none of 2 clips"):
        build_from_library(other, library, tmp_path / "out", failed=errors.append)
    assert "holds no vectors of other for" in str(errors[0])


def test_without_an_encoder_there_is_no_data_set(clips: Path, tmp_path: Path) -> None:
    library = ms.Library(tmp_path / "l.mastershot")
    with pytest.raises(
        EncoderError, match="No labels or headings: the weights of encoder somebody/clip"
    ):
        build_from_clips([clips], prepare(Plan(encoder="somebody/clip")), library, tmp_path)
    with pytest.raises(EncoderError, match="a data set needs labels"):
        build_from_clips([clips], prepare(Plan(steps=("shots",))), library, tmp_path)


def test_a_taxonomy_has_a_largest_size(loaded: LoadedPlan, tmp_path: Path) -> None:
    from dataclasses import replace

    from mastershot.core.labels import Taxonomy

    assert loaded.labeller is not None
    many = Taxonomy("many", tuple(map(str, range(40_000))))
    large = replace(loaded, labeller=replace(loaded.labeller, taxonomy=many))
    with pytest.raises(TaxonomyError, match="has 40000 labels; a data set takes at most 32767"):
        build_from_library(large, ms.Library(tmp_path / "l.mastershot"), tmp_path)


@pytest.mark.slow
def test_killed_at_random_moments_a_run_comes_to_the_same_bytes(
    built: Build, clips: Path, tiny: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "mastershot", "label", "build", str(clips), "--quiet",
               "--encoder", str(tiny), "--out", str(tmp_path / "out")]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    started_s = time.monotonic()
    subprocess.run([*command[:-1], str(tmp_path / "timed")], check=True, env=environment)
    whole_s = time.monotonic() - started_s
    moments = random.Random(0)
    for _ in range(6):
        process = subprocess.Popen(command, env=environment)
        time.sleep(moments.uniform(0.3, 1) * whole_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True, env=environment)
    for name in ("scores.parquet", "movieCLIP_dataset.json"):
        assert (tmp_path / "out" / name).read_bytes() == (built.table.parent / name).read_bytes()
