from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import encode_film, flat_images

from mastershot.core.embeddings import EmbeddingSpace, FloatArray
from mastershot.training.shot_scale.features import (
    FEATURES,
    ShotFeatures,
    frames_at_rate,
    gather_features,
)

SPACE = EmbeddingSpace("colours", "blake2b:0", 3)


class Colours:
    """An encoder whose vector is a frame's mean colour; it counts what it is shown."""

    def __init__(self, space: EmbeddingSpace = SPACE) -> None:
        self.space, self.shown = space, 0

    def encode_images(self, images) -> FloatArray:  # type: ignore[no-untyped-def]
        self.shown += len(images)
        means = [np.asarray(image, np.float32).mean(axis=(0, 1)) / 255 for image in images]
        return np.array(means, np.float32).reshape(-1, 3)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    red, blue = (200, 20, 20), (20, 20, 200)
    return [
        encode_film(folder / "short.mkv", flat_images([red], each=3)),
        encode_film(folder / "second.mkv", flat_images([red, blue], each=12)),
        encode_film(folder / "long.mkv", flat_images([blue], each=150)),
    ]


def gather(clips: list[Path], encoder: Colours, out: Path, *, max_steps: int = 20):  # type: ignore[no-untyped-def]
    return gather_features(clips, encoder, out, rate_hz=4.0, max_steps=max_steps)


def lengths(found: ShotFeatures) -> list[int]:
    return [len(vectors) for vectors in found.shots]


def assert_same(one: ShotFeatures, other: ShotFeatures) -> None:
    assert lengths(one) == lengths(other)
    np.testing.assert_array_equal(np.concatenate(one.shots), np.concatenate(other.shots))


def test_a_shot_is_four_frames_a_second_and_at_most_the_most(clips, tmp_path: Path) -> None:
    found = gather(clips, Colours(), tmp_path)
    assert lengths(found) == [1, 4, 20]
    red_first = found.shots[1]
    assert (red_first[:2, 0] > 0.5).all()
    assert (red_first[2:, 2] > 0.5).all()
    assert found.unread == []


def test_frames_are_those_due_every_quarter_of_a_second(clips) -> None:
    assert len(frames_at_rate(clips[2], rate_hz=4.0, max_frames=100)) == 25
    assert len(frames_at_rate(clips[2], rate_hz=4.0, max_frames=7)) == 7


def test_vectors_are_made_once(clips, tmp_path: Path) -> None:
    encoder = Colours()
    first = gather(clips, encoder, tmp_path)
    shown = encoder.shown
    again = gather(clips, encoder, tmp_path)
    assert encoder.shown == shown == 25
    assert_same(first, again)


def test_a_damaged_block_is_made_again(clips, tmp_path: Path) -> None:
    first = gather(clips, Colours(), tmp_path)
    (block,) = (tmp_path / FEATURES).rglob("*.npz")
    for damaged in (b"", block.read_bytes()[:-40], b"PK\x03\x04 no"):
        block.write_bytes(damaged)
        again = gather(clips, Colours(), tmp_path)
        assert_same(first, again)


def test_another_sampling_encoder_or_list_is_kept_apart(clips, tmp_path: Path) -> None:
    gather(clips, Colours(), tmp_path)
    assert lengths(gather(clips, Colours(), tmp_path, max_steps=2)) == [1, 2, 2]
    other = Colours(EmbeddingSpace("others", "blake2b:1", 3))
    assert lengths(gather(clips[:2], other, tmp_path)) == [1, 4]
    assert other.shown == 5


def test_blocks_join_in_order(clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = gather(clips, Colours(), tmp_path / "whole")
    monkeypatch.setattr("mastershot.training.shot_scale.features._SHOTS_A_BLOCK", 2)
    parts = gather(clips, Colours(), tmp_path / "parts")
    assert_same(whole, parts)


def test_what_cannot_be_read_has_no_vectors_and_a_reason(clips, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("no film")
    given = [tmp_path / "empty.mp4", clips[0], tmp_path / "text.mp4", tmp_path / "gone.mp4"]
    found = gather(given, Colours(), tmp_path)
    assert lengths(found) == [0, 1, 0, 0]
    assert len(found.unread) == 3
    assert "empty.mp4" in found.unread[0]
    assert gather(given, Colours(), tmp_path).unread == found.unread
