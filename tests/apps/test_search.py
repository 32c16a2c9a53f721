import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.factories.models import make_tiny_clip
from tests.factories.movies2scenes import FEATURE_NET, PIXEL_NET
from tests.factories.timelines import make_embeddings, make_space, make_thumbs, make_timeline
from tests.pipeline.search.test_filters import a_timeline
from tests.pipeline.search.test_similar import put_film
from typer.testing import CliRunner, Result

import mastershot as ms
from mastershot.apps.cli import app
from mastershot.core.embeddings import FloatArray
from mastershot.encoders.catalogue import ENCODERS
from mastershot.pipeline.search import scene_map
from mastershot.pipeline.search import words as searching
from mastershot.training.movies2scenes.checkpoints import SCENE_STEM, write_encoder
from mastershot.training.movies2scenes.networks import SceneShape, scene_network


def run(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1"}).invoke(app, [*map(str, arguments)])


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_clip(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def library(clip: Path, tmp_path: Path) -> Path:
    """A library of one film that a tiny CLIP has encoded and one that nothing has."""
    library = ms.Library(tmp_path / "films.mastershot")
    for name in ("films/one\n\x1b[31m.mp4", "films/two.mp4"):
        timeline = make_timeline(name)
        library.put_timeline(timeline, make_thumbs(timeline))
    embeddings = make_embeddings(ms.load_encoder(clip).space, range(0, 120, 10))
    library.features(make_timeline("films/one\n\x1b[31m.mp4").movie.id).put(embeddings)
    return library.path


def test_a_line_a_hit_and_what_was_searched_on_stderr(library: Path, clip: Path) -> None:
    done = run("search", "a forest", "--library", library, "--encoder", clip, "--limit", 2)
    assert done.exit_code == 0, done.output
    searched, not_searched = done.stderr.splitlines()
    assert searched == "mastershot: searched with tiny"
    assert "not searched: 1 of 2 films" in not_searched
    first, second = done.stdout.splitlines()
    hits = ms.Library(library).search("a forest", encoder=clip, limit=2)
    for rank, line, hit in zip((1, 2), (first, second), hits, strict=True):
        assert line.split()[:2] == [str(rank), f"{hit.score:.3f}"]
        assert f"one\\n\\x1b[31m.mp4  {hit.id}" in line
        assert line.endswith(", ".join(hit.kept))


def test_json_is_the_hits_and_all_that_is_on_stdout(library: Path, clip: Path) -> None:
    done = run("search", "forest", "--library", library, "--encoder", clip, "--json")
    hits = json.loads(done.stdout)
    expected = ms.Library(library).search("forest", encoder=clip)
    assert [hit["id"] for hit in hits] == [hit.id for hit in expected]
    assert set(hits[0]) == {
        "id", "run_id", "movie_id", "path", "first_frame", "end_frame", "heard", "start_s", "end_s",
        "score", "frame", "kept", "said", "said_s",
    }  # fmt: skip


def test_a_contact_sheet_is_written(library: Path, clip: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = run("search", "<forest>", "--library", library, "--encoder", clip, "--out", page)
    assert done.stdout.splitlines()[-1] == f"→ {page}"
    assert "&lt;forest&gt;" in page.read_text()
    assert "<forest>" not in page.read_text()


def test_scenes_like_one_are_lines_json_and_a_page(tmp_path: Path) -> None:
    library = ms.Library(tmp_path / "films.mastershot")
    for name in ("one.mp4", "two.mp4"):
        put_film(library, name)
    movie = library.movie("one.mp4").id
    page = tmp_path / "page.html"
    asked = ("search", "--scene", f"{movie}/s0000", "--library", library.path)
    done = run(*asked, "--out", page)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert lines[-1] == f"→ {page}"
    assert "Like a scene of one.mp4" in page.read_text()
    rows = json.loads(run(*asked, "--json", "--limit", 2).stdout)
    assert len(rows) == 2
    assert {row["scene"]["scene_id"] for row in rows} == {f"{movie}/s0000"}
    every = json.loads(run(*asked, "--json").stdout)
    assert {row["other"]["path"] for row in every} == {"one.mp4", "two.mp4"}
    within = run("similar", "one/s0000", "one", "--library", library.path, "--json")
    assert [row["other"]["scene_id"] for row in json.loads(within.stdout)] == [f"{movie}/s0001"]


def test_a_search_of_words_and_a_scene_is_a_sentence(library: Path) -> None:
    for more in (["forest"], ["--scale", "CS"]):
        done = run("search", *more, "--scene", "one/s0000", "--library", library)
        assert done.exit_code == 2
        assert "it takes no words and no filters" in done.stderr


def test_the_starter_is_named_with_the_way_to_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starter = next(row for row in ENCODERS if row.packaged)
    space = make_space(8, starter.name)

    class Starter:
        def __init__(self) -> None:
            self.space, self.word_spaces = space, (space,)

        def encode_texts(self, texts: list[str]) -> Any:
            return make_embeddings(space, range(len(texts))).vectors

    monkeypatch.setattr(searching, "load_encoder", lambda *_, **__: Starter())
    library = ms.Library(tmp_path / "films.mastershot")
    library.put_timeline(make_timeline(labels=None))
    library.features(make_timeline().movie.id).put(make_embeddings(space, range(120)))
    done = run("search", "forest", "--library", library.path)
    assert done.exit_code == 0, done.output
    [line] = done.stderr.splitlines()
    assert line.startswith("mastershot: searched with mastershot/starter, which recognises ")
    assert "places and things but not sentences" in line
    assert f"`mastershot library add FILM --library {library.path} --encoder clip`" in line
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("forest",), 1, "made with encoder 'tiny', which cannot be loaded by that name"),
        (("  ",), 2, "there are no words to search for"),
        (("forest", "--limit", "0"), 2, "the limit is 0; it is 1 or more"),
        (("forest", "--encoder", "clop"), 1, "did you mean 'clip'?"),
        (("forest", "--limit", "many"), 2, "Invalid value"),
        ((), 2, "give words that describe shots, or a scene with --scene"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    library: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    done = run("search", *arguments, "--library", library)
    assert done.exit_code == code
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_library_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = run("search", "forest", "--library", tmp_path / "none")
    assert done.exit_code == 1
    assert "no library at" in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_traceback_is_shown_when_asked_for(tmp_path: Path) -> None:
    assert "Traceback" in run("search", "forest", "--library", tmp_path / "none", "--debug").stderr


SPACE = {"model": "toy", "weights_hash": make_space(8).weights_hash, "width": 8}
SHOTS = {"recipe": {"shots": {"pooling": "mean"}}}


@pytest.fixture
def two_films(tmp_path: Path) -> Path:
    """A library of two films with vectors of shots by a toy encoder."""
    library = ms.Library(tmp_path / "films.mastershot")
    put_film(library, "films/one\n\x1b[31m.mp4")
    put_film(library, "two.mp4")
    return library.path


def save(folder: Path, *, width: int = 8, num_shots: int = 3, **metadata: object) -> Path:
    """Save an untrained encoder of scenes of features."""
    torch.manual_seed(num_shots)
    shape = SceneShape(num_shots, (width,))
    network = scene_network(FEATURE_NET, shape)
    write_encoder(folder, SCENE_STEM, FEATURE_NET, shape, network, metadata={**SHOTS, **metadata})
    return folder


def test_a_line_a_pair_with_times_score_and_labels(two_films: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    one = next(m.id for m in ms.Library(two_films).movies() if m.path != "two.mp4")
    done = run("similar", "two.mp4", one, "--library", two_films, "--out", page)
    assert done.exit_code == 0, done.output
    line, where = done.stdout.splitlines()
    assert line.startswith("   1  ")
    assert "two.mp4 0:00:00." in line
    assert "~  one\\n\\x1b[31m.mp4 0:00:00." in line
    assert line.endswith("  bar, kitchen")
    assert where == f"→ {page}"
    assert "one\\n\\x1b[31m.mp4" in page.read_text()


def test_json_holds_the_rows_of_both_views(two_films: Path, tmp_path: Path) -> None:
    run_folder, plain = tmp_path / "run", tmp_path / "folder"
    save(run_folder / "scenes" / "scene_encoder", space=SPACE)
    save(plain, num_shots=4)
    one = ms.Library(two_films).movies()[0].id
    done = run(
        "similar", one, "--library", two_films, "--encoder", run_folder, "--against", plain,
        "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [row["view"] for row in rows] == [str(run_folder), str(plain)]
    assert [row["scene"]["end_shot"] - row["scene"]["first_shot"] for row in rows] == [3, 4]
    assert set(rows[0]) == {
        "view", "score", "scene", "other", "shared", "film_score", "num_pairs",
    }  # fmt: skip
    lines = run("similar", one, "--library", two_films, "--against", plain).stdout.splitlines()
    assert (lines[0], lines[2]) == ("mean of shots", str(plain))
    assert "mean of 1 pair, best " in lines[1]


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({"width": 16}, "takes shots of 16 numbers, and those of toy"),
        ({"space": {**SPACE, "weights_hash": "blake2b:other"}}, "holds those of other weights"),
        ({"space": {"model": "toy"}}, "does not say which vectors it was trained on"),
        ({"recipe": {"shots": {"pooling": "all"}}}, "does not say which vectors"),
        ({"recipe": {"shots": {"pooling": [1]}}}, "does not say which vectors"),
        ({"recipe": {}}, "does not say which vectors it was trained on"),
    ],
)
def test_an_encoder_that_does_not_fit_is_one_sentence(
    two_films: Path, tmp_path: Path, metadata: dict[str, object], sentence: str
) -> None:
    save(tmp_path / "encoder", **metadata)  # type: ignore[arg-type]
    done = run("similar", "two.mp4", "--library", two_films, "--encoder", tmp_path / "encoder")
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_encoder_of_keyframes_or_none_is_one_sentence(two_films: Path, tmp_path: Path) -> None:
    shape = SceneShape(3, (1, 16, 16, 3))
    network = scene_network(PIXEL_NET, shape)
    write_encoder(tmp_path / "pixels", SCENE_STEM, PIXEL_NET, shape, network, metadata=SHOTS)
    done = run("similar", "two.mp4", "--library", two_films, "--encoder", tmp_path / "pixels")
    assert "holds an encoder of keyframes, and a library keeps vectors" in done.stderr
    done = run("similar", "two.mp4", "--library", two_films, "--against", tmp_path)
    assert "holds no scene_encoder.json; name the folder that a run made" in done.stderr


def test_a_map_is_drawn_and_counted(
    two_films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def anywhere(vectors: FloatArray) -> FloatArray:
        return np.full((len(vectors), 2), 0.5, np.float32)

    monkeypatch.setattr(scene_map, "lay_out", anywhere)
    done = run("map", "--library", two_films, "--out", tmp_path / "map.html")
    assert done.stdout == f"4 scenes → {tmp_path / 'map.html'}\n"
    encoder = save(tmp_path / "encoder", space=SPACE)
    done = run(
        "map", "--library", two_films, "--out", tmp_path / "map.html", "--of", "films",
        "--encoder", encoder,
    )  # fmt: skip
    assert done.stdout == f"2 films → {tmp_path / 'map.html'}\n"
    assert run("map", "--library", two_films, "--of", "dots").exit_code == 2


def test_filters_narrow_a_search_and_what_they_cannot_be_is_one_sentence(
    clip: Path, tmp_path: Path
) -> None:
    library = ms.Library(tmp_path / "films.mastershot")
    timeline = a_timeline("one.mp4")
    library.put_timeline(timeline, {})
    space = ms.load_encoder(clip).space
    library.features(timeline.movie.id).put(make_embeddings(space, range(0, 120, 10)))
    search = ("search", "a forest", "--library", library.path, "--encoder", clip, "--json")

    def shots(*filters: object) -> set[str]:
        done = run(*search, *filters)
        assert done.exit_code == 0, done.output
        return {hit["id"][-1] for hit in json.loads(done.stdout)}

    assert shots() == {"0", "1", "2"}
    assert shots("--setting", "ext", "--time", "night") == {"0"}
    assert shots("--scale", "CS") == {"1"}
    assert shots("--people", "2") == {"0"}
    assert shots("--people", "2+") == {"0", "1"}
    assert shots("--heading", "dining room") == {"0", "1"}
    assert shots("--setting", "int", "--time", "night") == set()
    wrong = run(*search, "--scale", "huge")
    assert wrong.exit_code == 2
    assert wrong.stderr.splitlines()[-1] == (
        "mastershot: scale 'huge' is unknown; use ECS, CS, MS, FS, LS"
    )
    library.tables.delete("traits", "index >= 0")
    older = run(*search, "--people", "1")
    assert older.exit_code == 1
    assert older.stdout == ""
    assert f"`mastershot library repair --library {library.path}`" in older.stderr
    assert run("library", "repair", "--library", library.path).exit_code == 0
    assert shots("--people", "2") == {"0"}
