"""Films written by `write_frames` read back as they were meant, or are not there at all."""

import resource
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import OutputError
from mastershot.media.write import Encoding, Sound, write_frames


def noise_frames(count: int, *, width_px: int = 64, height_px: int = 48) -> Iterator[ImageArray]:
    rng = np.random.default_rng(0)
    for _ in range(count):
        yield rng.integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)


def tone(seconds: float, *, rate_hz: int = 16_000, chunk: int = 3_001) -> Iterator[FloatArray]:
    samples = np.sin(np.arange(round(seconds * rate_hz)) * (2 * np.pi * 440 / rate_hz))
    for first in range(0, len(samples), chunk):
        yield samples[first : first + chunk].astype(np.float32)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(24000, 1001), Fraction(25, 2)])
def test_a_film_has_the_frames_size_and_rate_it_was_given(
    tmp_path: Path, ending: str, rate: Fraction
) -> None:
    path = tmp_path / f"film.{ending}"

    count = write_frames(path, noise_frames(31), rate)

    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        pts = [frame.pts * frame.time_base for frame in film.decode(stream)]  # type: ignore[operator]
        assert count == len(pts) == 31
        assert (stream.width, stream.height, stream.average_rate) == (64, 48, rate)
        assert stream.codec_context.name == "h264"
        due = [ordinal / rate for ordinal in range(31)]
        assert all(
            abs(time - wanted) < Fraction(1, 1000) for time, wanted in zip(pts, due, strict=True)
        )


def test_an_encoding_chooses_codec_pixels_and_keyframes(tmp_path: Path) -> None:
    encoding = Encoding(codec="ffv1", pixel_format="yuv444p", keyframe_interval=5)
    write_frames(tmp_path / "a.mkv", noise_frames(12), Fraction(24), encoding=encoding)
    write_frames(
        tmp_path / "b.mp4",
        noise_frames(12),
        Fraction(24),
        encoding=Encoding(keyframe_interval=5, pixel_format="yuv420p10le"),
    )

    with av.open(str(tmp_path / "a.mkv")) as film:
        assert film.streams.video[0].codec_context.name == "ffv1"
        assert film.streams.video[0].format.name == "yuv444p"
    with av.open(str(tmp_path / "b.mp4")) as film:
        assert film.streams.video[0].format.name == "yuv420p10le"
        keys = [i for i, frame in enumerate(film.decode(video=0)) if frame.key_frame]
        assert keys == [0, 5, 10]


def test_a_lossless_codec_returns_the_very_pixels(tmp_path: Path) -> None:
    encoding = Encoding(codec="ffv1", pixel_format="bgr0")
    write_frames(tmp_path / "a.mkv", noise_frames(3), Fraction(24), encoding=encoding)

    with av.open(str(tmp_path / "a.mkv")) as film:
        read = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert np.array_equal(read, list(noise_frames(3)))


def test_sound_lasts_as_long_as_it_was_given_and_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_frames(path, noise_frames(48), Fraction(24), sound=Sound(16_000, tone(2)))

    with av.open(str(path)) as film:
        samples = np.concatenate([f.to_ndarray()[0] for f in film.decode(audio=0)])
    assert abs(len(samples) - 32_000) <= 1024
    pitch = np.argmax(np.abs(np.fft.rfft(samples[4_000:20_000])))
    assert pitch == 440


def test_sound_and_picture_are_interleaved(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_frames(path, noise_frames(96), Fraction(24), sound=Sound(16_000, tone(4)))

    with av.open(str(path)) as film:
        kinds = [packet.stream.type for packet in film.demux() if packet.size]
    half = kinds[: len(kinds) // 2]
    assert half.count("audio") == pytest.approx(kinds.count("audio") / 2, rel=0.3)


def test_a_source_of_frames_that_fails_leaves_nothing_and_keeps_the_old_film(
    tmp_path: Path,
) -> None:
    path = tmp_path / "film.mp4"
    path.write_text("the old film")

    def failing() -> Iterator[ImageArray]:
        yield from noise_frames(5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_frames(path, failing(), Fraction(24))
    assert [entry.name for entry in tmp_path.iterdir()] == ["film.mp4"]
    assert path.read_text() == "the old film"


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"film .*film\.mp4 cannot be written: \w+"):
            write_frames(tmp_path / "film.mp4", noise_frames(40), Fraction(24))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        write_frames(tmp_path / "nowhere" / "film.mp4", noise_frames(1), Fraction(24))


def test_an_ending_that_names_no_container_says_which_to_use(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no ending that names a kind of film; end it in \.mp4"):
        write_frames(tmp_path / "film.xyz", noise_frames(1), Fraction(24))


def test_no_frames_are_no_film(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="a film of no frames cannot be written"):
        write_frames(tmp_path / "film.mp4", [], Fraction(24))
    assert list(tmp_path.iterdir()) == []


def test_frames_of_two_sizes_are_refused(tmp_path: Path) -> None:
    frames = [*noise_frames(2), *noise_frames(1, width_px=32)]
    with pytest.raises(OutputError, match="frame 2 is 32×48 where the film is 64×48"):
        write_frames(tmp_path / "film.mp4", frames, Fraction(24))


def test_odd_sizes_say_what_would_hold_them(tmp_path: Path) -> None:
    frames = list(noise_frames(2, width_px=33))
    with pytest.raises(OutputError, match="frames of 33×48 cannot be stored as yuv420p"):
        write_frames(tmp_path / "film.mp4", frames, Fraction(24))
    encoding = Encoding(pixel_format="yuv444p")
    assert write_frames(tmp_path / "film.mp4", frames, Fraction(24), encoding=encoding) == 2
