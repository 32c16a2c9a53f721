import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from tests.factories.films import encode_film, remux

from mastershot.core.errors import MediaError
from mastershot.media.decoding import DamageDetector
from mastershot.media.probe import probe
from mastershot.media.video import Film, open_video


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of 400 frames of moving blocks, with frames out of order and a keyframe a second."""
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    blocks = np.random.default_rng(1).integers(0, 256, (60, 12, 3), np.uint8)
    images = [blocks[i % 40 : i % 40 + 8].repeat(8, axis=0).repeat(8, axis=1) for i in range(400)]
    return encode_film(path, images, options={"bf": "2", "g": "24"})


def zeroed(numbers: range) -> Callable[[int, bytes], bytes]:
    return lambda number, data: bytes(len(data)) if number in numbers else data


def read(film: Film) -> tuple[list[int], list[bytes]]:
    frames = [(frame.pts, frame.points_bgr().tobytes()) for frame in film.frames()]
    return [pts for pts, _ in frames], [points for _, points in frames]


def test_a_long_damaged_stretch_is_passed_over_and_reported(whole: Path, tmp_path: Path) -> None:
    path = remux(whole, tmp_path / "film.mkv", zeroed(range(120, 270)))
    film = open_video(path)
    pts, _ = read(film)
    assert 240 <= len(pts) <= 250
    (span,) = film.damaged
    assert span.frames_missing == 400 - len(pts)
    assert span.start_s == pytest.approx(120 / 24, abs=0.2)
    assert span.end_s == pytest.approx(270 / 24, abs=1.01)  # Up to the next keyframe.
    assert film.movie().duration_s == pytest.approx(400 / 24, abs=0.01)
    assert not film.movie().variable_frame_rate
    assert film.movie().frame_rate == 24
    note = film.notes()[0]
    assert note.startswith("it is damaged: ")
    assert "could not be decoded, in 1 span, the first at 0:00:0" in note


@pytest.mark.parametrize("numbers", [range(396, 398), range(380, 400), range(40, 44)])
def test_damage_anywhere_gives_the_same_frames_for_any_number_of_threads(
    whole: Path, tmp_path: Path, numbers: range
) -> None:
    path = remux(whole, tmp_path / "film.mkv", zeroed(numbers))
    reads = [read(open_video(path, threads=threads)) for threads in (1, 2, 4, 8)]
    assert all(other == reads[0] for other in reads[1:])


def test_what_is_lost_at_the_end_is_a_span_after_the_last_frame(
    whole: Path, tmp_path: Path
) -> None:
    path = remux(whole, tmp_path / "film.mkv", zeroed(range(360, 400)))
    film = open_video(path)
    pts, _ = read(film)
    span = film.damaged[-1]
    assert span.end_pts > film.movie().end_pts - 1
    assert sum(lost.frames_missing for lost in film.damaged) == pytest.approx(40, abs=3)
    assert len(pts) >= 355


def test_a_recording_that_starts_between_keyframes_is_not_damaged(
    whole: Path, tmp_path: Path
) -> None:
    recording = remux(whole, tmp_path / "film.ts", lambda _, data: data, container="mpegts")
    data = recording.read_bytes()
    recording.write_bytes(data[20 * 188 :])
    film = open_video(recording)
    assert 350 < len(list(film.frames())) < 400
    assert film.damaged == ()


def test_a_stream_that_appears_in_mid_file_ends_nothing(whole: Path, tmp_path: Path) -> None:
    """Two transport streams in a row, of which only the second has sound."""
    silent = remux(whole, tmp_path / "silent.ts", lambda _, data: data, container="mpegts")
    loud = tmp_path / "loud.ts"
    with av.open(str(whole)) as film, av.open(str(loud), "w") as copy:
        stream = copy.add_stream_from_template(film.streams.video[0])
        sound = copy.add_stream("mp2", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 32000), np.int16), "s16", "mono")
        frame.rate = 16000
        copy.mux([*sound.encode(frame), *sound.encode(None)])
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = stream
                copy.mux(packet)
    joined = tmp_path / "film.ts"
    # Longer than FFmpeg looks ahead for streams.
    joined.write_bytes(silent.read_bytes() * 40 + loud.read_bytes())
    film = open_video(joined)
    assert sum(1 for _ in film.frames()) == 41 * 400
    assert film.movie().has_audio
    assert film.movie().duration_s == pytest.approx(41 * 400 / 24, abs=1)
    assert "its clock restarts 40 times" in " ".join(film.notes())


def test_sound_that_starts_late_is_no_end_of_the_film(real_data: Path) -> None:
    film = open_video(real_data / "films" / "damaged" / "flv_tag200.flv")
    assert len(list(film.frames())) == 319
    assert film.movie().has_audio


def test_a_film_that_changes_while_it_is_read_is_refused(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    shutil.copy(whole, path)
    film = open_video(path)
    frames = film.frames()
    next(frames)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(MediaError, match="changed while it was read; analyse it again when"):
        list(frames)


def test_a_film_of_which_nothing_can_be_decoded_says_so(whole: Path, tmp_path: Path) -> None:
    path = remux(whole, tmp_path / "film.mkv", zeroed(range(400)))
    with pytest.raises(MediaError, match="holds a video stream but no frame that can be decoded"):
        list(open_video(path).frames())


def test_a_rate_of_an_hour_a_frame_is_not_0(real_data: Path) -> None:
    film = open_video(real_data / "films" / "damaged" / "slow.mkv")
    assert len(list(film.frames())) == 4
    assert film.movie().frame_rate == Fraction(1, 3600)


def test_a_film_that_starts_in_mid_picture_group_states_its_size_late(real_data: Path) -> None:
    path = real_data / "films" / "damaged" / "ts_midgop.ts"
    assert (probe(path).width_px, probe(path).height_px) == (96, 54)
    film = open_video(path)
    assert len(list(film.frames())) == 300
    assert "packets before its first picture could not be decoded" in film.notes()[0]


def packet(**facts: Any) -> Any:
    return SimpleNamespace(**{"pts": 0, "dts": 0, "is_keyframe": False} | facts)


def picture(pts: int, *, is_corrupt: bool = False) -> Any:
    return SimpleNamespace(pts=pts, is_corrupt=is_corrupt)


def detector_after(num_packets: int) -> DamageDetector:
    """Return a detector that saw that many packets, one picture each, in order."""
    detector = DamageDetector(threads=2)
    for number in range(num_packets):
        detector.add(packet(pts=number, dts=number), [picture(number)], refused=False)
    assert not detector.saw_damage
    return detector


def test_a_refused_packet_a_corrupt_picture_and_a_fall_are_signs_of_damage() -> None:
    for sent, shown, refused in (
        (packet(pts=30, dts=30), [], True),
        (packet(pts=30, dts=30), [picture(30, is_corrupt=True)], False),
        (packet(pts=3, dts=3), [picture(3)], False),
        (None, [], True),
    ):
        detector = detector_after(30)
        detector.add(sent, shown, refused=refused)
        assert detector.saw_damage


def test_a_fall_at_a_keyframe_is_another_recording() -> None:
    detector = detector_after(30)
    detector.add(packet(pts=0, dts=0, is_keyframe=True), [picture(0)], refused=False)
    assert not detector.saw_damage


def test_packets_refused_before_the_first_picture_are_no_sign() -> None:
    detector = DamageDetector(threads=2)
    detector.add(packet(), [], refused=True)
    assert not detector.saw_damage


def test_pictures_that_fail_to_come_at_the_end_are_a_sign() -> None:
    detector = detector_after(30)
    for number in (30, 31, 32):
        detector.add(packet(pts=number, dts=number), [], refused=False)
    detector.add(None, [picture(30), picture(31)], refused=False)
    assert detector.saw_damage


def test_packets_that_give_no_picture_to_the_end_are_counted() -> None:
    detector = detector_after(60)
    for number in range(60, 160):
        detector.add(packet(pts=number, dts=number), [], refused=False)
    detector.add(None, [picture(60)], refused=False)
    assert detector.num_silent == 100


def test_pictures_that_wait_to_be_put_in_order_count_as_well() -> None:
    detector = detector_after(60)
    for number in range(60, 78):
        detector.add(packet(pts=number, dts=number), [], refused=False)
    detector.add(None, [picture(60)], refused=False)
    assert detector.saw_damage


def test_of_a_stream_of_fields_every_other_packet_gives_no_picture() -> None:
    detector = DamageDetector(threads=2)
    for number in range(40):
        shown = [] if number % 2 else [picture(number)]
        detector.add(packet(pts=number, dts=number), shown, refused=False)
    detector.add(None, [], refused=False)
    assert not detector.saw_damage


def test_without_timestamps_the_pictures_are_counted() -> None:
    for missing in (0, 1):
        detector = DamageDetector(threads=2)
        for _ in range(20):
            detector.add(packet(pts=None, dts=None), [], refused=False)
        detector.add(None, [picture(0)] * (20 - missing), refused=False)
        assert detector.saw_damage == bool(missing)


def test_where_some_have_timestamps_the_others_do_not_count() -> None:
    detector = DamageDetector(threads=2)
    for number in range(60):  # As in a program stream that starts with an open picture group.
        time = number if number % 4 else None
        shown = [] if number in (1, 2) else [picture(time)]  # type: ignore[arg-type]
        detector.add(packet(pts=time, dts=number), shown, refused=False)
    detector.add(None, [], refused=False)
    assert not detector.saw_damage
