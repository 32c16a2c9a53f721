"""The sound of a film, decoded in the pass of its picture, at its own times."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from tests.factories.films import flat_images
from tests.factories.sounds import click, frames_with_flash, sounding_film, tone

from mastershot.core.embeddings import FloatArray
from mastershot.media.sound import SOUND_RATE_HZ, SoundPiece, SoundTrack, mono_samples
from mastershot.media.video import Film, open_video

IMAGES = frames_with_flash(48, None)


def heard(film: Film) -> tuple[list[SoundPiece], int]:
    pieces: list[SoundPiece] = []
    return pieces, sum(1 for _ in film.frames(pieces.append))


def joined(pieces: list[SoundPiece]) -> FloatArray:
    return np.concatenate([piece.samples for piece in pieces])


def is_contiguous(pieces: list[SoundPiece]) -> bool:
    ends = [piece.start_s + len(piece.samples) / SOUND_RATE_HZ for piece in pieces]
    starts = [piece.start_s for piece in pieces]
    return bool(np.allclose(starts[1:], ends[:-1], atol=1.5 / SOUND_RATE_HZ))


@pytest.mark.parametrize(
    ("rate_hz", "layout", "channels"),
    [(8_000, "mono", 1), (44_100, "stereo", 2), (48_000, "5.1", 6), (96_000, "7.1", 8)],
)
def test_any_layout_and_rate_comes_as_mono_at_16_khz(
    tmp_path: Path, rate_hz: int, layout: str, channels: int
) -> None:
    sound = np.tile(tone(2, rate_hz=rate_hz), (channels, 1))
    path = sounding_film(tmp_path / "film.mkv", IMAGES, sound, rate_hz=rate_hz, layout=layout)
    pieces, num_frames = heard(open_video(path))
    samples = joined(pieces)
    assert num_frames == 48
    assert is_contiguous(pieces)
    assert len(samples) == pytest.approx(2 * SOUND_RATE_HZ, abs=3)
    middle = samples[4000:-4000]
    assert np.sqrt(np.square(middle).mean()) == pytest.approx(0.25 / np.sqrt(2), rel=0.01)
    frequency = np.fft.rfft(middle * np.hanning(len(middle)))
    assert abs(frequency).argmax() * SOUND_RATE_HZ / len(middle) == pytest.approx(440, abs=1)


def test_sound_of_eight_planes_is_read(tmp_path: Path) -> None:
    sound = np.tile(tone(2), (8, 1))
    path = sounding_film(tmp_path / "film.mkv", IMAGES, sound, layout="7.1", codec="aac")
    pieces, _ = heard(open_video(path))
    middle = joined(pieces)[4000:-4000]
    assert np.sqrt(np.square(middle).mean()) == pytest.approx(0.25 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [("u8", 192, 0.5), ("s16p", 16384, 0.5), ("s32", -(2**30), -0.5), ("dblp", 0.25, 0.25)],
)
def test_any_sample_format_has_its_full_scale_at_one(
    kind: str, value: float, expected: float
) -> None:
    frame = av.AudioFrame(format=kind, layout="stereo", samples=64)
    types = {"u8": np.uint8, "s16p": np.int16, "s32": np.int32, "dblp": np.float64}
    for plane in frame.planes:
        plane.update(np.full(plane.buffer_size // types[kind]().nbytes, value, types[kind]))
    samples = mono_samples(frame)
    assert samples.shape == (64,)
    assert samples == pytest.approx(np.full(64, expected))


def test_surround_channels_count_half_and_low_effects_not_at_all() -> None:
    channels = np.zeros((6, 8), np.float32)
    channels[3] = 1  # FL FR FC LFE, then the two behind
    assert not mono_samples(av.AudioFrame.from_ndarray(channels, "fltp", "5.1")).any()
    channels[[3, 4]] = channels[[4, 3]]
    mixed = mono_samples(av.AudioFrame.from_ndarray(channels, "fltp", "5.1"))
    assert mixed == pytest.approx(np.full(8, 0.5 / 4))


def test_samples_that_are_no_numbers_are_silence() -> None:
    channels = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)
    samples = mono_samples(av.AudioFrame.from_ndarray(channels, "fltp", "mono"))
    assert samples.tolist() == [0, 1, -1, 0.5]


@pytest.mark.parametrize(("kind", "dtype"), [("fltp", np.float32), ("dblp", np.float64)])
def test_samples_far_beyond_full_scale_are_brought_down(kind: str, dtype: type) -> None:
    largest = np.finfo(dtype).max / 2
    channels = np.array([[largest, -largest, 1.5]], dtype)
    samples = mono_samples(av.AudioFrame.from_ndarray(channels, kind, "mono"))
    assert samples.tolist() == [8, -8, 1.5]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
@pytest.mark.parametrize("offset", [Fraction(-1, 2), Fraction(0), Fraction(1, 2)])
def test_a_click_keeps_its_time_whichever_track_starts_first(
    tmp_path: Path, suffix: str, offset: Fraction
) -> None:
    codec = "pcm_s16le" if suffix != ".mp4" else "aac"
    path = sounding_film(
        tmp_path / f"film{suffix}", IMAGES, click(2, 1), codec=codec,
        video_start_s=max(-offset, Fraction(0)), sound_start_s=max(offset, Fraction(0)),
    )  # fmt: skip
    pieces, _ = heard(open_video(path))
    samples = joined(pieces)
    start_s = pieces[0].start_s + int(np.abs(samples).argmax()) / SOUND_RATE_HZ
    assert start_s == pytest.approx(1 + max(float(offset), 0), abs=0.004)


class FakeTrack(SoundTrack):
    """A track that is fed with frames made by hand."""

    def __init__(self) -> None:
        self.pieces: list[SoundPiece] = []
        super().__init__(self.pieces.append)
        decode: Any = lambda packet: [] if packet is None else [packet.frame]  # noqa: E731
        self._stream: Any = SimpleNamespace(codec_context=SimpleNamespace(decode=decode))

    def add(self, start_s: float | None, seconds: float, *, rate_hz: int = 48_000) -> None:
        sound = tone(seconds, rate_hz=rate_hz)[None].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(sound, "fltp", "mono")
        frame.sample_rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
        frame.pts = None if start_s is None else round(start_s * rate_hz)
        packet: Any = SimpleNamespace(frame=frame, is_corrupt=False)
        self.take(packet)

    def end_s(self) -> float:
        self.finish()
        return self.pieces[-1].start_s + len(self.pieces[-1].samples) / SOUND_RATE_HZ


def test_a_sample_rate_that_changes_breaks_neither_time_nor_sound() -> None:
    track = FakeTrack()
    for start_s, rate_hz in ((0, 48_000), (1, 44_100), (2, 8_000), (3, 96_000)):
        track.add(start_s, 1, rate_hz=rate_hz)
    assert track.end_s() == pytest.approx(4, abs=0.001)
    assert is_contiguous(track.pieces)
    inner = joined(track.pieces)[8000:-8000]
    assert np.sqrt(np.square(inner).mean()) == pytest.approx(0.25 / np.sqrt(2), rel=0.02)


def test_a_short_gap_is_filled_with_silence_and_a_long_one_left_open() -> None:
    track = FakeTrack()
    for start_s in (0.0, 1.5, 10.0):
        track.add(start_s, 1)
    assert track.end_s() == pytest.approx(11, abs=0.001)
    breaks = [
        (one.start_s + len(one.samples) / SOUND_RATE_HZ, other.start_s)
        for one, other in pairwise(track.pieces)
        if other.start_s - one.start_s - len(one.samples) / SOUND_RATE_HZ > 0.01
    ]
    assert breaks == [(pytest.approx(2.5, abs=0.001), pytest.approx(10))]
    samples = joined(track.pieces)
    assert not samples[17_000:23_000].any()
    assert samples[25_000:39_000].any()


def test_sound_that_overlaps_is_left_out() -> None:
    track = FakeTrack()
    track.add(0, 1)
    track.add(0.75, 1)
    assert track.end_s() == pytest.approx(1.75, abs=0.001)
    assert is_contiguous(track.pieces)


def test_sound_without_times_follows_on() -> None:
    track = FakeTrack()
    for _ in range(3):
        track.add(None, 0.5)
    assert track.end_s() == pytest.approx(1.5, abs=0.001)


def test_times_that_fall_are_those_of_another_recording() -> None:
    track = FakeTrack()
    for start_s in (20.0, 21.0, 5.0, 6.0):
        track.add(start_s, 1)
    track.finish()
    assert sorted({piece.recording for piece in track.pieces}) == [0, 1]
    spans = [[p.start_s for p in track.pieces if p.recording == number] for number in (0, 1)]
    assert (min(spans[0]), min(spans[1])) == pytest.approx((20, 5))
    assert max(spans[1]) < 7 < 21 < max(spans[0])


def test_a_damaged_time_begins_no_recording() -> None:
    track = FakeTrack()
    for start_s in (0.0, 1.0, 900.0, 2.5, 3.5, 0.0):
        track.add(start_s, 0.5)
    track.finish()
    found = {int(piece.start_s): piece.recording for piece in track.pieces}
    assert found == {0: 1, 1: 0, 900: 0, 2: 0, 3: 0}


def test_sound_that_is_broken_leaves_the_picture_whole(tmp_path: Path) -> None:
    sound = tone(2)
    path = sounding_film(tmp_path / "a.mkv", IMAGES, sound, codec="flac", broken=range(3, 6))
    film = open_video(path)
    pieces, num_frames = heard(film)
    assert num_frames == 48
    assert joined(pieces).any()
    (note,) = film.notes()
    assert note == "its sound is damaged: 3 packets of it could not be decoded"


def test_sound_of_which_nothing_can_be_decoded_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = sounding_film(tmp_path / "a.mkv", IMAGES, tone(2), codec="flac", broken=range(1000))
    film = open_video(path)
    assert heard(film) == ([], 48)
    (note,) = film.notes()
    assert note == "its sound is damaged: nothing of it could be decoded, so nothing was heard"


def test_an_error_of_the_listener_is_not_taken_for_damage(tmp_path: Path) -> None:
    film = open_video(sounding_film(tmp_path / "a.mkv", IMAGES, tone(2)))

    def hear(piece: SoundPiece) -> None:
        raise ValueError("the listener's own")

    with pytest.raises(ValueError, match="the listener's own"):
        list(film.frames(hear))


def test_a_film_without_sound_gives_none(tmp_path: Path) -> None:
    from tests.factories.films import encode_film

    film = open_video(encode_film(tmp_path / "film.mp4", flat_images([(9, 9, 9)], each=24)))
    assert heard(film) == ([], 24)
    assert film.notes() == ()


def test_sound_is_not_read_unless_it_is_to_be_heard(tmp_path: Path) -> None:
    path = sounding_film(tmp_path / "a.mkv", IMAGES, tone(2), codec="flac", broken=range(1000))
    film = open_video(path)
    assert len(list(film.frames())) == 48
    assert film.notes() == ()


@pytest.mark.parametrize("threads", [1, 4])
def test_a_film_that_is_decoded_anew_for_damage_is_heard_once(tmp_path: Path, threads: int) -> None:
    blocks = np.random.default_rng(1).integers(0, 256, (60, 12, 3), np.uint8)
    images = [blocks[i % 40 : i % 40 + 8].repeat(8, axis=0).repeat(8, axis=1) for i in range(240)]
    whole = sounding_film(tmp_path / "whole.mkv", images, tone(10, hz=300))
    damaged = tmp_path / "damaged.mkv"
    with av.open(str(whole)) as film, av.open(str(damaged), "w") as copy:
        streams = {one.index: copy.add_stream_from_template(one) for one in film.streams}
        count = 0
        for packet in film.demux():
            if packet.dts is None:
                continue
            if packet.stream.type == "video":
                count += 1
                if 60 <= count < 70:
                    other = av.Packet(bytes(packet.size))
                    other.pts, other.dts, other.time_base = packet.pts, packet.dts, packet.time_base
                    packet = other
                packet.stream = streams[0]
            else:
                packet.stream = streams[1]
            copy.mux(packet)
    expected, _ = heard(open_video(whole))
    film_of_damage = Film(open_video(damaged).file, threads=threads)
    found, num_frames = heard(film_of_damage)
    assert num_frames < 240
    assert film_of_damage.damaged
    assert np.array_equal(joined(found), joined(expected))
    assert is_contiguous(found)
