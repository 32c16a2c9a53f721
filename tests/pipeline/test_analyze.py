import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from tests.factories.films import drawn_film, encode_film, flat_images
from tests.factories.models import make_tiny_clip
from tests.factories.reference import clip_scene_scores as plain_scene_scores
from tests.media.test_video import real_films

import mastershot as ms
from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import MediaError, OutputError, ShotListError
from mastershot.core.timeline import Timeline, timeline_schema
from mastershot.encoders.text import SentenceEncoder
from mastershot.labelling.perception.setting import load_places
from mastershot.labelling.smoothing import SmoothingSettings
from mastershot.media.sampling import Sampling, parse_sampling
from mastershot.media.video import open_video
from mastershot.pipeline import analyze as story
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.analyze import analyze_movie
from mastershot.shots.settings import ShotSettings
from mastershot.synthetic.plan import FilmPlan

WITHOUT_WORDS = Plan(steps=("shots", "scenes"))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FilmPlan]:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return path, drawn_film(path, num_scenes=3, shots_per_scene=3)


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny-clip"
    make_tiny_clip(folder)
    return folder


def check(timeline: Timeline) -> None:
    jsonschema.validate(json.loads(timeline.to_json()), timeline_schema())
    assert Timeline.from_json(timeline.to_json()) == timeline
    spans = [shot.span for shot in timeline.shots]
    assert spans[0].first_frame == 0
    assert spans[-1].end_frame == timeline.movie.num_frames
    assert all(a.end_frame == b.first_frame for a, b in pairwise(spans))
    assert all(a.end_pts == b.start_pts for a, b in pairwise(spans))


def test_a_film_becomes_a_folder_of_results(film, tmp_path: Path) -> None:
    path, truth = film
    timeline, folder = analyze_movie(path, prepare(WITHOUT_WORDS), tmp_path)
    check(timeline)
    assert [shot.span.first_frame for shot in timeline.shots[1:]] == list(truth.cuts)
    assert Timeline.load(folder / "timeline.json") == timeline
    assert folder == tmp_path / "film"
    assert {entry.name for entry in folder.iterdir()} == {
        "timeline.json", "report.html", "shots.csv", "thumbs", "features", "frames.npz",
    }  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["film"]
    for shot in timeline.shots:
        assert shot.thumb is not None
        assert (folder / shot.thumb).read_bytes().startswith(b"\xff\xd8")
        assert all(
            shot.span.first_frame <= frame < shot.span.end_frame for frame in shot.sampled_frames
        )
        assert len(shot.sampled_frames) == 3


