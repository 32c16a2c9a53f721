import shutil
import subprocess
from pathlib import Path

import av
import pytest
from tests.factories.films import drawn_film, encode_film, flat_images

from mastershot.core.errors import MediaError
from mastershot.media.probe import packet_times, probe
from mastershot.media.video import open_video


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    drawn_film(path)
    return path


def test_the_same_bytes_have_the_same_id_whatever_the_name(film: Path, tmp_path: Path) -> None:
    copy = tmp_path / "other name.mkv"
    shutil.copy(film, copy)
    assert probe(copy).id == probe(film).id
    assert probe(film).content_hash == f"blake2b:{probe(film).id}" + probe(film).content_hash[24:]


def test_a_film_says_its_size_rate_and_sound(film: Path) -> None:
    file = probe(film)
    assert (file.width_px, file.height_px, file.nominal_rate) == (160, 90, 24)
    assert file.has_audio
    assert file.stated_frames


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.write_text("not a film\n" * 99), "is not a video that FFmpeg can read"),
        (lambda path: path.write_text("#EXTM3U\n#EXTINF:9,\nsecret.ts\n"), "not a"),
        (lambda path: path.write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n"), "no video"),
    ],
    ids=["missing", "text", "playlist", "subtitles"],
)  # fmt: skip
def test_what_is_no_film_is_refused_in_one_sentence(tmp_path: Path, make, sentence: str) -> None:
    path = tmp_path / "film.mp4"
    make(path)
    with pytest.raises(MediaError, match=sentence) as caught:
        probe(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_name_with_a_zero_byte_is_refused() -> None:
    with pytest.raises(MediaError):
        probe("film\0.mp4")


def test_a_film_cut_off_before_its_index_is_truncated(film: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(film.read_bytes()[:8000])
    with pytest.raises(MediaError, match="is truncated: its index"):
        probe(cut)


def test_a_film_cut_off_after_its_index_is_truncated(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    images = flat_images([(200, 0, 0), (0, 0, 200)], each=24)
    encode_film(whole, images)
    import av

    with (
        av.open(str(whole)) as source,
        av.open(str(cut), "w", options={"movflags": "+faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    cut.write_bytes(cut.read_bytes()[:-40])
    with pytest.raises(MediaError, match="is truncated: its index reaches byte"):
        probe(cut)


def test_a_matroska_film_cut_off_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    drawn_film(path, num_scenes=6)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(MediaError, match=r"is truncated: it states .* s but ends at"):
        list(open_video(path).frames())


def test_a_film_of_sound_alone_holds_no_video(tmp_path: Path) -> None:
    import av
    import numpy as np

    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
        sound.rate = 16000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match=r"holds no video stream \(only audio\)"):
        probe(path)


def test_a_title_that_is_not_utf_8_is_no_fault(film: Path, tmp_path: Path) -> None:
    import av

    path = tmp_path / "film.mkv"
    with av.open(str(film)) as source, av.open(str(path), "w") as target:
        target.metadata["title"] = "CAFEcafe"
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    path.write_bytes(path.read_bytes().replace(b"CAFEcafe", b"CAF\xe9caf\xe9"))
    with pytest.raises(UnicodeDecodeError):
        av.open(str(path))
    assert probe(path).width_px == 160


def test_a_film_s_copyright_tag_is_kept_up_to_its_limit(film: Path, tmp_path: Path) -> None:
    marked = tmp_path / "marked.mkv"
    with av.open(str(film)) as source, av.open(str(marked), "w") as target:
        target.metadata["COPYRIGHT"] = " © 2008 Ann\nCC BY " + "x" * 20_000
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert probe(film).copyright == ""
    said = probe(marked).copyright
    assert said.startswith("© 2008 Ann\nCC BY xxx")
    assert len(said) == 10_000
    reader = open_video(marked)
    list(reader.frames())
    assert reader.movie().copyright == said


@pytest.mark.parametrize("container", ["mov", "mp4", "mxf", "avi"])
def test_a_film_s_own_time_code_is_that_of_its_first_frame(container: str, tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("the ffmpeg command, which writes time code tracks, is not here")
    path = tmp_path / f"film.{container}"
    drawn = "color=red:size=64x48:rate=30000/1001:duration=0.2"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", drawn]
    command += ["-timecode", "09:59:59;28", "-c:v", "mpeg2video", str(path)]
    subprocess.run(command, check=True)
    reader = open_video(path)
    list(reader.frames())
    assert reader.movie().timecode == "09:59:59;28"


@pytest.mark.parametrize(
    ("tag", "kept"), [("01:00:00:00", "01:00:00:00"), ("soon", ""), ("1:00", "")]
)
def test_a_time_code_tag_is_kept_if_it_is_one(
    tag: str, kept: str, film: Path, tmp_path: Path
) -> None:
    marked = tmp_path / "marked.mkv"
    with av.open(str(film)) as source, av.open(str(marked), "w") as target:
        target.metadata["TIMECODE"] = tag
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert (probe(film).timecode, probe(marked).timecode) == ("", kept)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_packets_have_the_times_of_frames(suffix: str, tmp_path: Path) -> None:
    path, pts = tmp_path / f"film.{suffix}", [7, 9, 10, 14, 15, 20]
    images = flat_images([(9, 99, 9)], each=6)
    encode_film(path, images, pts=pts, options={"bf": "2"})
    reader = open_video(path)
    list(reader.frames())
    times = packet_times(reader.file)
    assert times.pts[:-1].tolist() == reader.pts[:-1].tolist()
    assert times.time_base == reader.file.time_base
    assert times.pts[-1] > times.pts[-2]
