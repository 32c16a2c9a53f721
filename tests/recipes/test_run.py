import builtins
import json
from pathlib import Path
from typing import Any

import pytest
from tests.factories.distillation import write_labelled_table, write_pictures, write_squeezenet
from tests.factories.films import encode_film, flat_images
from tests.factories.models import make_tiny_clip, make_tiny_vit

from mastershot.core.errors import MastershotError
from mastershot.encoders.catalogue import load_encoder
from mastershot.encoders.frame_classifier import FrameClassifier
from mastershot.recipes.load import Recipe, load_recipe
from mastershot.synthetic.scales import draw_scale_shots
from mastershot.training.engine.settings import no_progress

SHORT = (
    "training.steps=2", "training.batch_size=2", "training.group_size=4", "training.warmup_steps=1",
    "training.teacher_px=48", "training.student_px=32", "held_out.share=0.3",
)  # fmt: skip


def run(recipe: Recipe, out: Path) -> Any:
    return recipe.kind.run(recipe.settings, out, no_progress)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]
    return encode_film(tmp_path / "film.mp4", flat_images(colours, each=48))


@pytest.mark.parametrize(
    ("name", "network"),
    [("debug/distil", "fire"), ("debug/distil", "vit"), ("distil/clip", "fire")],
)
def test_recipes_with_an_encoder_take_two_steps(
    tmp_path: Path, film: Path, name: str, network: str
) -> None:
    encoder = make_tiny_clip(tmp_path / "toy")
    overrides = [*SHORT, f"teachers.0.weights={encoder}", f"frames.0.path={film}",
                 "frames.0.rate_hz=4", f"network={network}"]  # fmt: skip
    result = run(load_recipe(name, overrides), tmp_path / "out")
    assert load_encoder(result.path).space.width == 8
    assert result.figures["agreement"][0]["source"] == "film.mp4"


def test_the_starter_takes_two_steps(tmp_path: Path) -> None:
    for folder in ("frames/scene15_train", "frames/posters128", "films"):
        write_pictures(tmp_path / folder)
    (tmp_path / "frames" / "photographs").mkdir()
    for shard in (0, 5, 6):
        labels = ("bar", "river") if shard < 6 else ("never", "learnt")
        table = tmp_path / "frames" / "photographs" / f"photographs-{shard:02}.parquet"
        write_labelled_table(table, labels=labels)
    models = tmp_path / "models"
    write_squeezenet(models)
    (models / "squeezenet.safetensors").rename(models / "squeezenet_places365.safetensors")
    (models / "classes.txt").rename(models / "places365_classes.txt")
    # The classifier in its .tflite file is too large to be made here: it does not teach.
    recipe = load_recipe(
        "distil/starter",
        [*SHORT, f"data={tmp_path}", "teachers=[{kind: squeezenet, concepts: models/places365_"
         "classes.txt, weights: models/squeezenet_places365.safetensors}, {kind: labels}]"],
    )  # fmt: skip
    result = run(recipe, tmp_path / "out")
    said = json.loads((result.path / "student.json").read_text())
    assert [trained["source"] for trained in said["trained_on"]] == [
        "photographs-0[0-5].parquet", "scene15_train", "posters128", "films",
    ]  # fmt: skip
    assert said["concepts"][1] == ["bar", "river"]


@pytest.mark.parametrize("name", ["debug/shot_scale", "shot_scale/movieshots"])
def test_the_recipes_of_shot_scale_take_two_steps(tmp_path: Path, name: str) -> None:
    encoder = make_tiny_vit(tmp_path / "vit")
    draw_scale_shots(tmp_path, num_trailers=6)
    overrides = [f"data={tmp_path}", f"encoder={encoder}", "training.epochs=1",
                 "training.batch_size=10", "training.hidden=8"]  # fmt: skip
    result = run(load_recipe(name, overrides), tmp_path / "out")
    assert FrameClassifier(result.path).settings.width == 8
    assert result.figures["held_out"]["accuracy"]["num_items"] == 5
    assert json.loads((result.path / "classifier.json").read_text())["steps"] == 2
    assert result.notes == ()


def test_shots_that_leak_and_files_that_cannot_be_read_are_noted(tmp_path: Path) -> None:
    draw_scale_shots(tmp_path, num_trailers=6)
    path = tmp_path / "v1_split_trailer.json"
    marks = json.loads(path.read_text())
    ((trailer, shots),) = marks["test"].items()
    marks["val"][trailer] = {"0000": shots.pop("0000")}
    path.write_text(json.dumps(marks))
    (tmp_path / "trailer" / trailer / "shot_0001.mp4").write_bytes(b"")
    encoder = make_tiny_vit(tmp_path / "vit")
    overrides = [f"data={tmp_path}", f"encoder={encoder}", "training.epochs=1", "training.hidden=8"]
    unread, leaks = run(load_recipe("shot_scale/movieshots", overrides), tmp_path / "out").notes
    assert unread.startswith("files that could not be read: 1, the first: ")
    assert "shot_0001.mp4" in unread
    assert leaks.startswith("1 trailers have shots in more than one split")


def test_what_a_recipe_of_shot_scale_lacks_is_listed(tmp_path: Path) -> None:
    recipe = load_recipe("shot_scale/movieshots", [f"data={tmp_path}"])
    annotations, clips = recipe.kind.problems(recipe.settings)
    assert annotations.startswith(f"annotations {tmp_path}/v1_split_trailer.json do not exist")
    assert clips.startswith(f"clips {tmp_path}/trailer is no folder")
    drawn = load_recipe("debug/shot_scale", [f"data={tmp_path}"])
    assert drawn.kind.problems(drawn.settings) == []


def test_what_a_recipe_names_and_is_not_there_is_listed(tmp_path: Path) -> None:
    recipe = load_recipe("distil/starter", [f"data={tmp_path}", "held_out.labelled=gone.csv"])
    problems = recipe.kind.problems(recipe.settings)
    assert len(problems) == 9
    assert problems[1].startswith(f"frames {tmp_path}/frames/scene15_train do not exist")
    assert problems[-1] == "list gone.csv of held_out is neither a file nor one that ships"


def test_weights_of_a_teaching_encoder_that_are_not_here_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("mastershot.encoders.catalogue._ask_hub", pytest.fail)
    make_tiny_clip(tmp_path / "toy")

    def problems(encoder: str) -> list[str]:
        settings = (f"teachers.0.weights={encoder}", f"data={tmp_path}", "frames.0.path=.")
        recipe = load_recipe("distil/clip", settings)
        return recipe.kind.problems(recipe.settings)

    for name in ("clip", "someone/clip-of-theirs"):
        assert problems(name) == [
            f"the weights of encoder {name} are not on this machine; "
            f"`mastershot models get {name}` fetches them once"
        ]
    assert problems("starter") == problems("toy") == []
    (unknown,) = problems("sigclip")
    assert unknown.startswith("encoder 'sigclip' is neither a folder")
    recipe = load_recipe("distil/clip", [f"data={tmp_path}"])
    assert len(recipe.kind.problems(recipe.settings)) == 2


def test_without_lightning_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "mastershot.training.distillation.train":
            raise ImportError("no", name="lightning.pytorch")
        return real(name, *rest)

    recipe = load_recipe("distil/clip")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MastershotError, match=r"needs lightning; `pip install 'mastershot\[train"):
        run(recipe, tmp_path)