def test_drawn_scenes_are_mostly_found(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    truth = drawn_film(path, num_scenes=6, shots_per_scene=5)
    timeline = ms.analyze(path, WITHOUT_WORDS)
    assert [shot.span.first_frame for shot in timeline.shots[1:]] == list(truth.cuts)
    assert timeline.scenes is not None
    found = [scene.first_shot for scene in timeline.scenes]
    drawn, num_shots = list(truth.scene_starts), len(timeline.shots)
    boundaries = [np.isin(np.arange(1, num_shots), starts) for starts in (found, drawn)]
    hits = int((boundaries[0] & boundaries[1]).sum())
    assert 2 * hits / (len(found) + len(drawn) - 2) >= 0.6


def test_the_second_run_changes_no_byte(film, tmp_path: Path) -> None:
    def files() -> dict[str, tuple[bytes, int]]:
        return {
            str(p): (p.read_bytes(), p.stat().st_mtime_ns)
            for p in tmp_path.rglob("*") if p.is_file()
        }  # fmt: skip

    analyze_movie(film[0], prepare(WITHOUT_WORDS), tmp_path)
    before = files()
    analyze_movie(film[0], prepare(WITHOUT_WORDS), tmp_path)
    assert files() == before


def test_a_film_whose_results_are_there_loads_no_sentence_encoder(
    film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    encode = SentenceEncoder.encode_texts

    def counting(self: SentenceEncoder, texts: Sequence[str]) -> FloatArray:
        encoded.append(len(texts))
        return encode(self, texts)

    monkeypatch.setattr(SentenceEncoder, "encode_texts", counting)
    first, _ = analyze_movie(film[0], prepare(Plan()), tmp_path)
    assert encoded == [len(ms.load_taxonomy("movieclip").labels), len(load_places().names)]
    encoded.clear()
    assert analyze_movie(film[0], prepare(Plan()), tmp_path)[0] == first
    library = ms.Library(tmp_path / "films.mastershot")
    assert library.add(film[0]) == library.add(film[0])
    assert len(encoded) == 2


def test_labels_are_the_scores_of_the_method(film, tiny_clip: Path) -> None:
    """The labels of each shot equal a plain loop over METHODS A4, from pixels to scores."""
    plan = Plan(encoder=str(tiny_clip), taxonomy="movieclip-150")
    timeline = ms.analyze(film[0], plan)
    check(timeline)
    encoder, taxonomy = ms.load_encoder(str(tiny_clip)), ms.load_taxonomy("movieclip-150")
    words = encoder.encode_texts(
        [encoder.label_template.replace("{label}", label) for label in taxonomy.labels]
    )
    images = {frame.index: frame.rgb() for frame in open_video(film[0]).frames()}
    for shot in timeline.shots:
        vectors = np.concatenate([encoder.encode_images([images[i]]) for i in shot.sampled_frames])
        expected = plain_scene_scores(vectors, words, encoder.logit_scale)
        best = sorted(expected, reverse=True)[:5]
        assert shot.labels is not None
        assert [label.score for label in shot.labels] == pytest.approx(best, abs=1e-5)


def test_new_labels_never_decode_again(
    film, tiny_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(encoder=str(tiny_clip))
    first, _ = analyze_movie(film[0], prepare(plan), tmp_path)
    labels = tmp_path / "mine.txt"
    labels.write_text("kitchen\n{harbour}\n50% off\n")
    monkeypatch.setattr(story, "decode_film", None)
    second, folder = analyze_movie(film[0], prepare(replace(plan, taxonomy=labels)), tmp_path)
    check(second)
    assert second.shots[0].span == first.shots[0].span
    assert second.shots[0].labels is not None
    assert {label.name for label in second.shots[0].labels} == {"kitchen", "{harbour}", "50% off"}
    assert (folder / "thumbs/00000.jpg").exists()
    again, _ = analyze_movie(film[0], prepare(plan), tmp_path)
    assert again.shots == first.shots


def test_smoothed_labels_never_decode_again_and_say_how_they_were_smoothed(
    film, tiny_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(encoder=str(tiny_clip))
    first, folder = analyze_movie(film[0], prepare(plan), tmp_path)
    assert "smoothing" not in first.made_by.steps["labels"]
    text = (folder / "timeline.json").read_bytes()
    monkeypatch.setattr(story, "decode_film", None)
    smoothing = SmoothingSettings(stay=0.9)
    smoothed, _ = analyze_movie(film[0], prepare(replace(plan, smoothing=smoothing)), tmp_path)
    check(smoothed)
    made = smoothed.made_by.steps["labels"]["smoothing"]
    assert (made["stay"], len(made["transitions"])) == (0.9, 16)
    assert [shot.labels for shot in smoothed.shots] != [shot.labels for shot in first.shots]
    assert [shot.span for shot in smoothed.shots] == [shot.span for shot in first.shots]
    again, _ = analyze_movie(film[0], prepare(plan), tmp_path)
    assert again.shots == first.shots
    assert json.loads((folder / "timeline.json").read_bytes())["shots"] == json.loads(text)["shots"]


def test_other_shots_are_decoded_again_but_no_frame_is_encoded_twice(
    film, tiny_clip: Path, tmp_path: Path
) -> None:
    plan = Plan(encoder=str(tiny_clip), sampling=Sampling("every", 0))
    loaded = prepare(plan)
    first, _ = analyze_movie(film[0], loaded, tmp_path)
    check(first)
    assert first.shots[0].sampled_frames == ()
    assert loaded.labeller is not None
    loaded.labeller.encoder.encode_images = None  # type: ignore[method-assign, assignment]
    longer = replace(loaded, plan=replace(plan, shots=ShotSettings(min_shot_s=2.0)))
    second, _ = analyze_movie(film[0], longer, tmp_path)
    check(second)
    assert len(second.shots) < len(first.shots)


def test_a_rate_takes_frames_by_time_and_leaves_no_shot_out(film) -> None:
    timeline = ms.analyze(film[0], replace(WITHOUT_WORDS, sampling=parse_sampling("rate:0.4")))
    times_s = [
        frame / 24 for shot in timeline.shots for frame in shot.sampled_frames
        if len(timeline.shots) > 1
    ]  # fmt: skip
    assert all(shot.sampled_frames for shot in timeline.shots)
    on_the_clock = [t for t in times_s if t % 2.5 < 1 / 24]
    assert len(on_the_clock) == 1 + int(times_s[-1] // 2.5)


def test_without_an_encoder_the_rest_is_delivered_and_one_sentence_says_how(
    film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    loaded = prepare(Plan(encoder="somebody/clip"))
    [note] = loaded.notes
    assert "\n" not in note
    assert "--encoder" in note
    timeline, folder = analyze_movie(film[0], loaded, tmp_path)
    check(timeline)
    assert timeline.scenes
    assert timeline.shots[0].labels is None
    assert "--encoder" in (folder / "report.html").read_text()


def test_the_starter_labels_when_no_encoder_is_named_and_says_so(film, tmp_path: Path) -> None:
    loaded = prepare(Plan())
    [note] = loaded.notes
    assert "starter" in note
    assert "--encoder clip" in note
    timeline, folder = analyze_movie(film[0], loaded, tmp_path)
    check(timeline)
    assert timeline.shots[0].labels
    assert timeline.made_by.steps["labels"]["encoder"] == "mastershot/starter"
    page = (folder / "report.html").read_text()
    assert "mastershot/starter" in page
    assert "--encoder clip" in page


def test_labels_stay_where_their_encoder_has_gone(film, tiny_clip: Path, tmp_path: Path) -> None:
    labelled, _ = analyze_movie(film[0], prepare(Plan(encoder=str(tiny_clip))), tmp_path)
    without = replace(prepare(Plan(encoder=str(tiny_clip))), labeller=None)
    assert analyze_movie(film[0], without, tmp_path)[0] == labelled


def test_vectors_that_were_deleted_are_made_again(film, tmp_path: Path) -> None:
    loaded = prepare(WITHOUT_WORDS)
    first, folder = analyze_movie(film[0], loaded, tmp_path)
    shutil.rmtree(folder / "features")
    second, _ = analyze_movie(film[0], loaded, tmp_path)
    assert (folder / "features").is_dir()
    assert second.shots == first.shots


def test_an_empty_folder_of_the_users_stays(film, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    path = tmp_path / "cut.mp4"
    path.write_bytes(film[0].read_bytes()[:-3000])
    with pytest.raises(MediaError):
        analyze_movie(path, prepare(WITHOUT_WORDS), tmp_path / "out")
    assert (tmp_path / "out").is_dir()


def test_a_cut_on_the_last_frame_is_a_shot(tmp_path: Path) -> None:
    images = flat_images([(240, 240, 240)], each=200) + flat_images([(10, 10, 10)], each=1)
    plan = replace(WITHOUT_WORDS, shots=ShotSettings("content"))
    timeline = ms.analyze(encode_film(tmp_path / "film.mkv", images), plan)
    check(timeline)
    assert [shot.span.first_frame for shot in timeline.shots] == [0, 200]


def test_a_truncated_film_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    drawn_film(path, num_scenes=6)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(MediaError, match="truncated"):
        analyze_movie(path, prepare(WITHOUT_WORDS), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_one_sentence(film, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match=r"results for film\.mp4 cannot be written to"):
        analyze_movie(film[0], prepare(WITHOUT_WORDS), tmp_path / "out")


def test_a_full_disk_is_one_sentence_and_keeps_what_was_there(film, tmp_path: Path) -> None:
    _, folder = analyze_movie(film[0], prepare(Plan(steps=("shots",))), tmp_path)
    before = (folder / "timeline.json").read_bytes()
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "sys.argv = ['mastershot', 'analyze', sys.argv[1], '--out', sys.argv[2],"
        " '--steps', 'shots', '--min-shot', '0.1']\n"
        "from mastershot.apps.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", script, str(film[0]), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "cannot be written to" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert (folder / "timeline.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["film"]


def test_a_film_of_one_frame_is_one_shot(tmp_path: Path) -> None:
    path = encode_film(tmp_path / "one.mp4", flat_images([(9, 99, 9)], each=1))
    timeline = ms.analyze(path, WITHOUT_WORDS)
    check(timeline)
    assert len(timeline.shots) == 1
    assert timeline.scenes is not None
    assert len(timeline.scenes) == 1


def test_a_still_of_ten_hours_is_one_shot(tmp_path: Path) -> None:
    images = flat_images([(9, 99, 9)], each=1, width_px=32, height_px=32) * 3600
    path = encode_film(
        tmp_path / "still.mkv", images, pts=[10_000 * i for i in range(3600)],
        time_base=Fraction(1, 1000), options={"preset": "ultrafast"},
    )  # fmt: skip
    timeline = ms.analyze(path, WITHOUT_WORDS)
    check(timeline)
    assert len(timeline.shots) == 1
    assert timeline.movie.duration_s == pytest.approx(36_000, abs=10)


def test_a_list_of_shots_takes_the_place_of_detection(film, tmp_path: Path) -> None:
    path, truth = film
    (tmp_path / "list.txt").write_text(f"0 9\n10 19\n20 {truth.num_frames - 1}\n")
    timeline = ms.analyze(path, replace(WITHOUT_WORDS, shot_list=tmp_path / "list.txt"))
    check(timeline)
    assert [shot.span.first_frame for shot in timeline.shots] == [0, 10, 20]
    (tmp_path / "list.txt").write_text("0 9\n10 99999\n")
    with pytest.raises(ShotListError, match="names frame 99999"):
        ms.analyze(path, replace(WITHOUT_WORDS, shot_list=tmp_path / "list.txt"))


def test_detect_shots_is_the_smallest_useful_call(film) -> None:
    shots = ms.detect_shots(film[0])
    assert [shot.span.first_frame for shot in shots[1:]] == list(film[1].cuts)
    assert shots[0].thumb is None


def test_every_real_film_becomes_a_valid_timeline(real_data: Path) -> None:
    for path in real_films(real_data):
        timeline = ms.analyze(path, WITHOUT_WORDS)
        check(timeline)
        assert timeline.movie.id == timeline.movie.content_hash[8:24]
