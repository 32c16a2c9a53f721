"""Experts give each clip what is there of it, and NaN where there is nothing."""

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from weakref import ref

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.factories import published_networks as published
from tests.factories.films import encode_film, flat_images
from tests.factories.sounds import sounding_film, speech_like
from transformers import ASTConfig, ASTFeatureExtractor, ASTModel

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import EditsError, EncoderError, SettingError
from mastershot.core.movie import Shot, Transition
from mastershot.core.time import Span
from mastershot.encoders.detectors.sound import WINDOW_SAMPLES, SoundClassifier
from mastershot.encoders.experts.spectrograms import SpectrogramEncoder
from mastershot.encoders.experts.vggish import HOP_SAMPLES
from mastershot.encoders.recogniser import RecogniserCard, build_network, write_recogniser
from mastershot.media.probe import probe
from mastershot.media.video import Frame
from mastershot.models.recognisers.build import build_recogniser
from mastershot.pipeline.experts.catalogue import (
    EXPERTS,
    ExpertSettings,
    load_experts,
    load_place_network,
)
from mastershot.pipeline.experts.clips import NetworkExpert, load_motion_network
from mastershot.pipeline.experts.decode import DECODING, Watched, watch_trailer
from mastershot.pipeline.experts.hearing import (
    PIECES,
    SpectrogramExpert,
    VGGishExpert,
    windows_of,
)
from mastershot.pipeline.experts.watching import ClipExpert, SharedPlaces
from mastershot.shots.settings import ShotSettings

COLOURS = [(250, 250, 240), (20, 20, 60), (30, 200, 30)]
SHOTS = ShotSettings("content", min_shot_s=0.2)


def watched(path: Path, experts: Sequence[ClipExpert], synopsis: str = "") -> Watched:
    return watch_trailer(probe(path), experts, SHOTS, synopsis=synopsis)


def test_every_expert_has_a_row_a_clip_of_its_shape(
    trailers: Path, experts: Sequence[ClipExpert]
) -> None:
    found = watched(trailers / "loud.mkv", experts, "A tale of colours.")
    assert len(found.clips) == 3
    assert set(found.vectors) == set(EXPERTS)
    for one in experts:
        rows = found.vectors[one.described.name]
        assert rows.shape == (3, *one.described.shape)
        assert rows.dtype == np.float32
    assert set(found.seconds) == {*EXPERTS, DECODING}


def test_location_is_probabilities_and_image_is_another_thing(
    trailers: Path, experts: Sequence[ClipExpert]
) -> None:
    found = watched(trailers / "mute.mp4", experts)
    np.testing.assert_allclose(found.vectors["location"].sum(axis=1), 1, atol=1e-4)
    assert found.vectors["image"].shape[1] == 640
    assert np.isfinite(found.vectors["image"]).all()
    colours = watched(trailers / "loud.mkv", experts).vectors["image"]
    assert np.abs(colours[0] - colours[1]).max() > 0.05


def test_sound_lies_in_the_clip_in_which_it_is_heard(
    tmp_path: Path, experts: Sequence[ClipExpert]
) -> None:
    # 3 s of sound, 3 s of silence; cuts at 2 s and 4 s.
    images = flat_images(COLOURS, each=48)
    sound = np.concatenate([speech_like(3, seed=2), np.zeros(48_000, np.float32)])
    path = sounding_film(tmp_path / "half.mkv", images, sound, rate_hz=16_000)
    audio = [one for one in experts if one.described.name == "audio"]
    rows = watched(path, audio).vectors["audio"]
    heard = np.isfinite(rows).all(axis=2).sum(axis=1)
    # Centres of windows: 0.49 and 1.46; 2.44 and 3.41, which starts before 3; 4.39 and 5.36 s.
    assert heard.tolist() == [2, 2, 0]
    alone = SoundClassifier().embeddings(sound[None, :WINDOW_SAMPLES].astype(np.float32))[0]
    # Sound of 16 bits.
    assert np.corrcoef(rows[0, 0], alone)[0, 1] > 0.98


