"""What is heard, on the film's own clock, in the pass that finds the shots."""

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import encode_film, flat_images
from tests.factories.sounds import click, frames_with_flash, sounding_film, tone

from mastershot.core.embeddings import FloatArray
from mastershot.core.timeline import Timeline
from mastershot.encoders.detectors.sound import WINDOW_SAMPLES
from mastershot.media.sound import SOUND_RATE_HZ, SoundPiece
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan, prepare
from mastershot.pipeline.analysis.sound import Hearing, SoundListener
from mastershot.pipeline.analyze import analyze, analyze_movie

PLAN = Plan(steps=("shots", "sound"))
NTSC = Fraction(30_000, 1001)


class LevelClassifier:
    """Hears *Speech* where a window is loud, and *Silence* where it is not."""

    classes = ("Speech", "Child speech, kid speaking", "Conversation", "Narration, monologue",
               "Music", "Singing", "Silence")  # fmt: skip

    def __init__(self) -> None:
        self.windows: list[FloatArray] = []

    def made(self) -> dict[str, object]:
        return {"network": "toy"}

    def scores(self, windows: Sequence[FloatArray]) -> FloatArray:
        self.windows += [np.array(window) for window in windows]
        loud = [float(np.abs(window).max()) > 0.01 for window in windows]
        return np.array([[one, 0, 0, 0, 0, 0, not one] for one in loud], np.float32)


def toy_listener() -> tuple[SoundListener, LevelClassifier]:
    classifier = LevelClassifier()
    return SoundListener(Hearing(classifier)), classifier  # type: ignore[arg-type]


def toy_plan() -> LoadedPlan:
    return LoadedPlan(PLAN, hearing=Hearing(LevelClassifier()))  # type: ignore[arg-type]


def flash_frame(timeline: Timeline) -> float:
    """Return when the flash, a shot of its own by the list of shots, is shown."""
    return timeline.shots[1].span.start_s


