"""The step of an analysis, on films that are drawn; networks are stood in for."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import encode_film, flat_images
from tests.factories.models import make_recogniser, make_tiny_clip
from tests.factories.sounds import sounding_film, tone

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError, SettingError
from mastershot.core.timeline import Timeline
from mastershot.encoders.detectors.content import ContentClassifier
from mastershot.encoders.detectors.sound import SoundClassifier
from mastershot.labelling.moderation.policy import MODERATION_CLASSES, VIOLENT_SOUNDS
from mastershot.pipeline import analyze as story
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan, prepare
from mastershot.pipeline.analyze import analyze_movie
from mastershot.pipeline.library import Library
from mastershot.pipeline.moderation.cutting import tune_moderation
from mastershot.pipeline.moderation.detectors import HEARD, ModerationOptions
from mastershot.store.features import FolderFeatures

RED, BLACK = (200, 30, 30), (0, 0, 0)


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return encode_film(path, flat_images([RED, BLACK], each=30))


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "loud.mkv"
    return sounding_film(path, flat_images([RED, BLACK], each=30), tone(2.5))


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is red is pornography, and every sound is a gunshot; no network is loaded."""

    def score(self: ContentClassifier, images: list[np.ndarray]) -> FloatArray:
        red = np.array([image[..., 0].mean() > 100 for image in images])
        return np.where(red[:, None], [0.0, 0, 0, 1, 0], [0.0, 0, 1, 0, 0]).astype(np.float32)

    def hear(self: SoundClassifier, windows: FloatArray) -> FloatArray:
        scores = np.zeros((len(windows), len(self.classes)), np.float32)
        scores[:, self.classes.index("Gunshot, gunfire")] = 0.75
        return scores

    monkeypatch.setattr(ContentClassifier, "__init__", lambda self: None)
    monkeypatch.setattr(ContentClassifier, "encode_images", score)
    monkeypatch.setattr(SoundClassifier, "scores", hear)


def loaded_for(*steps: str, **options: object) -> LoadedPlan:
    return prepare(
        Plan(steps=("shots", *steps), moderation=ModerationOptions(**options))  # type: ignore[arg-type]
    )


def found(timeline: Timeline) -> list[tuple[str, str]]:
    return [(one.name, one.source) for one in timeline.moderation or ()]


def test_a_film_is_flagged_with_pictures_of_the_evidence(silent: Path, tmp_path: Path) -> None:
    timeline, folder = analyze_movie(silent, loaded_for("moderation"), tmp_path)
    (one,) = timeline.moderation or ()
    assert (one.name, one.source, one.score) == ("sex", "seen", 1.0)
    assert one.shots == (timeline.shots[0].id,)
    assert (one.start_s, one.end_s) == pytest.approx((0, timeline.shots[0].span.end_s), abs=1e-4)
    frames = [each.frame for each in one.evidence]
    assert frames == list(timeline.shots[0].sampled_frames)
    pictures = sorted(path.name for path in (folder / "evidence").iterdir())
    assert pictures == [f"{frame:07}.jpg" for frame in frames]
    assert "sex,seen,flagged" in (folder / "moderation.csv").read_text("utf-8")