def test_without_a_sound_track_audio_is_missing(
    trailers: Path, experts: Sequence[ClipExpert]
) -> None:
    found = watched(trailers / "mute.mp4", experts)
    assert not found.movie.has_audio
    assert np.isnan(found.vectors["audio"]).all()


def shot(start_s: float, end_s: float) -> Shot:
    start, end = round(start_s * 1000), round(end_s * 1000)
    span = Span(0, 1, start, end, Fraction(1, 1000))
    return Shot("m/0", span, Transition("start", 0, 0))


def test_a_long_clip_keeps_evenly_spaced_windows_and_a_short_one_that_which_covers_it() -> None:
    centres = np.arange(40) * 0.975 + 0.4875
    long = windows_of(shot(0, 39), centres)
    assert len(long) == PIECES
    assert long == [2, 7, 12, 17, 22, 27, 32, 37]
    assert windows_of(shot(0.6, 0.8), centres) == [0]
    assert windows_of(shot(1000, 1000.1), centres) == []
    assert windows_of(shot(0, 1), np.array([])) == []


def test_text_is_of_subtitles_in_the_clip_else_of_the_synopsis(
    tmp_path: Path, experts: Sequence[ClipExpert]
) -> None:
    images = flat_images(COLOURS, each=24)
    path = encode_film(tmp_path / "said.mp4", images)
    text = [one for one in experts if one.described.name == "text"]
    assert np.isnan(watched(path, text).vectors["text"]).all()
    path.with_suffix(".srt").write_text("1\n00:00:01,200 --> 00:00:01,800\n<i>A ghost!</i>\n")
    rows = watched(path, text).vectors["text"]
    assert np.isnan(rows).all(axis=1).tolist() == [True, False, True]
    both = watched(path, text, "A cheerful cook.").vectors["text"]
    np.testing.assert_array_equal(both[1], rows[1])
    np.testing.assert_array_equal(both[0], both[2])
    assert np.abs(both[0] - both[1]).max() > 0.01


def test_subtitles_of_another_film_are_refused(
    tmp_path: Path, experts: Sequence[ClipExpert]
) -> None:
    path = encode_film(tmp_path / "said.mp4", flat_images([(9, 9, 9)], each=24))
    path.with_suffix(".vtt").write_text("WEBVTT\n\n01:00:00.000 --> 01:00:01.000\nLate\n")
    with pytest.raises(EditsError, match="starts after the film has ended"):
        watched(path, [one for one in experts if one.described.name == "text"])