@pytest.mark.parametrize("frame_rate", [Fraction(24), NTSC])
@pytest.mark.parametrize("offset", [Fraction(-1, 2), Fraction(0), Fraction(1, 2)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_click_and_a_flash_of_one_frame_are_within_20_ms(
    tmp_path: Path, suffix: str, offset: Fraction, frame_rate: Fraction
) -> None:
    flash, video_start, sound_start = 53, max(-offset, Fraction(0)), max(offset, Fraction(0))
    at_s = video_start + flash / frame_rate
    path = sounding_film(
        tmp_path / f"film{suffix}", frames_with_flash(96, flash),
        click(4.5, float(at_s - sound_start)), frame_rate=frame_rate,
        codec="aac" if suffix == ".mp4" else "pcm_s16le",
        video_start_s=video_start, sound_start_s=sound_start,
    )  # fmt: skip
    (tmp_path / "shots.txt").write_text(f"0 {flash - 1}\n{flash} {flash}\n{flash + 1} 95\n")
    plan = replace(PLAN, shot_list=tmp_path / "shots.txt")
    loaded = replace(prepare(plan), hearing=Hearing(LevelClassifier()))  # type: ignore[arg-type]
    timeline, _ = analyze_movie(path, loaded, tmp_path / "out")
    seen_s = flash_frame(timeline)
    assert seen_s == pytest.approx(float(at_s), abs=0.002)
    flash_shot = timeline.shots[1]
    assert flash_shot.sound is not None
    assert flash_shot.sound.peak_s == pytest.approx(seen_s, abs=0.020)
    (event,) = (one for one in timeline.audio or () if one.name == "Speech")
    assert event.peak_s == pytest.approx(seen_s, abs=0.020)
    assert event.start_s <= seen_s <= event.end_s


def test_what_is_heard_is_in_the_timeline_with_how_it_was_found(tmp_path: Path) -> None:
    path = sounding_film(tmp_path / "film.mkv", frames_with_flash(96, None), tone(4, hz=440))
    timeline = analyze(path, PLAN)
    assert timeline.audio
    assert {event.name for event in timeline.audio} & {"Telephone", "Dial tone", "Busy signal"}
    (shot,) = timeline.shots
    assert shot.sound is not None
    assert shot.sound.loudness_db == pytest.approx(20 * np.log10(0.25 / np.sqrt(2)), abs=0.1)
    assert shot.sound.silence == 0
    made = timeline.made_by.steps["sound"]
    assert (made["network"], made["threshold"]) == ("yamnet", 0.3)
    assert Timeline.from_json(timeline.to_json()) == timeline


def test_sound_of_part_of_the_film_is_silence_elsewhere(tmp_path: Path) -> None:
    path = sounding_film(
        tmp_path / "film.mkv", frames_with_flash(96, None), tone(1), sound_start_s=Fraction(2)
    )
    timeline, _ = analyze_movie(path, toy_plan(), tmp_path / "out")
    (shot,) = timeline.shots
    assert shot.sound is not None
    assert shot.sound.silence == pytest.approx(0.75, abs=0.01)
    assert shot.sound.speech == pytest.approx(0.25, abs=0.01)
    assert all(2 <= event.start_s <= event.end_s <= 3 for event in timeline.audio or ())


def test_sound_longer_than_the_picture_is_heard_to_its_end(tmp_path: Path) -> None:
    path = sounding_film(tmp_path / "film.mkv", frames_with_flash(24, None), tone(4))
    timeline, _ = analyze_movie(path, toy_plan(), tmp_path / "out")
    (event,) = timeline.audio or ()
    assert event.end_s == pytest.approx(4, abs=0.5)
    (shot,) = timeline.shots
    assert shot.sound is not None
    assert shot.sound.speech == 1


def test_a_film_without_sound_has_no_events_and_its_shots_no_figures(tmp_path: Path) -> None:
    path = encode_film(tmp_path / "film.mp4", flat_images([(0, 0, 0)], each=24))
    timeline = analyze(path, PLAN)
    assert timeline.audio == ()
    assert timeline.shots[0].sound is None
    assert timeline.notes == ()


def test_broken_sound_is_one_note_and_the_shots_are_found(tmp_path: Path) -> None:
    images = flat_images([(40, 40, 40), (200, 90, 60)], each=24)
    path = sounding_film(tmp_path / "film.mkv", images, tone(2), codec="flac", broken=range(1000))
    timeline = analyze(path, PLAN)
    assert len(timeline.shots) == 2
    assert timeline.audio == ()
    (note,) = timeline.notes
    assert note.startswith("its sound is damaged: nothing of it could be decoded")


def test_the_failing_sound_of_a_real_film_leaves_its_shots(real_data: Path) -> None:
    timeline = analyze(real_data / "films" / "odd" / "video_with_failing_audio.mp4", PLAN)
    assert timeline.movie.num_frames > 100
    assert timeline.audio


def test_a_step_that_is_off_leaves_no_keys(tmp_path: Path) -> None:
    path = sounding_film(tmp_path / "film.mkv", frames_with_flash(24, None), tone(1))
    text = analyze(path, Plan(steps=("shots",))).to_json()
    assert '"audio"' not in text
    assert '"sound"' not in text


def test_what_was_heard_is_kept_where_only_other_steps_change(tmp_path: Path) -> None:
    path = sounding_film(tmp_path / "film.mkv", frames_with_flash(24, None), tone(1))
    first, _ = analyze_movie(path, prepare(PLAN), tmp_path)
    path.with_suffix(".off").touch()
    without, _ = analyze_movie(path, prepare(Plan(steps=("shots",))), tmp_path)
    assert (without.audio, without.shots[0].sound) == (None, None)
    again, _ = analyze_movie(path, prepare(PLAN), tmp_path)
    assert (again.audio, again.shots) == (first.audio, first.shots)


def test_windows_are_half_a_window_apart_and_the_last_is_filled_up() -> None:
    listener, classifier = toy_listener()
    sound = np.arange(40_000, dtype=np.float32) / 40_000
    for first in range(0, len(sound), 341):
        listener.hear(SoundPiece(5 + first / SOUND_RATE_HZ, sound[first : first + 341]))
    listener.finish((0.0,))
    starts = [0, 7_800, 15_600, 23_400, 31_200]
    assert len(classifier.windows) == len(starts)
    for window, start in zip(classifier.windows, starts, strict=True):
        part = sound[start : start + WINDOW_SAMPLES]
        assert np.array_equal(window, np.pad(part, (0, WINDOW_SAMPLES - len(part))))


def test_sound_shorter_than_a_window_is_heard() -> None:
    listener, classifier = toy_listener()
    listener.hear(SoundPiece(1.0, np.full(1600, 0.5, np.float32)))
    listener.finish((0.0,))
    assert len(classifier.windows) == 1
    (event,) = listener.events()
    assert 1 <= event.start_s == event.end_s <= 1.1


def test_a_gap_ends_all_events_and_recordings_are_shifted() -> None:
    listener, _ = toy_listener()
    second = np.full(SOUND_RATE_HZ, 0.5, np.float32)
    for start_s, recording in ((0.0, 0), (8.0, 0), (3.0, 1)):
        listener.hear(SoundPiece(start_s, second, recording))
    listener.finish((0.0, 20.0))
    assert [round(event.start_s) for event in listener.events()] == [0, 8, 23]


def test_memory_does_not_hold_the_sound() -> None:
    listener, classifier = toy_listener()
    piece = np.zeros(SOUND_RATE_HZ, np.float32)
    tracemalloc.start()
    for second in range(300):
        listener.hear(SoundPiece(float(second), piece))
        classifier.windows.clear()
    listener.finish((0.0,))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20  # The sound itself is 19 MB.
