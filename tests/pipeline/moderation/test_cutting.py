import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.factories.moderation import CONTENT, SEEN, scored_folder, scored_timeline

from mastershot.core.errors import OutputError, SettingError, TimelineError
from mastershot.core.lanes import ModerationInterval
from mastershot.core.timeline import Timeline
from mastershot.labelling.moderation.policy import load_policy
from mastershot.pipeline.analysis.workspace import changing_results
from mastershot.pipeline.moderation.cutting import tune_moderation, with_policy
from mastershot.pipeline.moderation.detectors import HEARD, Detector
from mastershot.store.features import FolderFeatures
from mastershot.store.frames import frame_times_of


def status(timeline: Timeline, name: str, source: str) -> tuple[str, str]:
    (row,) = (
        row
        for row in timeline.moderation_coverage or ()
        if (row.name, row.source) == (name, source)
    )
    return row.status, row.reason


def of_class(timeline: Timeline, name: str) -> list[ModerationInterval]:
    return [one for one in timeline.moderation or () if one.name == name]


def policy_file(tmp_path: Path, classes: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(f"policy: mine\nclasses:\n{classes}", "utf-8")
    return path


def test_frames_over_the_threshold_are_an_interval_with_them_as_evidence(tmp_path: Path) -> None:
    film = scored_timeline(FolderFeatures(tmp_path), porn={45: 0.9, 55: 0.8})
    (one,) = of_class(film, "sex")
    assert [each.frame for each in one.evidence] == [45, 55]
    times = frame_times_of(film)
    starts = [float(times.pts[frame] * times.time_base) for frame in (45, 55, 40, 60)]
    assert [each.time_s for each in one.evidence] == pytest.approx(starts[:2], abs=1e-4)
    assert (one.start_s, one.end_s) == pytest.approx(starts[2:], abs=1e-4)
    assert one.shots == (film.shots[1].id,)
    assert (one.source, one.model, one.severity) == ("seen", "nsfw", 4)


def test_what_is_heard_is_never_called_seen(tmp_path: Path) -> None:
    film = scored_timeline(FolderFeatures(tmp_path), gunshots={2.0: 0.9, 2.4: 0.8})
    (one,) = of_class(film, "violence")
    assert (one.source, one.model, one.num_evidence) == ("heard", "yamnet", 2)
    assert all(each.frame is None for each in one.evidence)
    assert [each.time_s for each in one.evidence] == pytest.approx([1.95, 2.4375], abs=1e-4)
    assert one.end_s - one.start_s == pytest.approx(2 * 0.4875, abs=1e-3)
    assert status(film, "violence", "heard") == ("covered", "")
    assert status(film, "violence", "seen")[0] == "not covered"


def test_a_film_without_sound_does_not_cover_violence_heard(tmp_path: Path) -> None:
    film = scored_timeline(FolderFeatures(tmp_path), has_audio=False)
    assert status(film, "violence", "heard") == ("not covered", "the film has no sound")


def test_sound_that_was_not_listened_to_is_not_covered(tmp_path: Path) -> None:
    film = scored_timeline(FolderFeatures(tmp_path), gunshots={2.0: 0.9}, detectors=(SEEN,))
    assert status(film, "violence", "heard") == ("not covered", "step sound did not run")
    assert of_class(film, "violence") == []


def test_sound_that_could_not_be_read_is_not_covered(tmp_path: Path) -> None:
    store = FolderFeatures(tmp_path)
    film = scored_timeline(store, has_audio=False)
    film = replace(film, movie=replace(film.movie, has_audio=True))
    film = with_policy(film, "default", store, frame_times_of(film))
    assert status(film, "violence", "heard") == (
        "not covered",
        "the film's sound could not be read",
    )


def test_a_class_without_sounds_is_not_covered_by_hearing(tmp_path: Path) -> None:
    mine = policy_file(
        tmp_path, "  sex:\n    guideline: x\n    thresholds: {seen: 0.5, heard: 0.5}\n"
    )
    film = scored_timeline(FolderFeatures(tmp_path / "f"), policy=mine)
    assert status(film, "sex", "heard") == ("not covered", "no sound stands for it")
    assert status(film, "sex", "seen")[0] == "covered"


def test_thresholds_change_results_without_a_network(tmp_path: Path) -> None:
    folder = scored_folder(tmp_path / "film", porn={45: 0.6}, gunshots={2.0: 0.3})
    before = Timeline.load(folder / "timeline.json")
    assert before.moderation == ()
    strict = tune_moderation(folder, "strict")
    assert [(one.name, one.source) for one in strict.moderation or ()] == [
        ("violence", "heard"),
        ("sex", "seen"),
    ] or {one.name for one in strict.moderation or ()} == {"violence", "sex"}
    assert Timeline.load(folder / "timeline.json") == before  # Nothing was written.
    assert tune_moderation(folder, "lenient").moderation == ()


def test_another_policy_is_put_in_place_with_its_pages(tmp_path: Path) -> None:
    folder = scored_folder(tmp_path / "film", porn={45: 0.6})
    found = tune_moderation(folder / "timeline.json", "strict", write=True)
    again = Timeline.load(folder / "timeline.json")
    assert again == found
    assert again.made_by.steps["moderation"]["policy"] == load_policy("strict").made()
    assert "flagged" in (folder / "moderation.csv").read_text("utf-8")
    assert "sex (seen)" in (folder / "shots.csv").read_text("utf-8")
    assert "What policy strict asks for" in (folder / "report.html").read_text("utf-8")
    back = tune_moderation(folder, "default", write=True)
    assert back.moderation == ()


def test_a_film_that_a_run_is_at_work_on_is_not_rewritten(tmp_path: Path) -> None:
    folder = scored_folder(tmp_path / "film", porn={45: 0.6})
    before = {path.name for path in folder.iterdir()}
    film = Timeline.load(folder / "timeline.json")
    with changing_results(folder, film.movie):
        with pytest.raises(OutputError, match=r"^another run is analysing film\.mp4 in .*, or"):
            tune_moderation(folder, "strict", write=True)
        assert tune_moderation(folder, "strict").moderation
    assert {path.name for path in folder.iterdir()} == before
    assert Timeline.load(folder / "timeline.json") == film
    assert tune_moderation(folder, "strict", write=True).moderation
    assert [path.name for path in tmp_path.iterdir()] == ["film"]


def test_sounds_count_only_if_the_policy_names_them(tmp_path: Path) -> None:
    mine = policy_file(
        tmp_path,
        "  violence:\n    guideline: x\n    thresholds: {heard: 0.4}\n    sounds: [Screaming]\n",
    )
    film = scored_timeline(FolderFeatures(tmp_path / "f"), gunshots={2.0: 0.9}, policy=mine)
    assert film.moderation == ()
    assert status(film, "violence", "heard") == ("covered", "")


def test_a_source_without_a_threshold_does_not_count(tmp_path: Path) -> None:
    mine = policy_file(tmp_path, "  violence:\n    guideline: x\n    thresholds: {seen: 0.4}\n")
    film = scored_timeline(FolderFeatures(tmp_path / "f"), gunshots={2.0: 0.9}, policy=mine)
    assert film.moderation == ()
    assert [(row.name, row.source) for row in film.moderation_coverage or ()] == [
        ("violence", "seen")
    ]


def test_a_timeline_without_scores_says_which_command_makes_them(tmp_path: Path) -> None:
    folder = scored_folder(tmp_path / "film")
    film = Timeline.load(folder / "timeline.json")
    plain = replace(film, moderation=None, moderation_coverage=None)
    (folder / "timeline.json").write_text(plain.to_json(), "utf-8")
    with pytest.raises(
        TimelineError, match=r"no scores of moderation; `mastershot analyze .*moderation`"
    ):
        tune_moderation(folder, "default")


@pytest.mark.parametrize("space", [CONTENT, HEARD.space])
def test_scores_that_are_gone_say_which_command_makes_them(tmp_path: Path, space: object) -> None:
    folder = scored_folder(tmp_path / "film")
    for path in (folder / "features").glob(f"{space.key}-*"):  # type: ignore[attr-defined]
        path.unlink()
    with pytest.raises(TimelineError, match=r"not all kept .*; `mastershot analyze"):
        tune_moderation(folder, "default")


def test_a_detector_described_wrongly_is_one_sentence(tmp_path: Path) -> None:
    folder = scored_folder(tmp_path / "film")
    value = json.loads((folder / "timeline.json").read_text("utf-8"))
    value["made_by"]["steps"]["moderation"]["detectors"] = [{"model": "nsfw"}]
    (folder / "timeline.json").write_text(json.dumps(value), "utf-8")
    with pytest.raises(TimelineError, match="describes a detector of moderation wrongly"):
        tune_moderation(folder, "default")


def test_a_wrong_policy_leaves_the_timeline_as_it_is(tmp_path: Path) -> None:
    folder = scored_folder(tmp_path / "film")
    before = (folder / "timeline.json").read_bytes()
    mine = policy_file(tmp_path, "  sex:\n    guideline: x\n    thresholds: {seen: 1.2}\n")
    with pytest.raises(SettingError, match=r"seen is 1\.2"):
        tune_moderation(folder, mine, write=True)
    assert (folder / "timeline.json").read_bytes() == before


def test_a_model_of_ones_own_covers_what_it_finds(tmp_path: Path) -> None:
    store = FolderFeatures(tmp_path)
    space = replace(
        CONTENT, model="detector:moderation:blood", weights_hash="sha256:blood", width=1
    )
    blood = Detector("blood", "seen", "seen", "frame", ("violence",), space)
    film = scored_timeline(store)
    from mastershot.core.embeddings import Embeddings

    frames = store.get(CONTENT).frames
    scores = np.where(frames == 95, np.float32(0.9), np.float32(0))[:, None]
    store.put(Embeddings(space, frames, scores))
    steps = dict(film.made_by.steps)
    steps["moderation"] = steps["moderation"] | {
        "detectors": [*steps["moderation"]["detectors"], blood.made()]
    }
    film = replace(film, made_by=replace(film.made_by, steps=steps))
    film = with_policy(film, "default", store, frame_times_of(film))
    (one,) = of_class(film, "violence")
    assert (one.source, one.model, one.evidence[0].frame) == ("seen", "blood", 95)
    assert status(film, "violence", "seen") == ("covered", "")