def test_a_camera_that_pans_is_told_from_things_that_move(
    tmp_path: Path, experts: Sequence[ClipExpert]
) -> None:
    rng = np.random.default_rng(0)
    wall = np.kron(rng.integers(0, 255, (16, 60, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    panned = [wall[:, 2 * step : 2 * step + 160] for step in range(36)]
    path = encode_film(tmp_path / "pan.mp4", panned)
    motion = next(one for one in experts if one.described.name == "motion")
    (row,) = watched(path, [motion]).vectors["motion"]
    figures = dict(zip(motion.described.made_by["figures"], row, strict=False))
    # 2 of 160 pixels a frame, 24 frames a second: the picture goes to the left.
    assert figures["camera to the right"] == pytest.approx(-np.log1p(2 / 160 * 24), rel=0.15)
    assert abs(figures["camera down"]) < 0.02
    assert figures["residual"] < 0.3 * figures["camera"]
    assert figures["direction 180°"] > 0.9
    assert row[-1] == pytest.approx(np.log(1.5), abs=0.01)


def test_a_clip_of_one_frame_has_no_motion(tmp_path: Path, experts: Sequence[ClipExpert]) -> None:
    path = encode_film(tmp_path / "slide.mp4", flat_images([(80, 80, 80)], each=1))
    found = watched(path, experts)
    assert len(found.clips) == 1
    assert np.isnan(found.vectors["motion"]).all()
    assert np.isfinite(found.vectors["location"]).all()


def test_a_network_of_clips_may_be_the_expert_of_motion(trailers: Path, tmp_path: Path) -> None:
    card = RecogniserCard("tiny", "r3d_18", ("a", "b"), 1 / 16, 1 / 4, 4, 32)
    write_recogniser(tmp_path / "tiny", card, build_network(card), figures={})
    expert = NetworkExpert(load_motion_network(tmp_path / "tiny"))
    found = watched(trailers / "loud.mkv", [expert])
    rows = found.vectors["motion"]
    assert rows.shape == (3, expert.described.width)
    assert np.isfinite(rows).all()
    np.testing.assert_array_equal(rows, watched(trailers / "loud.mkv", [expert]).vectors["motion"])


def test_published_weights_of_i3d_may_be_the_expert_of_motion(tmp_path: Path) -> None:
    network = build_recogniser("i3d_inception", num_classes=7)
    save_file(network.state_dict(), tmp_path / "rgb.safetensors")
    one, other = (load_motion_network(tmp_path / "rgb.safetensors") for _ in range(2))
    assert one.space.width == 1024
    assert (one.card.frames, one.card.size_px) == (64, 224)
    # What is kept of them depends on the weights alone.
    assert one.space == other.space
    (tmp_path / "rgb.safetensors").write_bytes(b"damaged")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        load_motion_network(tmp_path / "rgb.safetensors")


class Drawn(Frame):
    """A frame of a film that is not there."""

    def __init__(self, index: int) -> None:
        super().__init__(None, None, index, index)  # type: ignore[arg-type]

    def rgb(self, *, longest_side_px: int | None = None) -> ImageArray:
        return np.full((2, 2, 3), self.index, np.uint8)


def test_places_of_a_clip_are_computed_once_and_its_frames_let_go() -> None:
    asked: list[int] = []

    def encode(images: list[ImageArray]) -> tuple[FloatArray, FloatArray]:
        asked.append(len(images))
        rows = np.array([image[0, 0] for image in images], np.float32)
        return rows, rows + 1

    places = SharedPlaces(SimpleNamespace(encode=encode))  # type: ignore[arg-type]
    clip = [Drawn(0), Drawn(1)]
    assert places.of(clip)[0] is places.of(clip)[0]
    assert asked == [2]
    alive = ref(clip[0])
    clip = [Drawn(0), Drawn(1)]  # Of another film.
    assert alive() is None
    assert places.of(clip)[0].tolist() == [[0, 0, 0], [1, 1, 1]]
    assert places.of(clip[:1])[0].tolist() == [[0, 0, 0]]
    assert asked == [2, 2, 1]


@pytest.fixture
def tiny_ast(tmp_path: Path) -> Path:
    config = ASTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
                       intermediate_size=16, max_length=128, num_mel_bins=32)  # fmt: skip
    ASTModel(config).save_pretrained(tmp_path / "ast")
    ASTFeatureExtractor(num_mel_bins=32, max_length=128).save_pretrained(tmp_path / "ast")
    return tmp_path / "ast"


def test_ast_hears_a_clips_sound_and_nothing_of_silence(tiny_ast: Path, tmp_path: Path) -> None:
    sound = np.concatenate([speech_like(4, seed=2), np.zeros(32_000, np.float32)])
    path = sounding_film(tmp_path / "f.mkv", flat_images(COLOURS, each=48), sound, rate_hz=16_000)
    encoder = SpectrogramEncoder(tiny_ast)
    found = watched(path, [SpectrogramExpert(encoder)])
    rows = found.vectors["audio"]
    assert rows.shape == (3, 8)
    assert np.isnan(rows).all(axis=1).tolist() == [False, False, True]
    parts = encoder.encode([sound[:32_000].astype(np.float32), sound[32_000:64_000]])
    # Sound of 16 bits, against the difference between one clip's sound and the other's.
    assert np.abs(rows[:2] - parts).max() < 0.2 * np.abs(parts[0] - parts[1]).max()


def test_what_is_no_ast_is_refused(tiny_ast: Path, tmp_path: Path) -> None:
    (tiny_ast / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(EncoderError, match="holds a model of type 'vit'"):
        SpectrogramEncoder(tiny_ast)
    with pytest.raises(EncoderError, match=r"lacks config\.json"):
        SpectrogramEncoder(tmp_path)


class Counting:
    """Stands in for VGGish: an embedding is the window's first sample and its last one."""

    width = 2

    def made(self) -> dict[str, str]:
        return {"network": "VGGish"}

    def embeddings(self, windows: np.ndarray) -> np.ndarray:
        return windows[:, [0, -1]]


def test_windows_of_vggish_begin_every_0_96_s(tmp_path: Path) -> None:
    sound = (np.arange(4 * 16_000) % 30_000 - 15_000).astype(np.float32) / 32_768
    path = sounding_film(tmp_path / "f.mkv", flat_images(COLOURS, each=32), sound, rate_hz=16_000)
    expert = VGGishExpert(Counting())  # type: ignore[arg-type]
    rows = watched(path, [expert]).vectors["audio"]
    assert rows.shape == (3, *expert.described.shape) == (3, 8, 2)
    found = rows[np.isfinite(rows).all(axis=2)]
    starts = np.arange(4) * HOP_SAMPLES  # of 64,000 samples; what is left is no half window
    expected = sound[np.stack([starts, starts + WINDOW_SAMPLES - 1], axis=1)]
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_resnet_of_places365_may_be_the_expert_of_location(
    trailers: Path, tmp_path: Path
) -> None:
    weights = published.Weights()
    published.resnet(weights, torch.zeros(1, 3, 32, 32), 365, 18)
    narrow = tmp_path / "narrow.safetensors"
    save_file(weights, narrow)
    with pytest.raises(EncoderError, match=r"cannot be loaded into ResNet .*of another shape"):
        load_place_network(narrow)
    network = build_recogniser("resnet18", num_classes=365)
    save_published(network, tmp_path / "places.safetensors")
    settings = ExpertSettings(("location",), location=tmp_path / "places.safetensors")
    rows = watched(trailers / "loud.mkv", load_experts(settings)).vectors["location"]
    assert rows.shape == (3, 512)
    # The mean of unit vectors of frames that look the same.
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    network = build_recogniser("resnet18", num_classes=1000)
    save_published(network, tmp_path / "imagenet.safetensors")
    with pytest.raises(EncoderError, match=r"holds a network of 1,000 classes; .*of Places365"):
        load_place_network(tmp_path / "imagenet.safetensors")
    (tmp_path / "imagenet.safetensors").unlink()
    with pytest.raises(EncoderError, match=r"the expert location, does not exist"):
        load_experts(ExpertSettings(("location",), location=tmp_path / "imagenet.safetensors"))


def save_published(network: torch.nn.Module, path: Path) -> None:
    """Write a ResNet-18 by torchvision's names."""
    weights = {}
    for name, tensor in network.state_dict().items():
        for ours, theirs in (
            (r"^stem\.conv", "conv1"), (r"^stem\.norm", "bn1"), (r"^head", "fc"),
            (r"^stages\.(\d)", lambda found: f"layer{int(found[1]) + 1}"),
            (r"layers\.(\d)\.conv", lambda found: f"conv{int(found[1]) + 1}"),
            (r"layers\.(\d)\.norm", lambda found: f"bn{int(found[1]) + 1}"),
            (r"shortcut\.conv", "downsample.0"), (r"shortcut\.norm", "downsample.1"),
        ):  # fmt: skip
            name = re.sub(ours, theirs, name)
        weights[name] = tensor
    save_file(weights, path)


def test_settings_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="did you mean 'location'"):
        ExpertSettings(("locations",))
    with pytest.raises(SettingError, match="name one twice"):
        ExpertSettings(("text", "text"))
    with pytest.raises(SettingError, match="add motion"):
        ExpertSettings(("text",), motion=tmp_path)
    with pytest.raises(SettingError, match="holds no recogniser"):
        load_motion_network(tmp_path)
