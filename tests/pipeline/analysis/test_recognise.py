import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from tests.factories.films import encode_film, flat_images
from tests.factories.models import make_recogniser, make_tiny_clip, make_tiny_vit
from tests.factories.timelines import make_timeline

from mastershot.core.errors import EncoderError, LibraryError, SettingError
from mastershot.core.labels import Taxonomy
from mastershot.core.timeline import Timeline, timeline_schema
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.encoders.recogniser import TrainedRecogniser
from mastershot.labelling.smoothing import SmoothingSettings
from mastershot.labelling.weak_labels import AbstentionRule, KeepRule
from mastershot.media.sampling import clip_frames, parse_sampling
from mastershot.media.video import Film, Frame, open_video
from mastershot.pipeline import analyze as story
from mastershot.pipeline.analysis.annotate import label_scores, label_shots
from mastershot.pipeline.analysis.plan import STEPS, Plan, prepare
from mastershot.pipeline.analysis.recognise import ShotRecogniser
from mastershot.pipeline.analyze import analyze_movie
from mastershot.pipeline.labelling.build import build_from_clips, build_from_library
from mastershot.pipeline.library import Library
from mastershot.pipeline.search.similar import find_similar
from mastershot.pipeline.search.vectors import SceneSource
from mastershot.store.features import FolderFeatures