def test_pictures_stay_where_the_film_is_gone_and_come_where_it_is_there(
    silent: Path, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(silent.read_bytes())
    _, folder = analyze_movie(film, loaded_for("moderation"), tmp_path / "out")
    pictures = folder / "evidence"
    before = {path.name: path.read_bytes() for path in pictures.iterdir()}
    (pictures / min(before)).unlink()
    (pictures / max(before)).write_bytes(b"kept")
    before[max(before)] = b"kept"
    tune_moderation(folder, "strict", write=True)
    assert {path.name: path.read_bytes() for path in pictures.iterdir()} == before
    film.unlink()
    for policy in ("lenient", "default"):
        tune_moderation(folder, policy, write=True)
    assert {path.name: path.read_bytes() for path in pictures.iterdir()} == before


def test_sound_is_evidence_and_its_scores_are_kept(loud: Path, tmp_path: Path) -> None:
    timeline, folder = analyze_movie(loud, loaded_for("sound", "moderation"), tmp_path)
    assert set(found(timeline)) == {("sex", "seen"), ("violence", "heard")}
    kept = FolderFeatures(folder / "features").get(HEARD.space).vectors
    assert kept[0, 0] == pytest.approx(2.5, abs=0.01)
    assert kept.shape[1] == 1 + len(VIOLENT_SOUNDS)
    assert (np.diff(kept[1:, 0]) > 0).all()


def test_another_policy_decodes_nothing_and_runs_no_network(
    loud: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, folder = analyze_movie(loud, loaded_for("sound", "moderation"), tmp_path)
    monkeypatch.setattr(story, "decode_film", lambda *a, **k: pytest.fail("it was decoded"))
    for network in (ContentClassifier, SoundClassifier):
        for method in ("encode_images", "scores"):
            monkeypatch.setattr(network, method, lambda *a: pytest.fail("it ran"), raising=False)
    tuned = tune_moderation(folder, "lenient")
    again, _ = analyze_movie(loud, loaded_for("sound", "moderation", policy="lenient"), tmp_path)
    assert again.moderation == tuned.moderation
    assert again.moderation_coverage == tuned.moderation_coverage
    same, _ = analyze_movie(loud, loaded_for("sound", "moderation", policy="lenient"), tmp_path)
    assert same == again
    back, _ = analyze_movie(loud, loaded_for("sound", "moderation"), tmp_path)
    assert back.moderation == first.moderation


def test_without_the_step_nothing_of_it_is_left(silent: Path, tmp_path: Path) -> None:
    analyze_movie(silent, loaded_for("moderation"), tmp_path)
    timeline, folder = analyze_movie(silent, loaded_for(), tmp_path)
    assert (timeline.moderation, timeline.moderation_coverage) == (None, None)
    assert not (folder / "evidence").exists()
    assert not (folder / "moderation.csv").exists()


def test_moderation_that_is_asked_for_later_listens_once_more(loud: Path, tmp_path: Path) -> None:
    analyze_movie(loud, loaded_for("sound"), tmp_path)
    timeline, _ = analyze_movie(loud, loaded_for("sound", "moderation"), tmp_path)
    assert ("violence", "heard") in found(timeline)
    plain, _ = analyze_movie(loud, loaded_for("sound"), tmp_path)
    assert plain.moderation is None


def test_a_library_keeps_the_scores_too(loud: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "films.mastershot")
    first = library.add(loud, loaded=loaded_for("sound", "moderation"))
    assert library.timeline(first.movie.id) == first
    assert library.verify() == []
    lenient = library.add(loud, loaded=loaded_for("sound", "moderation", policy="lenient"))
    assert lenient.made_by.steps["moderation"]["policy"]["name"] == "lenient"
    assert library.features(first.movie.id).get(HEARD.space).vectors.shape[0] > 2


def test_clip_is_asked_in_words(silent: Path, tmp_path: Path) -> None:
    clip = make_tiny_clip(tmp_path / "clip")
    plan = Plan(
        steps=("shots", "moderation"),
        encoder=str(clip),
        moderation=ModerationOptions("strict"),
    )
    timeline, folder = analyze_movie(silent, prepare(plan), tmp_path / "out")
    made = timeline.made_by.steps["moderation"]["detectors"]
    (words,) = (one for one in made if one["kind"] == "words")
    assert tuple(words["outputs"]) == MODERATION_CLASSES
    rows = {(row.name, row.source): row for row in timeline.moderation_coverage or ()}
    assert rows["violence", "seen"].status == "covered"
    assert rows["drug use", "seen"].models == (f"{words['model']}",)
    assert tune_moderation(folder, "strict").moderation == timeline.moderation
    # The default policy has no threshold for words: they do not count.
    default = tune_moderation(folder, "default")
    rows = {(row.name, row.source): row for row in default.moderation_coverage or ()}
    assert rows["drug use", "seen"].status == "not covered"


def test_a_recogniser_of_clips_is_refused(tmp_path: Path) -> None:
    folder = make_recogniser(tmp_path / "clips", "r3d_18")
    with pytest.raises(EncoderError, match=r"reads clips; moderation takes probes"):
        loaded_for("moderation", models=(str(folder),))


def test_a_probe_without_its_encoder_is_refused(tmp_path: Path) -> None:
    from tests.encoders.test_probe import write

    folder, _ = write(tmp_path / "probe")
    with pytest.raises(EncoderError, match=r"reads vectors of width 4, and there is none; name"):
        loaded_for("moderation", models=(str(folder),))
    (tmp_path / "empty").mkdir()
    with pytest.raises(EncoderError, match="holds neither a probe"):
        loaded_for("moderation", models=(str(tmp_path / "empty"),))


def test_a_probe_scores_shots_by_the_vectors_of_the_encoder(silent: Path, tmp_path: Path) -> None:
    import torch

    from mastershot.encoders.catalogue import load_encoder
    from mastershot.encoders.probe import ProbeCard, build_probe, write_probe

    clip = make_tiny_clip(tmp_path / "clip")
    width = load_encoder(str(clip)).space.width
    card = ProbeCard("mcd", "mlp", ("sex", "violence", "drug use", "none"), width, 6, 1, 0.0, 9)
    torch.manual_seed(0)
    write_probe(tmp_path / "run" / "probe", card, build_probe(card), figures={})
    plan = Plan(
        steps=("shots", "moderation"),
        encoder=str(clip),
        moderation=ModerationOptions(models=(str(tmp_path / "run"),)),
    )
    timeline, folder = analyze_movie(silent, prepare(plan), tmp_path / "out")
    rows = {(row.name, row.source): row for row in timeline.moderation_coverage or ()}
    assert rows["drug use", "seen"].models == ("mcd",)
    assert rows["sex", "seen"].models == ("nsfw", "mcd")
    mine = tmp_path / "low.yaml"
    mine.write_text("classes:\n  drug use:\n    guideline: x\n    thresholds: {seen: 0.001}\n")
    low = tune_moderation(folder, mine)
    frames = [each.frame for one in low.moderation or () for each in one.evidence]
    assert frames == [frame for shot in timeline.shots for frame in shot.sampled_frames]


def test_a_policy_that_no_step_uses_is_refused() -> None:
    with pytest.raises(SettingError, match="policy strict is named, but the steps are only shots"):
        Plan(steps=("shots",), moderation=ModerationOptions("strict"))
    with pytest.raises(SettingError, match="moderation model mine is named"):
        Plan(steps=("shots",), moderation=ModerationOptions(models=("mine",)))


def test_a_tape_of_several_films_keeps_the_intervals_of_each(tmp_path: Path) -> None:
    from mastershot.pipeline.parts import SplitRule
    from mastershot.pipeline.split import analyze_films

    images = flat_images([RED, BLACK, RED], each=36)
    tape = sounding_film(tmp_path / "tape.mkv", images, np.zeros(round(4.5 * 48_000)))
    loaded = loaded_for("moderation")
    films = analyze_films(loaded.plan and _file(tape), loaded, tmp_path, rule=SplitRule(1.0))
    assert len(films) == 3
    for timeline, folder in films[1:]:
        (one,) = timeline.moderation or ()
        assert one.id.startswith(timeline.movie.id)
        assert all(0 <= (each.frame or 0) < timeline.movie.num_frames for each in one.evidence)
        assert set(one.shots) <= {shot.id for shot in timeline.shots}
        assert Fraction(0) < timeline.movie.duration_s
        assert found(tune_moderation(folder, "default")) == [("sex", "seen")]


def _file(path: Path):  # type: ignore[no-untyped-def]
    from mastershot.media.reels.facts import probe_film

    return probe_film(path)


def test_a_recogniser_of_vectors_scores_shots(silent: Path, tmp_path: Path) -> None:
    from mastershot.encoders.catalogue import load_encoder

    clip = make_tiny_clip(tmp_path / "clip")
    space = load_encoder(str(clip), precision="float32").space
    folder = make_recogniser(
        tmp_path / "run" / "recogniser",
        classes=("violence", "drug use"),
        encoder=str(clip),
        encoder_hash=space.weights_hash,
        input_width=space.width,
    )
    timeline, _ = analyze_movie(
        silent, loaded_for("moderation", models=(str(folder.parent),)), tmp_path / "out"
    )
    rows = {(row.name, row.source): row for row in timeline.moderation_coverage or ()}
    assert rows["violence", "seen"].models == ("tiny-lstm",)
    assert rows["drug use", "seen"].status == "covered"


def test_an_installed_detector_takes_part(
    silent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.metadata import EntryPoint

    from mastershot.encoders.detectors import installed

    point = EntryPoint(
        "blood", "tests.encoders.detectors.test_installed:BloodDetector", installed.GROUP
    )
    monkeypatch.setattr(installed, "entry_points", lambda group: [point])
    timeline, folder = analyze_movie(silent, loaded_for("moderation", models=("blood",)), tmp_path)
    assert set(found(timeline)) == {("sex", "seen"), ("violence", "seen")}
    (violence,) = (one for one in timeline.moderation or () if one.name == "violence")
    assert violence.model == "blood"
    assert violence.shots == (timeline.shots[0].id,)
    # A policy may name what only this detector finds, also later and without it.
    monkeypatch.setattr(installed, "entry_points", lambda group: [])
    mine = tmp_path / "gore.yaml"
    mine.write_text("classes:\n  gore:\n    guideline: x\n    thresholds: {seen: 0.3}\n")
    assert found(tune_moderation(folder, mine)) == [("gore", "seen")]


def test_two_models_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    from mastershot.encoders.detectors import installed

    point = EntryPoint(
        "blood", "tests.encoders.detectors.test_installed:BloodDetector", installed.GROUP
    )
    monkeypatch.setattr(installed, "entry_points", lambda group: [point])
    with pytest.raises(SettingError, match="two moderation models are called 'blood'"):
        loaded_for("moderation", models=("blood", "blood"))
