from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from tests.factories.films import encode_film, remux

from mastershot.core.errors import MediaError
from mastershot.media.containers import encryption_in, missing_bytes
from mastershot.media.probe import probe
from mastershot.media.video import open_video

OPTIONS = {
    "mp4": {"movflags": "+faststart"},
    "fragmented.mp4": {"movflags": "frag_keyframe+empty_moov"},
    "live.mkv": {"live": "1"},  # Segment and clusters of unknown size, no stated duration.
}
SUFFIXES = ("mp4", "fragmented.mp4", "mkv", "live.mkv", "flv", "avi", "asf")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of twelve seconds, of noise, so that its pictures outweigh its headers."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    images = list(np.random.default_rng(0).integers(0, 256, (288, 48, 64, 3), np.uint8))
    return encode_film(path, images, options={"bf": "0", "g": "24", "crf": "40"})


def written_as(whole: Path, target: Path) -> Path:
    """Return the film in another container, with an index in front where the kind has one."""
    options = OPTIONS.get(target.name.partition(".")[2], {})
    with av.open(str(whole)) as film, av.open(str(target), "w", options=options) as copy:
        stream = copy.add_stream_from_template(film.streams.video[0])
        start_codes = BitStreamFilterContext("h264_mp4toannexb", film.streams.video[0])
        for packet in film.demux(video=0):
            for filtered in start_codes.filter(packet) if target.suffix == ".avi" else [packet]:
                if filtered.size:
                    filtered.stream = stream
                    copy.mux(filtered)
    return target


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_missing_of_a_whole_film(whole: Path, tmp_path: Path, suffix: str) -> None:
    path = written_as(whole, tmp_path / f"film.{suffix}")
    assert missing_bytes(path) == 0
    film = open_video(path)
    assert len(list(film.frames())) == 288
    assert film.notes() == ()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0.25, 0.4])
def test_a_film_that_was_cut_off_is_truncated(
    whole: Path, tmp_path: Path, suffix: str, share: float
) -> None:
    path = written_as(whole, tmp_path / f"film.{suffix}")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(MediaError, match="is truncated: ") as caught:
        list(open_video(path).frames())
    assert "copy or download it again" in str(caught.value)


@pytest.mark.parametrize("suffix", ["mkv", "flv"])
def test_a_wrong_duration_in_a_header_is_doubted_not_believed(
    whole: Path, tmp_path: Path, suffix: str
) -> None:
    path = written_as(whole, tmp_path / f"film.{suffix}")
    data = path.read_bytes()
    stated = {
        "mkv": (b"\x44\x89\x88", 12_000.0, 90_000.0),  # Duration, in milliseconds.
        "flv": (b"\x00\x08duration\x00", 12.0, 90.0),
    }[suffix]
    place = data.index(stated[0]) + len(stated[0])
    path.write_bytes(data[:place] + av_double(stated[2]) + data[place + 8 :])
    film = open_video(path)
    assert len(list(film.frames())) == 288
    assert film.movie().duration_s == pytest.approx(12, abs=0.01)
    assert len(film.notes()) == 1
    assert "it states 90.0 s but its last frame ends at 12.0 s" in film.notes()[0]


def av_double(value: float) -> bytes:
    import struct

    return struct.pack(">d", value)


def test_a_film_cut_within_a_moment_of_its_end_is_read_with_a_note(
    whole: Path, tmp_path: Path
) -> None:
    path = written_as(whole, tmp_path / "film.mkv")
    path.write_bytes(path.read_bytes()[: int(0.82 * path.stat().st_size)])
    film = open_video(path)
    num_frames = len(list(film.frames()))
    assert 250 < num_frames < 288
    assert film.movie().duration_s == pytest.approx(num_frames / 24, abs=0.05)
    assert "bytes are missing at its end" in film.notes()[0]


def test_a_last_picture_that_is_held_lasts_as_long_as_its_stream_says(real_data: Path) -> None:
    film = open_video(real_data / "films" / "damaged" / "slides_held.webm")
    assert [frame.pts for frame in film.frames()] == [0, 1000, 3000, 4000]
    assert film.movie().duration_s == 14
    assert film.pts[-1] == 14_000
    assert film.notes() == ()


def test_a_held_last_picture_does_not_slow_the_film(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(whole)) as film, av.open(str(path), "w") as copy:
        stream = copy.add_stream_from_template(film.streams.video[0])
        for number, packet in enumerate(film.demux(video=0)):
            if packet.size:
                packet.stream, packet.duration = (
                    stream,
                    packet.duration * (200 if number == 287 else 1),
                )
                copy.mux(packet)
    held = open_video(path)
    assert len(list(held.frames())) == 288
    assert held.movie().duration_s == pytest.approx(287 / 24 + 200 / 24, abs=0.01)
    assert held.movie().frame_rate == 24