COLOURS = [(220, 40, 40), (10, 40, 10), (240, 240, 200), (10, 10, 70)]
CLASSES = ("kitchen", "forest", "lighthouse")
LABELS_ALONE = ("shots", "labels")
NETWORKS = ("i3d_r50", "video_swin_b", "resnet18")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return encode_film(path, flat_images(COLOURS, each=30))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny recognisers, each as the run that trained it, and the tiny encoders they need."""
    folder = tmp_path_factory.mktemp("models")
    make_tiny_clip(folder / "clip")
    space = load_frame_encoder(make_tiny_vit(folder / "vit"), precision="float32").space
    for name in NETWORKS:
        frames = {"frames": 1} if name == "resnet18" else {}
        make_recogniser(folder / name / "recogniser", name, classes=CLASSES, **frames)
    make_recogniser(
        folder / "lstm" / "recogniser", classes=CLASSES, encoder=str(folder / "vit"),
        encoder_hash=space.weights_hash, input_width=space.width,
    )  # fmt: skip
    (folder / "two.txt").write_text("forest\nbar\n")
    return folder


def check(timeline: Timeline) -> None:
    jsonschema.validate(json.loads(timeline.to_json()), timeline_schema())
    assert Timeline.from_json(timeline.to_json()) == timeline


def scores_of(timeline: Timeline) -> list[dict[str, float]]:
    return [{label.name: label.score for label in shot.labels or ()} for shot in timeline.shots]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("inner", ["", "recogniser"])
def test_each_shot_is_scored_by_a_clip_of_its_frames(
    film: Path, models: Path, tmp_path: Path, network: str, inner: str
) -> None:
    plan = Plan(steps=LABELS_ALONE, recogniser=models / network / inner)
    timeline, folder = analyze_movie(film, prepare(plan), tmp_path)
    check(timeline)
    recogniser = TrainedRecogniser(models / network / "recogniser")
    size_px, count = recogniser.card.size_px, recogniser.card.frames
    squares = [frame.square(size_px) for frame in open_video(film).frames()]
    for shot, scores in zip(timeline.shots, scores_of(timeline), strict=True):
        places = clip_frames(shot.span.first_frame, shot.span.end_frame, count)
        clip = np.stack([squares[place] for place in places])
        expected = recogniser.scores(recogniser.features([clip]))[0]
        assert scores == dict(zip(CLASSES, map(float, expected), strict=True))
    assert len({tuple(scores) for scores in map(dict.values, scores_of(timeline))}) > 1
    made = timeline.made_by.steps["labels"]
    assert made["recogniser"]["name"] == f"tiny-{network}"
    assert made["recogniser"]["weights_hash"] == recogniser.weights_hash
    assert (made["share"], "encoder" in made) == (1.0, False)
    assert made["taxonomy_fingerprint"] == Taxonomy("any", CLASSES).fingerprint
    assert "lighthouse" in (folder / "report.html").read_text()
    rows = (folder / "shots.csv").read_text().splitlines()
    assert len(rows) == 5
    assert any(name in rows[1] for name in CLASSES)


def test_the_film_is_decoded_once_and_again_for_nothing(
    film: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes, real = [], Film.frames

    def counted(self: Film, *heard: Any) -> Iterator[Any]:
        passes.append(self)
        return real(self, *heard)

    monkeypatch.setattr(Film, "frames", counted)
    plan = Plan(encoder=str(models / "clip"), recogniser=models / "i3d_r50")
    first, folder = analyze_movie(film, prepare(plan), tmp_path)
    assert len(passes) == 1
    stored = FolderFeatures(folder / "features")
    assert analyze_movie(film, prepare(plan), tmp_path)[0] == first
    fused, _ = analyze_movie(film, prepare(replace(plan, fuse=0.5)), tmp_path)
    stricter = replace(plan, keep=KeepRule(min_best=1.0))
    strict, _ = analyze_movie(film, prepare(stricter), tmp_path)
    words, _ = analyze_movie(film, prepare(replace(plan, recogniser=None)), tmp_path)
    assert len(passes) == 1  # nothing of that was decoded for
    assert len({str(scores_of(one)) for one in (first, fused, words)}) == 3
    assert scores_of(strict) == scores_of(first)
    assert not any(shot.kept for shot in strict.shots)
    space = prepare(plan).clip_space
    assert space is not None
    assert stored.get(space).frames.tolist() == [15, 45, 75, 105]


def test_a_film_whose_features_are_stored_has_no_square_made_again(
    film: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(steps=LABELS_ALONE, recogniser=models / "i3d_r50")
    first, _ = analyze_movie(film, prepare(plan), tmp_path)
    monkeypatch.setattr(Frame, "square", None)
    fused = replace(plan, encoder=str(models / "clip"), fuse=0.5, taxonomy=models / "two.txt")
    timeline, _ = analyze_movie(film, prepare(fused), tmp_path)  # Decoded for CLIP's vectors.
    check(timeline)
    assert scores_of(timeline) != scores_of(first)
    monkeypatch.undo()
    fresh, _ = analyze_movie(film, prepare(fused), tmp_path / "fresh")
    assert scores_of(fresh) == scores_of(timeline)


def test_what_is_stored_serves_a_plan_that_needs_less(
    film: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is heard is kept in the timeline alone: a plan that takes it up again decodes.
    seen = tuple(step for step in STEPS if step != "sound")
    plan = Plan(
        steps=seen,
        encoder=str(models / "clip"),
        recogniser=models / "lstm",
        sampling=parse_sampling("rate:4"),
    )
    analyze_movie(film, prepare(plan), tmp_path)
    words = replace(plan, recogniser=None)
    fewer = (
        words,
        replace(words, steps=LABELS_ALONE),
        replace(plan, steps=LABELS_ALONE),
        replace(plan, steps=("shots",), recogniser=None),
    )
    fresh = [
        analyze_movie(film, prepare(one), tmp_path / str(number))[0]
        for number, one in enumerate(fewer)
    ]
    monkeypatch.setattr(story, "decode_film", None)
    for one, expected in zip(fewer, fresh, strict=True):
        analyze_movie(film, prepare(plan), tmp_path)
        found, _ = analyze_movie(film, prepare(one), tmp_path)
        assert replace(found, made_by=expected.made_by) == expected
        assert found.made_by.steps == expected.made_by.steps


def test_features_are_the_same_when_made_twice(film: Path, models: Path, tmp_path: Path) -> None:
    loaded = prepare(Plan(steps=LABELS_ALONE, recogniser=models / "video_swin_b"))
    assert loaded.clip_space is not None
    found = []
    for name in ("one", "two"):
        _, folder = analyze_movie(film, loaded, tmp_path / name)
        found.append(FolderFeatures(folder / "features").get(loaded.clip_space).vectors)
    np.testing.assert_array_equal(*found)


def test_scenes_and_frames_are_those_found_without_it(
    film: Path, models: Path, tmp_path: Path
) -> None:
    plan = Plan(encoder=str(models / "clip"))
    without, _ = analyze_movie(film, prepare(plan), tmp_path / "without")
    loaded = prepare(replace(plan, recogniser=models / "i3d_r50"))
    assert not any("Places are named" in note for note in loaded.notes)
    timeline, _ = analyze_movie(film, loaded, tmp_path / "with")
    assert timeline.scenes is not None
    assert without.scenes is not None
    assert [scene.span for scene in timeline.scenes] == [scene.span for scene in without.scenes]
    assert timeline.made_by.steps["frames"] == without.made_by.steps["frames"]
    assert [s.sampled_frames for s in timeline.shots] == [s.sampled_frames for s in without.shots]
    scores = [list(map(one.get, CLASSES)) for one in scores_of(timeline)]
    (scene,) = timeline.scenes[:1]
    pooled = dict(zip(CLASSES, np.mean(scores[: scene.end_shot], axis=0), strict=True))
    for label in scene.labels or ():
        assert label.score == pytest.approx(pooled[label.name], abs=1e-6)


def test_fused_scores_are_means_by_share_and_a_label_of_one_keeps_its_part(
    film: Path, models: Path, tmp_path: Path
) -> None:
    plan = Plan(
        steps=LABELS_ALONE, encoder=str(models / "clip"), taxonomy=models / "two.txt",
        recogniser=models / "i3d_r50", fuse=0.3,
    )  # fmt: skip
    fused, _ = analyze_movie(film, prepare(plan), tmp_path / "fused")
    check(fused)
    alone = replace(plan, fuse=None, taxonomy="movieclip")
    recognised = scores_of(analyze_movie(film, prepare(alone), tmp_path / "alone")[0])
    by_words = replace(plan, fuse=None, recogniser=None)
    words = scores_of(analyze_movie(film, prepare(by_words), tmp_path / "words")[0])
    assert prepare(plan).taxonomy.labels == ("forest", "bar", "kitchen", "lighthouse")  # type: ignore[union-attr]
    for both, one, other in zip(scores_of(fused), recognised, words, strict=True):
        expected = {
            "forest": 0.3 * one["forest"] + 0.7 * other["forest"],
            "bar": 0.7 * other["bar"],
            "kitchen": 0.3 * one["kitchen"],
            "lighthouse": 0.3 * one["lighthouse"],
        }
        assert both == pytest.approx(expected, abs=1e-6)
    made = fused.made_by.steps["labels"]
    assert (made["share"], made["encoder"]) == (0.3, "clip")
    taxonomy = prepare(plan).taxonomy
    assert taxonomy is not None
    assert made["taxonomy"] == taxonomy.name == "two+tiny-i3d_r50"
    assert made["taxonomy_fingerprint"] == taxonomy.fingerprint


def test_vectors_of_frames_go_through_their_own_encoder(
    film: Path, models: Path, tmp_path: Path
) -> None:
    plan = Plan(
        steps=LABELS_ALONE, recogniser=models / "lstm", sampling=parse_sampling("rate:4")
    )  # fmt: skip
    loaded = prepare(plan)
    assert (loaded.notes, loaded.clip_space) == ((), None)
    timeline, _ = analyze_movie(film, loaded, tmp_path)
    check(timeline)
    encoder = load_frame_encoder(models / "vit", precision="float32")
    recogniser = TrainedRecogniser(models / "lstm" / "recogniser")
    images = {frame.index: frame.rgb() for frame in open_video(film).frames()}
    for shot, scores in zip(timeline.shots, scores_of(timeline), strict=True):
        vectors = encoder.encode_images([images[index] for index in shot.sampled_frames])
        expected = recogniser.scores(recogniser.features([vectors]))[0]
        assert [scores[name] for name in CLASSES] == pytest.approx(expected.tolist(), abs=1e-4)
    made = timeline.made_by.steps["labels"]["recogniser"]
    assert (Path(made["encoder"]).name, made["max_steps"]) == ("vit", 20)
    (note,) = prepare(replace(plan, sampling=parse_sampling("uniform:3"))).notes
    assert note.startswith("The recogniser was trained on 4 frames a second and gets uniform:3")


def test_shots_that_are_found_otherwise_have_features_of_their_own(
    film: Path, models: Path, tmp_path: Path
) -> None:
    plan = Plan(steps=LABELS_ALONE, recogniser=models / "i3d_r50")
    plain, _ = analyze_movie(film, prepare(plan), tmp_path / "out")
    shots = tmp_path / "shots.csv"  # Its second shot has the middle frame of the second one found.
    shots.write_text("first_frame,end_frame\n0,15\n15,75\n75,120\n")
    listed = replace(plan, shot_list=shots)
    assert prepare(plan).clip_space != prepare(listed).clip_space
    again, _ = analyze_movie(film, prepare(listed), tmp_path / "out")
    fresh, _ = analyze_movie(film, prepare(listed), tmp_path / "fresh")
    assert scores_of(again) == scores_of(fresh)
    assert [shot.span.first_frame for shot in again.shots] == [0, 15, 75]
    assert scores_of(again)[1] != scores_of(plain)[1]


@pytest.mark.parametrize("changes", [{"frames": 8}, {"size_px": 64}])
def test_a_recogniser_that_reads_other_clips_has_features_of_its_own(
    film: Path, tmp_path: Path, changes: dict[str, int]
) -> None:
    plan = Plan(steps=LABELS_ALONE, recogniser=tmp_path / "r")
    make_recogniser(tmp_path / "r", "i3d_r50", classes=CLASSES)
    first, _ = analyze_movie(film, prepare(plan), tmp_path / "out")
    make_recogniser(tmp_path / "r", "i3d_r50", classes=CLASSES, **changes)
    again, _ = analyze_movie(film, prepare(plan), tmp_path / "out")
    fresh, _ = analyze_movie(film, prepare(plan), tmp_path / "fresh")
    weights = [one.made_by.steps["labels"]["recogniser"]["weights_hash"] for one in (first, again)]
    assert weights[0] == weights[1]
    assert scores_of(again) == scores_of(fresh) != scores_of(first)


def test_a_library_keeps_the_features_and_finds_similar_films_by_them(
    film: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = encode_film(tmp_path / "other.mp4", flat_images(COLOURS[::-1], each=30))
    encoder = str(models / "clip")
    plan = Plan(steps=LABELS_ALONE, encoder=encoder, recogniser=models / "i3d_r50")
    loaded, library = prepare(plan), Library(tmp_path / "films.mastershot")
    timeline = library.add(film, loaded=loaded)
    library.add(other, loaded=loaded)
    assert library.verify() == []
    assert loaded.clip_space in library.spaces()
    source = SceneSource(library, vectors="recogniser:tiny-i3d_r50")
    found = find_similar(source, "film", window=1)
    assert found.space == loaded.clip_space
    assert loaded.labeller is None
    assert SceneSource(library).space == loaded.clip_space  # There are no others.
    monkeypatch.setattr(story, "decode_film", None)
    stricter = replace(plan, keep=KeepRule(min_best=1.0))
    strict = library.add(film, loaded=prepare(stricter))
    assert scores_of(strict) == scores_of(timeline)
    assert strict.made_by != timeline.made_by


def test_data_sets_are_labelled_by_it(film: Path, models: Path, tmp_path: Path) -> None:
    plan = Plan(steps=LABELS_ALONE, recogniser=models / "i3d_r50")
    loaded, library = prepare(plan), Library(tmp_path / "films.mastershot")
    built = build_from_clips([film], loaded, library, tmp_path / "one")
    assert built.num_shots == 4
    tags = json.loads(built.tags.read_text())
    (shots,) = tags.values()
    (timeline,) = [library.timeline(movie.id) for movie in library.movies()]
    first = next(iter(shots.values()))["labels"]
    assert first == pytest.approx(scores_of(timeline)[0], abs=1e-4)
    again = build_from_library(loaded, library, tmp_path / "two")
    assert json.loads(again.tags.read_text()) == tags
    other = prepare(replace(plan, recogniser=models / "video_swin_b"))
    failed: list[Exception] = []
    with pytest.raises(Exception, match="none of 1 clips"):
        build_from_library(other, library, tmp_path / "three", failed=failed.append)
    (error,) = failed
    assert isinstance(error, LibraryError)
    assert "holds no vectors of recogniser:tiny-video_swin_b" in str(error)
    assert "add the film again with that recogniser" in str(error)


def labels_kept(models: Path, folder: Path, *, figures: dict[str, Any], **plan: Any) -> list[str]:
    """Return what is kept of a shot, a close-up if ``scale`` is set, of scores 0.5, 0.3, 0.2."""
    make_recogniser(folder, "resnet18", classes=CLASSES, frames=1, figures=figures)
    scale = plan.pop("scale", None)
    loaded = prepare(Plan(steps=LABELS_ALONE, recogniser=folder, **plan))
    (shot,) = make_timeline(shot_frames=(3,), scene_shots=None, labels=None).shots
    scores = np.array([[0.5, 0.3, 0.2]], np.float32)
    (labelled,) = label_shots((replace(shot, scale=scale),), scores, loaded)
    return list(labelled.kept)


def test_a_recognisers_own_thresholds_decide_what_is_kept(models: Path, tmp_path: Path) -> None:
    rare = {"thresholds": {"kitchen": 0.6, "forest": 0.3, "lighthouse": 0.25}}
    assert labels_kept(models, tmp_path, figures={}) == ["kitchen", "forest", "lighthouse"]
    assert labels_kept(models, tmp_path, figures=rare) == ["forest"]
    close = {"ECS": 0.0, "CS": 1.0, "MS": 0.0, "FS": 0.0, "LS": 0.0}
    assert labels_kept(models, tmp_path, figures=rare, scale=close) == []
    lax = AbstentionRule(min_best_close=0.5)
    assert labels_kept(models, tmp_path, figures=rare, scale=close, abstain=lax) == ["forest"]


def test_other_thresholds_label_anew(film: Path, models: Path, tmp_path: Path) -> None:
    plan = Plan(steps=LABELS_ALONE, recogniser=tmp_path / "r")
    made = []
    for threshold in (0.0, 1.0):
        figures = {"thresholds": dict.fromkeys(CLASSES, threshold)}
        make_recogniser(tmp_path / "r", "resnet18", classes=CLASSES, frames=1, figures=figures)
        made.append(analyze_movie(film, prepare(plan), tmp_path / "out")[0])
    assert [len(one.shots[0].kept) for one in made] == [3, 0]


@pytest.mark.parametrize("figures", [{}, {"thresholds": dict.fromkeys(CLASSES, 0.75)}])
def test_a_sure_shot_among_its_like_keeps_its_labels_under_smoothing(
    tmp_path: Path, figures: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_recogniser(tmp_path, "resnet18", classes=CLASSES, frames=1, figures=figures)
    timeline = make_timeline(shot_frames=(3,) * 5, scene_shots=None, labels=None)
    rows = np.array([[0.9, 0.85, 0.8]] * 5, np.float32)
    monkeypatch.setattr(ShotRecogniser, "scores", lambda *of: rows)
    store = FolderFeatures(tmp_path / "features")
    kept = []
    for smoothing in (None, SmoothingSettings()):
        loaded = prepare(Plan(steps=LABELS_ALONE, recogniser=tmp_path, smoothing=smoothing))
        scores = label_scores(timeline.shots, loaded, timeline.made_by, store)
        assert (scores.tolist() == rows.tolist()) == (smoothing is None)
        kept += [shot.kept for shot in label_shots(timeline.shots, scores, loaded)]
        assert ("smoothing" in loaded.labels_made()) == (smoothing is not None)
    assert kept == [CLASSES] * 10


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"fuse": 0.5, "recogniser": None}, "share is 0.5, but no recogniser is named; add one"),
        ({"fuse": 0.0}, "a recogniser's share of 0 means nothing; it is above 0 and below 1"),
        ({"fuse": float("nan")}, "share of nan means nothing"),
        ({"steps": ("shots",)}, "but the steps are only shots; add labels"),
        ({"taxonomy": "movieclip-150"}, "taxonomy movieclip-150 is named, but the labels are the"),
        ({"recogniser": "gone"}, r"gone holds no recogniser \(recogniser.json\)"),
    ],
)
def test_plans_that_mean_nothing_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        prepare(Plan(**{"steps": LABELS_ALONE, "recogniser": "somewhere"} | settings))


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        ({"encoder": ""}, "of which its description does not name the encoder"),
        ({"encoder": "gone"}, "needs an encoder that cannot be loaded: encoder 'gone' is neither"),
        ({"encoder_hash": "blake2b:0"}, "with other weights than it has now"),
    ],
)
def test_an_encoder_that_is_not_that_of_the_training_is_an_error(
    models: Path, tmp_path: Path, card: dict[str, Any], sentence: str
) -> None:
    make_recogniser(tmp_path, **({"encoder": str(models / "vit")} | card))
    with pytest.raises(EncoderError, match=sentence):
        prepare(Plan(steps=LABELS_ALONE, recogniser=tmp_path))


@pytest.mark.parametrize(
    ("steps", "encoder", "spaces"),
    [
        (("shots", "labels", "scale"), None, 0),
        (("shots", "labels", "scale"), "clip", 1),
        (("shots", "labels", "scenes"), "clip", 2),
    ],
)
def test_frames_are_encoded_only_for_what_is_asked_beside_a_recogniser(
    models: Path, steps: tuple[str, ...], encoder: str | None, spaces: int
) -> None:
    named = None if encoder is None else str(models / encoder)
    loaded = prepare(Plan(steps=steps, encoder=named, recogniser=models / "i3d_r50"))
    assert len(loaded.encoders) == spaces
    assert (loaded.labeller is None) == ("scenes" not in steps)


def test_without_the_encoder_of_words_a_recogniser_labels_alone_but_fuses_nothing(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mastershot.core.errors import EncoderUnavailableError
    from mastershot.pipeline.analysis import plan as module

    def unavailable(name: str, **settings: Any) -> None:
        raise EncoderUnavailableError("its weights are not here")

    monkeypatch.setattr(module, "load_encoder", unavailable)
    loaded = prepare(Plan(recogniser=models / "i3d_r50"))
    assert loaded.taxonomy is not None
    assert loaded.notes[0] == "No headings: its weights are not here"
    with pytest.raises(EncoderUnavailableError, match="not here"):
        prepare(Plan(recogniser=models / "i3d_r50", fuse=0.5))
