"""YAMNet on its runtime: the scores of the original, and a sentence where a file is wrong."""

import dataclasses
import os
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from tests.factories.sounds import speech_like

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import EncoderError
from mastershot.encoders.detectors import sound
from mastershot.encoders.detectors.packaged import YAMNET
from mastershot.encoders.detectors.sound import (
    EMBEDDING_WIDTH,
    HOP_SAMPLES,
    WINDOW_SAMPLES,
    SoundClassifier,
    sound_classes,
)
from mastershot.media.sound import SoundPiece
from mastershot.media.video import open_video


def windows_of(samples: FloatArray) -> list[FloatArray]:
    ends = range(WINDOW_SAMPLES, len(samples) + 1, HOP_SAMPLES)
    return [samples[end - WINDOW_SAMPLES : end] for end in ends]


def original_scores(model: Path, windows: list[FloatArray]) -> FloatArray:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model))
    interpreter.allocate_tensors()
    rows = []
    for window in windows:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].copy())
    return np.stack(rows)


def test_scores_are_those_of_the_original_on_drawn_and_real_sounds(real_data: Path) -> None:
    windows = [speech_like(0.975, seed=seed) for seed in range(16)]
    for name in ("nasa.mp4", "chaplin.mp4", "big_buck_bunny_480p_30s.mp4"):
        pieces: list[SoundPiece] = []
        for _ in open_video(real_data / "films" / name).frames(pieces.append):
            if pieces and pieces[-1].start_s > 5:
                break
        windows += windows_of(np.concatenate([piece.samples for piece in pieces]))
    assert len(windows) > 40
    expected = original_scores(real_data / "models" / "yamnet.tflite", windows)
    assert np.abs(SoundClassifier().scores(windows) - expected).max() <= 1e-3
    assert expected.max() > 0.9


def test_silence_is_silence_and_a_tone_is_none() -> None:
    time = np.arange(WINDOW_SAMPLES) / 16_000
    windows = np.stack([np.zeros(WINDOW_SAMPLES), 0.3 * np.sin(2 * np.pi * 440 * time)])
    scores = SoundClassifier().scores(windows.astype(np.float32))
    silence = sound_classes().index("Silence")
    assert scores.shape == (2, 521)
    assert scores[0, silence] > 0.9 > 0.1 > scores[1, silence]


def test_no_windows_have_no_scores() -> None:
    assert SoundClassifier().scores(np.empty((0, WINDOW_SAMPLES), np.float32)).shape == (0, 521)


def test_the_classes_are_those_of_the_published_map(real_data: Path) -> None:
    import csv

    with (real_data / "models" / "yamnet_class_map.csv").open(newline="") as file:
        assert sound_classes() == tuple(row["display_name"] for row in csv.DictReader(file))


def test_the_runtime_writes_nothing_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    SoundClassifier().scores(np.zeros((1, WINDOW_SAMPLES), np.float32))
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"


def test_two_networks_that_are_loaded_at_once_leave_standard_error_where_it_is() -> None:
    before = os.fstat(2)
    inside, leave = Event(), Event()

    def first() -> None:
        with sound._quiet():
            inside.set()
            leave.wait(0.5)

    def second() -> None:
        inside.wait()
        with sound._quiet():
            leave.set()
            threads[0].join(0.5)

    threads = [Thread(target=first), Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (os.fstat(2).st_dev, os.fstat(2).st_ino) == (before.st_dev, before.st_ino)


@pytest.mark.parametrize(
    ("data", "problem"),
    [(None, "cannot be read: No such file"), (b"cut", "is damaged: its 3 bytes are not the 4,078")],
)
def test_a_missing_or_damaged_file_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes | None, problem: str
) -> None:
    path = tmp_path / "yamnet.tflite"
    if data is not None:
        path.write_bytes(data)
    monkeypatch.setattr(sound, "YAMNET", dataclasses.replace(YAMNET, file=str(path)))
    with pytest.raises(EncoderError, match=f"{problem}.*; install Mastershot again, or leave out"):
        SoundClassifier()


@pytest.mark.parametrize(
    ("text", "problem"), [(None, "cannot be read"), ("Speech\n", "does not name the 521 classes")]
)
def test_a_wrong_list_of_classes_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, problem: str
) -> None:
    path = tmp_path / "classes.txt"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(sound, "_CLASSES_FILE", path)
    sound_classes.cache_clear()
    with pytest.raises(EncoderError, match=problem):
        sound_classes()
    sound_classes.cache_clear()


def test_a_runtime_that_is_not_installed_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(EncoderError, match=r"runtime of yamnet cannot be loaded .* leave out step"):
        SoundClassifier().scores(np.zeros((1, WINDOW_SAMPLES), np.float32))


def test_a_network_of_other_outputs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = SoundClassifier()
    monkeypatch.setattr(classifier, "classes", ("only", "two"))
    with pytest.raises(EncoderError, match="is not the network of 2 classes"):
        classifier.scores(np.zeros((1, WINDOW_SAMPLES), np.float32))


def test_an_embedding_is_what_the_last_layer_scores() -> None:
    windows = np.stack([speech_like(1, seed=seed)[:WINDOW_SAMPLES] for seed in (1, 2)])
    classifier = SoundClassifier()
    found = classifier.embeddings(windows)
    assert found.shape == (2, EMBEDDING_WIDTH)
    assert (found >= 0).all()  # after a ReLU
    assert np.abs(found[0] - found[1]).max() > 0.1
    interpreter, _, _ = classifier._with_all_tensors
    scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_array_equal(scores, classifier.scores(windows[1:]))
