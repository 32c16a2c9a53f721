"""Genres of a film: those that the model gave the same trailer; refusals; reuse; a step off."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
from tests.factories.commands import invoke
from tests.factories.films import encode_film, flat_images
from tests.factories.genre_runs import EXPERTS, SHOTS, GenreRun

import mastershot as ms
from mastershot.core.errors import DatasetError, EncoderError, SettingError
from mastershot.core.timeline import Timeline, timeline_schema
from mastershot.datasets.genres.table import GenreDataset, read_genre_dataset
from mastershot.encoders.catalogue import load_encoder
from mastershot.encoders.genre_model import load_fine_network, load_genre_model
from mastershot.genres.clustering import ClusterSettings, unit_rows
from mastershot.media.probe import probe
from mastershot.media.video import Film
from mastershot.pipeline.analysis.genres import _experts_of, read_known_trailers
from mastershot.pipeline.analysis.plan import STEPS, Plan, prepare
from mastershot.pipeline.analyze import analyze_movie
from mastershot.pipeline.genres.subgenres import SubGenreRequest, report_subgenres
from mastershot.pipeline.library import Library
from mastershot.training.genres.inputs import GenreInputs
from mastershot.training.genres.results import TrailerOutputs, run_network

ALONE = ("shots", "genres")


def a_plan(run: Path, steps: tuple[str, ...] = ALONE) -> Plan:
    return Plan(steps, shots=SHOTS, genres=run)


def by_name(timeline: Timeline) -> dict[str, float]:
    return {one.name: one.score for one in timeline.genres or ()}


def taught(genre_run: GenreRun) -> tuple[GenreDataset, TrailerOutputs, TrailerOutputs]:
    """Return the data set, and what the networks before and after the fine stage make of it."""
    data = read_genre_dataset(genre_run.data / "dataset")
    card, network = load_genre_model(genre_run.run / "model")
    after = load_fine_network(genre_run.run / "model", card)
    assert after is not None
    inputs = GenreInputs(data, tuple(data.experts.values()), card.clips, card.sequences)
    every = range(len(data.trailers))
    return data, run_network(network, inputs, every), run_network(after, inputs, every)


def forbid_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_frames(*arguments: object) -> None:
        raise AssertionError("the film is decoded again")

    monkeypatch.setattr(Film, "frames", no_frames)


def with_subgenres(genre_run: GenreRun, folder: Path) -> Path:
    """Copy a run, and find two sub-genres in it."""
    run = Path(shutil.copytree(genre_run.run, folder / "run"))
    settings = ClusterSettings("kmeans", 2, 2)
    dataset = genre_run.data / "dataset"
    report_subgenres(SubGenreRequest(run, dataset, settings, layouts=("tsne",)))
    return run


def changed(genre_run: GenreRun, folder: Path, **changes: object) -> Path:
    """Copy a model with another card; what is a function is given the value before."""
    model = Path(shutil.copytree(genre_run.run / "model", folder / "model"))
    card = json.loads((model / "genres.json").read_text())
    for name, value in changes.items():
        card[name] = value(card[name]) if callable(value) else value
    (model / "genres.json").write_text(json.dumps(card))
    return model


def test_a_film_has_the_genres_that_the_model_gives_it_as_a_trailer_of_the_data_set(
    genre_run: GenreRun, tmp_path: Path
) -> None:
    loaded = prepare(a_plan(genre_run.run))
    data, coarse, fine = taught(genre_run)
    assert tuple(data.experts) == EXPERTS
    unit = unit_rows(fine.embeddings)
    for place, trailer in enumerate(data.trailers):
        path = genre_run.trailers / f"{trailer.id}.mkv"
        timeline, _ = analyze_movie(path, loaded, tmp_path)
        assert len(timeline.shots) == trailer.num_clips
        scores = [by_name(timeline)[name] for name in data.genres]
        np.testing.assert_allclose(scores, coarse.scores[place], atol=1e-5)
        opened = {one.expert: one.opened for one in timeline.drivers or ()}
        np.testing.assert_allclose(
            [opened[name] for name in EXPERTS], coarse.opened[place], atol=1e-5
        )
        found = {one.id: one.similarity for one in timeline.relatives or ()}
        cosines = dict(zip([one.id for one in data.trailers], unit @ unit[place], strict=True))
        assert found == pytest.approx(
            {k: v for k, v in cosines.items() if k != trailer.id}, abs=1e-4
        )
        jsonschema.validate(json.loads(timeline.to_json()), timeline_schema())
        assert Timeline.from_json(timeline.to_json()) == timeline
    assert [one.num_clips for one in data.trailers][5:] == [1, 6]
    assert len(set(np.round(coarse.scores[:, 0], 4))) > 4  # They are not all the same.


def test_genres_are_chosen_by_the_thresholds_of_the_card_and_experts_say_what_they_lack(
    genre_run: GenreRun, tmp_path: Path
) -> None:
    card, _ = load_genre_model(genre_run.run / "model")
    limits = dict(zip(card.classes, card.thresholds, strict=True))
    mute, _ = analyze_movie(genre_run.trailers / "t1.mkv", prepare(a_plan(genre_run.run)), tmp_path)
    assert mute.genres is not None
    assert {one.name: one.threshold for one in mute.genres} == limits
    for one in mute.genres:
        assert one.chosen == (np.float32(one.score) >= np.float32(one.threshold))
    assert [one.score for one in mute.genres] == sorted(
        (one.score for one in mute.genres), reverse=True
    )
    # It has no sound and no subtitles: both experts are masked, and come last.
    drivers = {one.expert: one for one in mute.drivers or ()}
    assert {name for name, one in drivers.items() if not one.opened} == {"audio", "text"}
    assert {one.expert for one in (mute.drivers or ())[-2:]} == {"audio", "text"}
    usual = drivers["location"].usual
    assert usual is not None
    assert 0 < usual < 1
    titles = {one.id: one.title for one in mute.relatives or ()}
    assert titles["t3"] == "Film 3"
    assert "t1" not in titles
    made = mute.made_by.steps["genres"]
    assert made["model"] == "drawn"
    assert made["weights_hash"].startswith("blake2b:")
    assert made["experts"]["motion"]["pairs_hz"] == 12


def test_a_film_has_its_nearest_subgenre_where_the_run_has_some(
    genre_run: GenreRun, tmp_path: Path
) -> None:
    run = with_subgenres(genre_run, tmp_path)
    facts = json.loads((run / "subgenres" / "subgenres.json").read_text())
    path, out = genre_run.trailers / "t0.mkv", tmp_path / "out"
    plain, _ = analyze_movie(path, prepare(a_plan(genre_run.run)), out)
    assert plain.subgenre is None
    timeline, _ = analyze_movie(path, prepare(a_plan(run)), out)
    found = timeline.subgenre
    assert found is not None
    # Of two sub-genres by k-means, a trailer's own is the nearest.
    rows = (run / "subgenres" / "subgenres.csv").read_text().splitlines()
    own = next(row for row in rows if row.startswith("t0,"))
    assert found.name.partition(",")[0] in own
    assert found.name in {one["name"] for one in facts["subgenres"]}
    assert 0 <= found.distance <= 2
    assert 0 <= found.median_distance <= 2
    assert by_name(timeline) == by_name(plain)


def test_what_experts_said_is_kept_so_another_model_decodes_nothing(
    genre_run: GenreRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = genre_run.trailers / "t3.mkv", tmp_path / "out"
    first, folder = analyze_movie(path, prepare(a_plan(genre_run.run)), out)
    text = (folder / "timeline.json").read_text()
    forbid_decoding(monkeypatch)
    analyze_movie(path, prepare(a_plan(genre_run.run)), out)
    assert (folder / "timeline.json").read_text() == text
    low = changed(genre_run, tmp_path, thresholds=lambda one: [0.0] * len(one), name="other")
    again, _ = analyze_movie(path, prepare(a_plan(low)), out)
    assert by_name(again) == pytest.approx(by_name(first), abs=1e-6)
    assert all(one.chosen for one in again.genres or ())
    assert again.relatives is None  # The model's folder lies beside no embeddings.
    off, _ = analyze_movie(path, prepare(Plan(("shots",), shots=SHOTS)), out)
    assert off.genres is None


def test_a_step_that_is_off_leaves_no_key_and_one_that_is_added_runs_the_experts(
    genre_run: GenreRun, tmp_path: Path
) -> None:
    path, out = genre_run.trailers / "t0.mkv", tmp_path / "out"
    off, folder = analyze_movie(path, prepare(Plan(("shots",), shots=SHOTS)), out)
    keys = {"genres", "subgenre", "relatives", "drivers"}
    assert not keys & set(json.loads(off.to_json()))
    assert "genres" not in off.made_by.steps
    assert not [*folder.glob("features/*.npz")]
    on, _ = analyze_movie(path, prepare(a_plan(genre_run.run)), out)
    assert on.genres is not None
    assert [shot.span for shot in on.shots] == [shot.span for shot in off.shots]


def test_a_library_keeps_genres_and_finds_films_by_them(
    genre_run: GenreRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = prepare(a_plan(genre_run.run))
    library = Library(tmp_path / "films.mastershot")
    added = library.add(genre_run.trailers / "t0.mkv", loaded=loaded)
    assert added.genres is not None
    assert library.timeline(added.movie.id) == added
    forbid_decoding(monkeypatch)
    low = changed(genre_run, tmp_path, thresholds=lambda one: [0.0] * len(one))
    again = library.add(genre_run.trailers / "t0.mkv", loaded=prepare(a_plan(low)))
    assert again.chosen_genres == tuple(by_name(added))
    assert by_name(again) == pytest.approx(by_name(added), abs=1e-6)
    assert library.verify() == []


def test_subtitles_that_cannot_be_read_are_said_and_the_expert_is_masked(
    genre_run: GenreRun, tmp_path: Path
) -> None:
    film = Path(shutil.copy(genre_run.trailers / "t0.mkv", tmp_path / "film.mkv"))
    film.with_suffix(".srt").write_text("1\nnonsense --> more\nA ghost!\n")
    timeline, _ = analyze_movie(film, prepare(a_plan(genre_run.run)), tmp_path / "out")
    assert any("so expert text has nothing to say" in note for note in timeline.notes)
    assert {one.expert: one.opened for one in timeline.drivers or ()}["text"] == 0


def test_a_list_of_shots_and_several_reels_have_genres_too(
    genre_run: GenreRun, tmp_path: Path
) -> None:
    path = genre_run.trailers / "t0.mkv"
    plain, folder = analyze_movie(path, prepare(a_plan(genre_run.run)), tmp_path / "one")
    plan = replace(a_plan(genre_run.run), shot_list=folder / "shots.csv")
    loaded = prepare(plan)
    assert any("learned from shots of detector content" in note for note in loaded.notes)
    listed, _ = analyze_movie(path, loaded, tmp_path / "two")
    assert by_name(listed) == pytest.approx(by_name(plain), abs=1e-5)
    reels = [genre_run.trailers / name for name in ("t1.mkv", "t4.mkv")]
    joined, _ = analyze_movie(reels, prepare(a_plan(genre_run.run)), tmp_path / "three")
    assert joined.genres is not None


def test_with_a_model_the_default_steps_have_genres(genre_run: GenreRun) -> None:
    assert Plan(genres=genre_run.run).steps == (*STEPS, "genres")
    assert "genres" not in Plan().steps


def test_a_step_without_a_model_and_a_model_without_the_step_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"step genres needs a model.*build.*run"):
        Plan(steps=ALONE)
    with pytest.raises(SettingError, match="the steps are only shots; add genres"):
        Plan(steps=("shots",), genres=tmp_path)
    with pytest.raises(SettingError, match="holds no model of genres"):
        prepare(Plan(genres=tmp_path))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"experts": lambda one: {"words" if k == "text" else k: v for k, v in one.items()}},
            "its expert words was computed elsewhere, and a film has only location",
        ),
        (
            {"made_by": lambda one: one | {"audio": {}}},
            "its expert audio has network none, and .*; train it on a data set",
        ),
        (
            {"made_by": lambda one: one | {"audio": one["audio"] | {"weights_hash": "sha256:0"}}},
            "its expert audio has weights_hash sha256:0, and ",
        ),
        (
            {"made_by": lambda one: one | {"image": {"network": "no/such", "weights_hash": "x"}}},
            "its expert image is encoder no/such, which cannot be loaded",
        ),
        (
            {
                "made_by": lambda one: (
                    one | {"image": {"network": "senet154-c7b49a05.pth", "weights_hash": "x"}}
                )
            },
            "its expert image is a network read from the file senet154-c7b49a05.pth, and a film "
            "has only encoders of frames and words; train it on a data set of `mastershot genres "
            "build` without --encoder, or with --encoder and the name of such an encoder$",
        ),
    ],
)
def test_a_model_whose_experts_a_film_cannot_give_is_refused(
    genre_run: GenreRun, tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    model = changed(genre_run, tmp_path, **changes)
    if "experts" in changes:  # Its weights are named by experts, too.
        from safetensors.numpy import load_file, save_file

        for name in ("genres.safetensors", "fine.safetensors"):
            weights = load_file(model / name)
            renamed = {
                key.replace("layers.text.", "layers.words.").replace("_text", "_words"): one
                for key, one in weights.items()
            }
            save_file(renamed, model / name)
    with pytest.raises(EncoderError, match=sentence) as error:
        prepare(a_plan(model))
    assert str(error.value).startswith(f"model of genres {model} cannot see films")


def test_pictures_by_an_encoder_may_be_the_only_expert_of_a_model() -> None:
    encoder = load_encoder("starter")
    space = replace(encoder.space, model="another")
    other = SimpleNamespace(space=space, encode_images=encoder.encode_images)
    made = {"network": space.model, "weights_hash": space.weights_hash}
    card = SimpleNamespace(experts={"image": space.width}, made_by={"image": made}, pieces={})
    trained = SimpleNamespace(card=card, folder="model", shape=lambda name: (space.width,))
    (expert,) = _experts_of(trained, other)  # type: ignore[arg-type]
    assert expert.described.made_by == made


def test_embeddings_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    rows = np.full((2, 3), np.nan, np.float32)
    np.savez(
        tmp_path / "embeddings.npz", coarse=rows, fine=rows, opened=np.ones((2, 1)),
        trailers=np.array(["t0", "t1"]),
    )  # fmt: skip
    trained = SimpleNamespace(card=SimpleNamespace(experts={"image": 4}, bottleneck=3))
    with pytest.raises(DatasetError, match="embeddings or gates that are not finite"):
        read_known_trailers(tmp_path, trained)  # type: ignore[arg-type]


def test_embeddings_of_another_model_are_refused(genre_run: GenreRun, tmp_path: Path) -> None:
    run = Path(shutil.copytree(genre_run.run, tmp_path / "run"))
    with np.load(run / "embeddings.npz") as kept:
        arrays = dict(kept)
    np.savez(run / "embeddings.npz", **arrays | {"fine": arrays["fine"][:, :5]})
    with pytest.raises(DatasetError, match="is not of the model beside it"):
        prepare(a_plan(run))


def test_a_film_of_one_frame_has_genres(genre_run: GenreRun, tmp_path: Path) -> None:
    film = encode_film(tmp_path / "film.mp4", flat_images([(90, 90, 20)], each=1))
    timeline, _ = analyze_movie(film, prepare(a_plan(genre_run.run)), tmp_path / "out")
    assert timeline.movie.num_frames == 1
    opened = {one.expert: one.opened for one in timeline.drivers or ()}
    assert opened["location"] > 0
    assert opened["motion"] == 0


def test_the_command_takes_a_run_and_says_what_is_missing(
    genre_run: GenreRun, tmp_path: Path
) -> None:
    film = genre_run.trailers / "t5.mkv"
    steps = ("--steps", "shots,genres", "--detector", "content", "--out", tmp_path / "out")
    done = invoke("analyze", film, *steps, "--genres", genre_run.run, "--json", "--quiet")
    assert done.exit_code == 0, done.output
    timeline = Timeline.load(tmp_path / "out" / "t5" / "timeline.json")
    assert json.loads(done.stdout)[0]["genres"] == list(timeline.chosen_genres)
    refused = invoke("analyze", film, *steps)
    assert refused.exit_code == 2
    assert "train one on your own trailers" in refused.output
    assert probe(film).id == timeline.movie.id
    assert ms.Timeline is Timeline
