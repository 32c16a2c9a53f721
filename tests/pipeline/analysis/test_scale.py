import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from tests.factories.films import encode_film, flat_images
from tests.factories.models import (
    make_scale_classifier,
    make_student,
    make_tiny_clip,
    make_tiny_vit,
)
from tests.factories.reference import clip_scene_scores as plain_scene_scores

from mastershot.core.errors import EncoderError, SettingError
from mastershot.core.movie import SCALES, Shot
from mastershot.core.timeline import Timeline, timeline_schema
from mastershot.encoders.catalogue import load_encoder, load_frame_encoder
from mastershot.labelling.weak_labels import AbstentionRule, KeepRule, encode_scales
from mastershot.media.sampling import parse_sampling
from mastershot.media.video import open_video
from mastershot.pipeline import analyze as story
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan, prepare
from mastershot.pipeline.analysis.scale import PromptedScaler, TrainedScaler
from mastershot.pipeline.analyze import analyze_movie
from mastershot.pipeline.library import Library

COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (220, 220, 30)]
SCALE_ALONE = ("shots", "scale")
FOUR_HZ = parse_sampling("rate:4")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return encode_film(path, flat_images(COLOURS, each=30))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny CLIP, a tiny ViT, and a classifier of scales trained on each."""
    folder = tmp_path_factory.mktemp("models")
    make_tiny_clip(folder / "clip")
    make_tiny_vit(folder / "vit")
    for name in ("clip", "vit"):
        space = load_frame_encoder(folder / name, precision="float32").space
        make_scale_classifier(
            folder / f"scale-{name}" / "classifier",
            encoder=str(folder / name), width=space.width, encoder_hash=space.weights_hash,
        )  # fmt: skip
    return folder


def check(timeline: Timeline) -> None:
    jsonschema.validate(json.loads(timeline.to_json()), timeline_schema())
    assert Timeline.from_json(timeline.to_json()) == timeline


def scale_of(shot: Shot) -> list[float]:
    assert shot.scale is not None
    assert tuple(shot.scale) == SCALES
    return list(shot.scale.values())


def test_clip_is_asked_in_words_and_looks_at_no_frame_twice(
    film: Path, models: Path, tmp_path: Path
) -> None:
    loaded = prepare(Plan(encoder=str(models / "clip")))
    assert isinstance(loaded.scaler, PromptedScaler)
    assert len(loaded.encoders) == 4  # the encoder's, once, people, colours, and light
    timeline, _ = analyze_movie(film, loaded, tmp_path)
    check(timeline)
    encoder = loaded.scaler.encoder
    words = encode_scales(encoder)
    images = {frame.index: frame.rgb() for frame in open_video(film).frames()}
    for shot in timeline.shots:
        vectors = np.concatenate([encoder.encode_images([images[i]]) for i in shot.sampled_frames])
        expected = plain_scene_scores(vectors, words, encoder.logit_scale)
        assert scale_of(shot) == pytest.approx(expected, abs=1e-3)
        assert sum(scale_of(shot)) == pytest.approx(1, abs=1e-5)
    assert timeline.made_by.steps["scale"]["method"] == "prompts"
    assert {shot.scale_by for shot in timeline.shots} == {"words"}


def test_the_starter_leaves_scale_to_people_and_nobody_is_of_unknown_scale(
    film: Path, tmp_path: Path
) -> None:
    timeline, folder = analyze_movie(film, prepare(Plan()), tmp_path)
    check(timeline)
    assert all(shot.scale is None for shot in timeline.shots)
    value = json.loads((folder / "timeline.json").read_text())
    assert all("scale" not in shot for shot in value["shots"])
    assert value["made_by"]["steps"]["scale"]["method"] == "people"


def test_a_student_is_not_asked_in_words(tmp_path: Path) -> None:
    make_student(tmp_path / "student")
    assert prepare(Plan(encoder=str(tmp_path / "student"))).scaler is None


def test_scale_by_name_without_an_encoder_gives_a_note() -> None:
    assert not any("scale" in note for note in prepare(Plan()).notes)
    (note,) = prepare(Plan(steps=SCALE_ALONE)).notes
    assert note.startswith(
        "No shot scale: it needs step people, CLIP or SigLIP (--encoder clip), or"
    )


@pytest.mark.parametrize("inner", ["", "classifier"])
def test_a_classifier_scores_each_shots_frames(
    film: Path, models: Path, tmp_path: Path, inner: str
) -> None:
    plan = Plan(steps=SCALE_ALONE, sampling=FOUR_HZ, scale=models / "scale-vit" / inner)
    loaded = prepare(plan)
    assert loaded.notes == ()
    assert isinstance(loaded.scaler, TrainedScaler)
    timeline, _ = analyze_movie(film, loaded, tmp_path)
    check(timeline)
    encoder = load_frame_encoder(models / "vit", precision="float32")
    images = {frame.index: frame.rgb() for frame in open_video(film).frames()}
    for shot in timeline.shots:
        vectors = encoder.encode_images([images[i] for i in shot.sampled_frames])
        assert scale_of(shot) == pytest.approx(
            loaded.scaler.classifier.scores([vectors])[0].tolist(), abs=1e-4
        )
    assert len({tuple(scale_of(shot)) for shot in timeline.shots}) > 1
    made = timeline.made_by.steps["scale"]
    assert (made["method"], made["encoder"]) == ("classifier", "vit")


def test_labels_and_scenes_rest_on_the_encoder_of_labels_alone(
    film: Path, models: Path, tmp_path: Path
) -> None:
    plain = Plan(encoder=str(models / "clip"), steps=("shots", "labels", "scenes"))
    loaded = prepare(replace(plain, steps=(*plain.steps, "scale"), scale=models / "scale-vit"))
    assert len(loaded.encoders) == 3
    without, _ = analyze_movie(film, prepare(plain), tmp_path / "without")
    scaled, _ = analyze_movie(film, loaded, tmp_path / "with")
    check(scaled)
    assert scaled.scenes == without.scenes
    assert [shot.labels for shot in scaled.shots] == [shot.labels for shot in without.shots]
    assert scaled.made_by.steps["scenes"] == without.made_by.steps["scenes"]


def test_the_encoder_of_labels_is_used_where_it_is_the_classifiers(models: Path) -> None:
    encoder = load_encoder(models / "clip", precision="float32")
    loaded = prepare(Plan(encoder=str(models / "clip"), scale=models / "scale-clip"))
    assert loaded.labeller is not None
    assert loaded.scaler is not None
    if loaded.labeller.encoder.space == encoder.space:  # not in bfloat16, which is another space
        assert loaded.scaler.encoder is loaded.labeller.encoder
    else:
        assert loaded.scaler.encoder.space == encoder.space


def test_a_new_classifier_decodes_nothing(
    film: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(steps=SCALE_ALONE, sampling=FOUR_HZ, scale=models / "scale-vit")
    first, _ = analyze_movie(film, prepare(plan), tmp_path)
    monkeypatch.setattr(story, "decode_film", None)
    assert analyze_movie(film, prepare(plan), tmp_path)[0] == first
    space = load_frame_encoder(models / "vit", precision="float32").space
    other = make_scale_classifier(
        tmp_path / "other", encoder=str(models / "vit"), width=8, seed=5,
        encoder_hash=space.weights_hash,
    )  # fmt: skip
    second, _ = analyze_movie(film, prepare(replace(plan, scale=other)), tmp_path)
    assert scale_of(second.shots[0]) != scale_of(first.shots[0])


def test_another_sampling_than_in_training_is_noted(models: Path) -> None:
    (note,) = prepare(Plan(steps=SCALE_ALONE, scale=models / "scale-vit")).notes
    assert note.startswith("The classifier of shot scale was trained on 4 frames a second and gets")
    assert "--sampling rate:4" in note


def closest(loaded: LoadedPlan) -> LoadedPlan:
    """The loaded, its scaler certain that every shot is a close-up."""
    assert isinstance(loaded.scaler, TrainedScaler)
    bias = loaded.scaler.classifier._network.head.bias
    bias.copy_(bias.new_tensor([0, 1e4, 0, 0, 0]))
    return loaded


def test_a_label_on_a_close_up_is_unsure_and_borrowed_from_the_scene(
    film: Path, models: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "two.txt"
    labels.write_text("kitchen\nforest\n")
    plan = Plan(
        encoder=str(models / "clip"), taxonomy=labels, scale=models / "scale-vit",
        keep=KeepRule(min_best=0.0), abstain=AbstentionRule(min_best_close=1.0),
    )  # fmt: skip
    far = replace(plan, steps=("shots", "labels", "scenes"), scale=None)
    before, _ = analyze_movie(film, prepare(far), tmp_path / "far")
    timeline, folder = analyze_movie(film, closest(prepare(plan)), tmp_path / "close")
    check(timeline)
    assert all(shot.kept for shot in before.shots)
    unsure = [shot for shot in timeline.shots if not shot.kept]
    assert unsure
    for shot in unsure:
        assert shot.likeliest_scale == "CS"
        assert shot.labels is not None
        assert all(label.unsure for label in shot.labels)
        assert shot.borrowed
    page = (folder / "report.html").read_text()
    assert "from the scene:" in page
    assert "close-up 1.00" in page
    with (folder / "shots.csv").open(encoding="utf-8", newline="") as file:
        found = {(row["scale"], row["scale_by"]) for row in csv.DictReader(file)}
    assert found == {("CS", "classifier")}
    assert timeline.made_by.steps["scale"]["abstain"]["min_best_close"] == 1.0


def test_a_library_keeps_scales_and_the_vectors_they_rest_on(
    film: Path, models: Path, tmp_path: Path
) -> None:
    loaded = prepare(Plan(steps=SCALE_ALONE, scale=models / "scale-vit"))
    library = Library(tmp_path / "films.mastershot")
    timeline = library.add(film, loaded=loaded)
    assert library.timeline(timeline.movie.id) == timeline
    assert [space.model for space in library.spaces()] == ["vit"]
    assert scale_of(timeline.shots[0])


def test_a_folder_without_a_classifier_is_an_error(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(SettingError, match=r"holds no classifier of shot scales \(classifier"):
            prepare(Plan(steps=SCALE_ALONE, scale=folder))


def test_a_classifier_of_something_else_is_an_error(models: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(models / "scale-vit" / "classifier", tmp_path / "other"))
    settings = json.loads((folder / "classifier.json").read_text())
    (folder / "classifier.json").write_text(json.dumps(settings | {"task": "places"}))
    with pytest.raises(SettingError, match="holds a classifier of places"):
        prepare(Plan(steps=SCALE_ALONE, scale=folder))
    swapped = settings | {"classes": list(reversed(SCALES))}
    (folder / "classifier.json").write_text(json.dumps(swapped))
    with pytest.raises(SettingError, match=r"\(LS, FS, MS, CS, ECS\), not of shot scales \(ECS"):
        prepare(Plan(steps=SCALE_ALONE, scale=folder))


@pytest.mark.parametrize("changes", [{"encoder_hash": "blake2b:0"}, {"encoder": "clip"}])
def test_an_encoder_with_other_weights_is_an_error(
    models: Path, tmp_path: Path, changes: dict[str, str]
) -> None:
    folder = Path(shutil.copytree(models / "scale-vit" / "classifier", tmp_path / "other"))
    settings = json.loads((folder / "classifier.json").read_text())
    if "encoder" in changes:
        changes = {"encoder": str(models / changes["encoder"])}
    (folder / "classifier.json").write_text(json.dumps(settings | changes))
    with pytest.raises(EncoderError, match="with other weights than it has now"):
        prepare(Plan(steps=SCALE_ALONE, scale=folder))


def test_an_encoder_that_is_gone_is_an_error(models: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(models / "scale-vit" / "classifier", tmp_path / "other"))
    settings = json.loads((folder / "classifier.json").read_text())
    gone = settings | {"encoder": str(tmp_path / "gone")}
    (folder / "classifier.json").write_text(json.dumps(gone))
    sentence = "needs an encoder that cannot be loaded: encoder '.*gone' is neither"
    with pytest.raises(EncoderError, match=sentence):
        prepare(Plan(steps=SCALE_ALONE, scale=folder))
