import json
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from tests.factories.movies2scenes import FEATURE_NET, PIXEL_NET
from tests.factories.timelines import make_space
from tests.pipeline.search.test_similar import put_film
from typer.testing import CliRunner, Result

import mastershot as ms
from mastershot.apps.search import draw_map, similar
from mastershot.core.embeddings import FloatArray
from mastershot.pipeline.search import scene_map
from mastershot.training.movies2scenes.checkpoints import SCENE_STEM, write_encoder
from mastershot.training.movies2scenes.networks import SceneShape, scene_network

app = typer.Typer()
app.command()(similar)
app.command("map")(draw_map)

SPACE = {"model": "toy", "weights_hash": make_space(8).weights_hash, "width": 8}
SHOTS = {"recipe": {"shots": {"pooling": "mean"}}}


def run(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1"}).invoke(app, [*map(str, arguments)])


@pytest.fixture
def library(tmp_path: Path) -> Path:
    library = ms.Library(tmp_path / "films.mastershot")
    put_film(library, "films/one\n\x1b[31m.mp4")
    put_film(library, "two.mp4")
    return library.path


def save(folder: Path, *, width: int = 8, num_shots: int = 3, **said: object) -> Path:
    """Save an untrained encoder of scenes of features."""
    torch.manual_seed(num_shots)
    shape = SceneShape(num_shots, (width,))
    network = scene_network(FEATURE_NET, shape)
    write_encoder(folder, SCENE_STEM, FEATURE_NET, shape, network, metadata={**SHOTS, **said})
    return folder


def test_a_line_a_pair_with_times_score_and_labels(library: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    one = next(m.id for m in ms.Library(library).movies() if m.path != "two.mp4")
    done = run("similar", "two.mp4", one, "--library", library, "--out", page)
    assert done.exit_code == 0, done.output
    line, where = done.stdout.splitlines()
    assert line.startswith("   1  ")
    assert "two.mp4 0:00:00." in line
    assert "~  one\\n\\x1b[31m.mp4 0:00:00." in line
    assert line.endswith("  bar, kitchen")
    assert where == f"→ {page}"
    assert "one\\n\\x1b[31m.mp4" in page.read_text()


def test_json_holds_the_rows_of_both_views(library: Path, tmp_path: Path) -> None:
    run_folder, plain = tmp_path / "run", tmp_path / "folder"
    save(run_folder / "scenes" / "scene_encoder", space=SPACE)
    save(plain, num_shots=4)
    one = ms.Library(library).movies()[0].id
    done = run(
        "similar", one, "--library", library, "--encoder", run_folder, "--against", plain, "--json"
    )
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [row["view"] for row in rows] == [str(run_folder), str(plain)]
    assert [row["scene"]["end_shot"] - row["scene"]["first_shot"] for row in rows] == [3, 4]
    assert set(rows[0]) == {
        "view", "score", "scene", "other", "shared", "film_score", "num_pairs",
    }  # fmt: skip
    lines = run("similar", one, "--library", library, "--against", plain).stdout.splitlines()
    assert (lines[0], lines[2]) == ("mean of shots", str(plain))
    assert "mean of 1 pair, best " in lines[1]


@pytest.mark.parametrize(
    ("said", "sentence"),
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
    library: Path, tmp_path: Path, said: dict[str, object], sentence: str
) -> None:
    save(tmp_path / "encoder", **said)  # type: ignore[arg-type]
    done = run("similar", "two.mp4", "--library", library, "--encoder", tmp_path / "encoder")
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_encoder_of_keyframes_or_none_is_one_sentence(library: Path, tmp_path: Path) -> None:
    shape = SceneShape(3, (1, 16, 16, 3))
    network = scene_network(PIXEL_NET, shape)
    write_encoder(tmp_path / "pixels", SCENE_STEM, PIXEL_NET, shape, network, metadata=SHOTS)
    done = run("similar", "two.mp4", "--library", library, "--encoder", tmp_path / "pixels")
    assert "holds an encoder of keyframes, and a library keeps vectors" in done.stderr
    done = run("similar", "two.mp4", "--library", library, "--against", tmp_path)
    assert "holds no scene_encoder.json; name the folder that a run made" in done.stderr


def test_a_map_is_drawn_and_counted(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def anywhere(vectors: FloatArray) -> FloatArray:
        return np.full((len(vectors), 2), 0.5, np.float32)

    monkeypatch.setattr(scene_map, "lay_out", anywhere)
    done = run("map", "--library", library, "--out", tmp_path / "map.html")
    assert done.stdout == f"4 scenes → {tmp_path / 'map.html'}\n"
    encoder = save(tmp_path / "encoder", space=SPACE)
    done = run(
        "map", "--library", library, "--out", tmp_path / "map.html", "--of", "films",
        "--encoder", encoder,
    )  # fmt: skip
    assert done.stdout == f"2 films → {tmp_path / 'map.html'}\n"
    assert run("map", "--library", library, "--of", "dots").exit_code == 2
