import os
from collections.abc import Callable
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.container.core import Flags
from tests.factories.films import encode_film, flat_images, remux

from mastershot.core.errors import MediaError
from mastershot.media.opening import (
    end_of_packets_s,
    has_sound,
    is_flush,
    open_container,
    open_film,
    read_packets,
    require_file,
    size_bytes,
    time_of,
)

RED = (200, 0, 0)


def write_with_sound(path: Path, film: Path | None = None, *, start_s: int = 0) -> Path:
    """Write a second of silence as stream 0 and, where there is a film, its pictures as 1."""
    with ExitStack() as files:
        target = files.enter_context(av.open(str(path), "w"))
        stream = target.add_stream("libmp3lame", rate=44100)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), "fltp", "mono")
        sound.rate, sound.pts, sound.time_base = 44100, 44100 * start_s, Fraction(1, 44100)
        packets = [*stream.encode(sound), *stream.encode(None)]
        if film is not None:
            source = files.enter_context(av.open(str(film)))
            pictures = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = pictures
                    packets.append(packet)
        target.mux(packets)
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one film of a second in several containers."""
    folder = tmp_path_factory.mktemp("films")
    for suffix in ("mp4", "mkv", "avi", "ts"):
        encode_film(folder / f"film.{suffix}", flat_images([RED], each=24))
    return folder


def test_no_timestamps_are_made_up(films: Path) -> None:
    path = films / "film.avi"
    with av.open(str(path)) as plain:
        assert plain.flags & Flags.gen_pts.value  # Else there is nothing to turn off.
    with open_container(path) as container:
        assert not container.flags & Flags.gen_pts.value


def test_a_name_that_looks_like_an_address_is_a_file(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("http:film.mp4", "pipe:0", "concat:a|b"):
        path = Path(name)
        path.write_bytes((films / "film.mp4").read_bytes())
        with open_film(path, 0) as stream:
            assert (stream.width, stream.height) == (64, 48)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.txt", "a film\n" * 99, "is a tty playlist or text, not a film; give the film file"),
        ("a.txt", ";FFMETADATA1\ntitle=a\n", "is a ffmetadata playlist or text, not a film"),
        ("a.ffconcat", "ffconcat version 1.0\nfile film.mp4\n", "is a concat playlist or text"),
        (
            "a.m3u8",
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfilm.ts\n#EXT-X-ENDLIST\n",
            "is a hls playlist or text",
        ),
    ],
)
def test_a_list_of_other_files_is_no_film_even_where_they_are_there(
    films: Path, name: str, text: str, sentence: str
) -> None:
    path = films / name
    path.write_text(text)
    with pytest.raises(MediaError, match=sentence), open_container(path):
        pass


def test_a_stream_is_opened_by_its_index_among_all_streams(films: Path, tmp_path: Path) -> None:
    path = write_with_sound(tmp_path / "film.mkv", films / "film.mp4")
    with open_film(path, 1) as stream:
        assert (stream.type, stream.index) == ("video", 1)
    with pytest.raises(MediaError, match=r"has no video stream 0; its video streams are: 1$"):
        open_film(path, 0).__enter__()
    sound = write_with_sound(tmp_path / "sound.mp3")
    message = "has no video stream 0; its video streams are: there are none$"
    with pytest.raises(MediaError, match=message):
        open_film(sound, 0).__enter__()


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts"])
def test_packets_are_read_each_once_without_the_empty_ones(films: Path, suffix: str) -> None:
    with open_container(films / f"film.{suffix}") as container:
        packets = list(read_packets(container))
    assert len(packets) == 24
    assert not any(is_flush(packet) for packet in packets)
    with open_container(films / f"film.{suffix}") as container:
        assert [is_flush(packet) for packet in container.demux()] == [False] * 24 + [True]


def test_a_packet_is_timed_by_when_it_is_shown_or_else_decoded() -> None:
    packet = av.Packet(b"data")
    assert time_of(packet) is None
    packet.dts = 5
    assert time_of(packet) == 5
    packet.pts = 0
    assert time_of(packet) == 0


def test_an_empty_packet_with_a_time_is_no_flush() -> None:
    packet = av.Packet()
    assert is_flush(packet)
    packet.dts = 0
    assert not is_flush(packet)


def test_a_picture_takes_the_bytes_of_its_planes() -> None:
    assert size_bytes(av.VideoFrame(64, 48, "rgb24")) == 64 * 48 * 3
    assert size_bytes(av.VideoFrame(64, 48, "yuv420p")) == 64 * 48 * 3 // 2
    assert size_bytes(av.VideoFrame(0, 0, "yuv420p")) == 1


def test_the_packets_end_with_the_picture_shown_last_not_with_the_last_one(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    options = {"bf": "2", "x264-params": "b-adapt=0:scenecut=0"}
    encode_film(path, flat_images([RED], each=24), options=options)
    with open_container(path) as container:
        times = [time_of(packet) or 0 for packet in read_packets(container)]
    assert times[-1] < max(times)
    assert end_of_packets_s(path) == 1


def test_sound_is_found_where_a_silent_start_is_longer_than_ffmpeg_looks(tmp_path: Path) -> None:
    short = encode_film(tmp_path / "short.flv", flat_images([RED], each=24))
    filler = (400_000).to_bytes(4) + b"\x0c" + 399_999 * b"\xff"  # FFmpeg looks at 5 MB.
    silent = remux(short, tmp_path / "silent.flv", lambda _, data: data + filler)
    path = write_with_sound(tmp_path / "film.flv", silent, start_s=1)
    for film in (path, silent):
        data = bytearray(film.read_bytes())
        data[4] = 1  # As recorders write it that do not know yet what will come: only pictures.
        film.write_bytes(data)
    with open_container(path) as container:
        assert not container.streams.audio  # Else there is nothing to look for.
        assert has_sound(path, container)
    with open_container(silent) as container:
        assert not has_sound(silent, container)
        silent.unlink()
        assert not has_sound(silent, container)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.symlink_to(path), "does not exist"),
        (lambda path: path.symlink_to("gone"), "does not exist"),
        (lambda path: path.mkdir(), "is a folder, not a film; name the film file in it"),
        (os.mkfifo, "is not a regular file; a film must be one, to be read twice"),
        (lambda path: path.touch(), r"is empty \(0 bytes\), so there is no film in it"),
    ],
    ids=["missing", "loop", "dangling", "folder", "pipe", "empty"],
)
def test_what_is_no_file_with_something_in_it_is_refused(
    tmp_path: Path, make: Callable[[Path], None], sentence: str
) -> None:
    path = tmp_path / "film.mp4"
    make(path)
    with pytest.raises(MediaError, match=f"^{path} {sentence}$"):
        require_file(path)


def test_a_name_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"(read: File name too long|does not exist)$"):
        require_file(tmp_path / ("x" * 300))
