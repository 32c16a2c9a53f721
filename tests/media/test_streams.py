from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mastershot.core.errors import MediaError
from mastershot.media.probe import probe
from mastershot.media.video import open_video

# Width, number of frames, flagged default.
Track = tuple[int, int, bool]


def film_of(path: Path, *tracks: Track) -> Path:
    """Write a Matroska film with these video streams."""
    with av.open(str(path), "w") as target:
        streams = []
        for width, _, is_default in tracks:
            stream = target.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, 48, "yuv420p"
            stream.disposition = av.stream.Disposition.default if is_default else 0
            streams.append(stream)
        packets = []
        for stream, (width, num_frames, _) in zip(streams, tracks, strict=True):
            image = np.full((48, width, 3), 90, np.uint8)
            for index in range(num_frames):
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                packets += stream.encode(frame)
            packets += stream.encode(None)
        target.mux(packets)
    return path


@pytest.mark.parametrize(
    ("tracks", "index", "reason"),
    [
        ([(64, 1, True), (48, 30, True)], 1, "the one that moves"),
        ([(64, 1, True), (48, 30, False)], 1, "the one that moves"),
        ([(64, 30, False), (48, 30, True)], 1, "flagged default"),
        ([(64, 30, True), (48, 90, True)], 1, "the longest"),
        ([(48, 30, True), (64, 29, True)], 1, "the largest"),
        ([(64, 30, False), (64, 30, False)], 0, "the first"),
        ([(96, 30, False), (64, 30, True), (48, 90, True)], 2, "the longest"),
    ],
)
def test_the_film_is_chosen_in_the_order_that_the_docs_state(
    tmp_path: Path, tracks: list[Track], index: int, reason: str
) -> None:
    path = film_of(tmp_path / "film.mkv", *tracks)
    film = open_video(path)
    assert film.file.stream_index == index
    assert len(list(film.frames())) == tracks[index][1]
    (note,) = film.notes()
    assert f"holds {len(tracks)} video streams; read is {index} (mpeg4, " in note
    assert reason in note
    assert "--stream takes another" in note


def test_a_single_stream_is_no_choice(tmp_path: Path) -> None:
    path = film_of(tmp_path / "film.mkv", (64, 30, False))
    assert probe(path).notes == ()


def test_any_stream_may_be_asked_for(tmp_path: Path) -> None:
    path = film_of(tmp_path / "film.mkv", (64, 30, True), (48, 20, False))
    film = open_video(path, stream=1)
    assert len(list(film.frames())) == 20
    assert film.movie().width_px == 48
    assert film.notes() == ()


def test_a_stream_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    path = film_of(tmp_path / "film.mkv", (64, 30, True), (48, 20, False))
    with pytest.raises(MediaError, match=r"has no video stream 7; its video streams are: 0, 1"):
        probe(path, stream=7)


def test_a_cover_picture_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "film.m4a"
    with av.open(str(path), "w", format="mp4") as target:
        stream = target.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        stream.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame(64, 48, "yuvj420p")
        frame.pts, frame.time_base = 0, Fraction(1)
        target.mux([*stream.encode(frame), *stream.encode(None)])
    with av.open(str(path)) as container:
        assert container.streams.video[0].disposition & av.stream.Disposition.attached_pic
    with pytest.raises(MediaError, match=r"holds no video stream \(only cover pictures\)"):
        probe(path)


def test_a_still_in_front_of_the_film_is_passed_over(real_data: Path) -> None:
    path = real_data / "films" / "damaged" / "still_first_default2.mkv"
    assert len(list(open_video(path).frames())) == 320
    assert len(list(open_video(path, stream=0).frames())) == 1