def test_bytes_that_are_lost_in_the_middle_do_not_make_a_film_truncated(
    whole: Path, tmp_path: Path
) -> None:
    for suffix in ("mkv", "flv", "avi"):
        path = written_as(whole, tmp_path / f"film.{suffix}")
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] + data[len(data) // 2 + 40 :])
        assert len(list(open_video(path).frames())) > 200


def test_an_mp4_without_its_index_is_cut_off_or_damaged(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    data = whole.read_bytes()
    path.write_bytes(data.replace(b"moov", b"m\0ov"))
    with pytest.raises(MediaError, match=r"is damaged or was never finished: its index \(moov"):
        probe(path)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError, match=r"is truncated: its index \(moov atom\) is missing"):
        probe(path)


def encrypted_mp4(whole: Path, path: Path) -> None:
    with (
        av.open(str(whole)) as film,
        av.open(
            str(path), "w",
            options={
                "encryption_scheme": "cenc-aes-ctr",
                "encryption_key": "76a6c65c5ea762046bd749a2e632ccbb",
                "encryption_kid": "a7e61c373e219033c21091fa607bf3b8",
            },
        ) as copy,
    ):  # fmt: skip
        stream = copy.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)


def scrambled_ts(whole: Path, path: Path) -> None:
    remux(whole, path, lambda _, data: data, container="mpegts")
    data = bytearray(path.read_bytes())
    for start in range(0, len(data), 188):
        pid = (data[start + 1] & 31) << 8 | data[start + 2]
        if pid == 256:
            data[start + 3] |= 0x80
            data[start + 12 : start + 188] = bytes(
                byte ^ 0x5A for byte in data[start + 12 : start + 188]
            )
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "suffix", "reason"),
    [
        (encrypted_mp4, "mp4", r"Common Encryption, scheme cenc"),
        (scrambled_ts, "ts", "scrambled by the broadcaster"),
    ],
)
def test_an_encrypted_film_is_refused_for_that_reason(
    whole: Path, tmp_path: Path, make: Callable[[Path, Path], None], suffix: str, reason: str
) -> None:
    path = tmp_path / f"film.{suffix}"
    make(whole, path)
    with pytest.raises(MediaError, match=rf"is encrypted \({reason}\)"):
        list(open_video(path).frames())


def test_a_matroska_track_with_content_encryption_is_encrypted(tmp_path: Path) -> None:
    def element(name: str, data: bytes) -> bytes:
        return bytes.fromhex(name) + (1 << 28 | len(data)).to_bytes(4) + data

    encryption = element("6d80", element("6240", element("5035", element("47e1", b"\5"))))
    for kind, encrypted in ((b"\1", True), (b"\2", False)):
        track = element("ae", element("83", kind) + encryption)
        segment = element("18538067", element("1654ae6b", track))
        path = tmp_path / "film.mkv"
        path.write_bytes(element("1a45dfa3", b"") + segment)
        assert (encryption_in(path) is not None) == encrypted


def test_damage_in_the_middle_of_a_fragmented_film_is_not_its_end(
    whole: Path, tmp_path: Path
) -> None:
    path = written_as(whole, tmp_path / "film.fragmented.mp4")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + data[len(data) // 2 + 40 :])
    assert missing_bytes(path) == 0
    assert len(list(open_video(path).frames())) > 100


def test_a_plain_film_is_not_encrypted(whole: Path, tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        assert encryption_in(written_as(whole, tmp_path / f"film.{suffix}")) is None


@pytest.mark.parametrize(
    "head",
    [
        b"\0\0\0\1ftyp" + b"\xff" * 30,
        b"\x1a\x45\xdf\xa3" + b"\xff" * 90,
        b"FLV\1" + bytes(40),
        b"RIFF\xff\xff\xff\xffAVI LIST" + b"\xff" * 40,
        b"0&\xb2u\x8ef\xcf\x11" + bytes(40),
        b"x",
    ],
)
def test_hostile_headers_are_read_without_harm(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "film"
    path.write_bytes(head)
    assert missing_bytes(path) >= 0
    assert encryption_in(path) is None


def test_many_empty_tracks_are_read_in_one_go(tmp_path: Path) -> None:
    tracks = b"\xae\x80" * 20_000
    path = tmp_path / "film.mkv"
    path.write_bytes(
        b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01" + b"\xff" * 7
        + b"\x16\x54\xae\x6b" + (1 << 28 | len(tracks)).to_bytes(4) + tracks
    )  # fmt: skip
    assert encryption_in(path) is None  # Reading the rest of them anew for each takes minutes.


def test_of_an_avi_written_to_a_pipe_nothing_is_missing(whole: Path, tmp_path: Path) -> None:
    data = written_as(whole, tmp_path / "film.avi").read_bytes()
    data = data[: data.index(b"idx1")]
    for place in (4, data.index(b"movi") - 4):
        data = data[:place] + b"\xff" * 4 + data[place + 4 :]
    path = tmp_path / "piped.avi"
    path.write_bytes(data)
    assert missing_bytes(path) == 0
    assert len(list(open_video(path).frames())) == 288


@pytest.mark.parametrize("kind", [b"wide", b"free", b"skip", b"mdat"])
def test_an_old_quicktime_file_starts_with_anything(
    whole: Path, tmp_path: Path, kind: bytes
) -> None:
    data = whole.read_bytes()
    path = tmp_path / "film.mov"
    path.write_bytes(data[:4] + kind + data[8 : len(data) // 2])
    with pytest.raises(MediaError, match=r"is truncated: its index \(moov atom\) is missing"):
        probe(path)
