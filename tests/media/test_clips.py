import pickle
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.factories.films import encode_film, remux
from tests.factories.mutations import SOURCES, mutations, write_source

from mastershot.core.embeddings import ImageArray
from mastershot.core.errors import MediaError
from mastershot.media.clips import Clip, ClipReader
from mastershot.media.sampling import clip_frames
from mastershot.media.video import open_video

SIZE = 24
# Spans in frames of a film of 120: of one frame, within a picture group, over several, to both
# ends, and the whole film.
SPANS = [(0, 1), (3, 9), (37, 38), (50, 90), (0, 30), (100, 120), (119, 120), (0, 120)]


def blocks(count: int) -> list[ImageArray]:
    noise = np.random.default_rng(1).integers(0, 256, (60, 12, 3), np.uint8)
    return [noise[i % 40 : i % 40 + 8].repeat(8, axis=0).repeat(8, axis=1) for i in range(count)]


def require_equal(
    path: Path, spans: Sequence[tuple[int, int]], *, num_frames: int = 5
) -> ClipReader:
    """Compare the clips of a film with the frames of a whole decoding pass."""
    film = open_video(path)
    frames = [frame.square(SIZE) for frame in film.frames()]
    times_s = [float(pts * film.file.time_base) for pts in film.pts]
    reader = ClipReader()
    for first, end in spans:
        clip = Clip(path, times_s[first], times_s[end])
        read = reader.read(clip, num_frames=num_frames, size_px=SIZE)
        whole = np.stack([frames[i] for i in clip_frames(first, end, num_frames)])
        np.testing.assert_array_equal(read, whole, err_msg=str(clip))
    return reader


# Frames out of order; picture groups that refer to the one before; slow refreshment without
# keyframes; frames at odd distances; a clock that starts late, or before 0.
VARIANTS = {
    "b frames": ("film.mp4", {"bf": "3", "g": "25"}, None),
    "matroska": ("film.mkv", {"bf": "3", "g": "25"}, None),
    "transport stream": ("film.ts", {"bf": "3", "g": "25"}, None),
    "flash": ("film.flv", {"bf": "3", "g": "25"}, None),
    "fragments": ("film.mp4", {"bf": "3", "g": "25", "movflags": "frag_keyframe"}, None),
    "open groups": ("film.mp4", {"bf": "3", "x264-params": "open-gop=1:keyint=25"}, None),
    "matroska, open": ("film.mkv", {"bf": "3", "x264-params": "open-gop=1:keyint=25"}, None),
    "one group": ("film.mp4", {"bf": "2", "g": "500"}, None),
    "variable rate": ("film.mp4", {"bf": "2", "g": "25"}, [i * i // 9 + i for i in range(120)]),
    "late start": ("film.mkv", {"bf": "2", "g": "25"}, [i + 977 for i in range(120)]),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_clips_are_the_frames_of_a_whole_pass(tmp_path: Path, name: str) -> None:
    file, options, pts = VARIANTS[name]
    path = encode_film(tmp_path / file, blocks(120), pts=pts, options=options)
    reader = require_equal(path, SPANS)
    assert reader.num_from_start <= 1, "only the last frame alone may be doubtful"


def test_films_without_keyframes_are_decoded_from_their_start(tmp_path: Path) -> None:
    options = {"x264-params": "intra-refresh=1:keyint=20"}
    path = encode_film(tmp_path / "film.mp4", blocks(120), options=options)
    assert require_equal(path, SPANS).num_from_start > 3


def zeroed(numbers: range) -> Callable[[int, bytes], bytes]:
    return lambda number, data: bytes(len(data)) if number in numbers else data


@pytest.mark.parametrize("numbers", [range(30, 31), range(10, 40), range(110, 120)])
def test_clips_of_damaged_films_are_those_of_a_whole_pass(tmp_path: Path, numbers: range) -> None:
    whole = encode_film(tmp_path / "whole.mkv", blocks(120), options={"bf": "2", "g": "25"})
    path = remux(whole, tmp_path / "film.mkv", zeroed(numbers))
    frames = sum(1 for _ in open_video(path).frames())
    spans = [(first, min(end, frames)) for first, end in SPANS if first < frames]
    reader = require_equal(path, spans)
    assert 0 < reader.num_from_start < len(spans)


# Of one damaged MPEG-2 program stream, decoding from the start does not always give one picture.
@pytest.mark.parametrize("name", [name for name in SOURCES if name != "mpeg2.vob"])
def test_clips_of_mutated_films_are_those_of_a_whole_pass(tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    write_source(source, *SOURCES[name])
    for mutation in mutations(source, count=12):
        path = tmp_path / mutation.name
        path.write_bytes(mutation.data)
        try:
            frames = sum(1 for _ in open_video(path, threads=1).frames())
        except MediaError:
            continue
        third = max(1, frames // 3)
        spans = [(first, min(end, frames)) for first, end in ((0, third), (third, third + 9))]
        require_equal(path, [(first, end) for first, end in spans if first < end])


def test_where_the_clock_restarts_the_times_are_those_of_the_pass(tmp_path: Path) -> None:
    whole = encode_film(tmp_path / "one.ts", blocks(60), options={"bf": "2", "g": "25"})
    path = tmp_path / "film.ts"
    path.write_bytes(whole.read_bytes() * 2)
    reader = require_equal(path, SPANS)
    assert reader.num_from_start == reader.num_clips


def test_a_short_clip_repeats_frames_and_a_file_is_a_clip(tmp_path: Path) -> None:
    path = encode_film(tmp_path / "film.mp4", blocks(3))
    frames = [frame.square(SIZE) for frame in open_video(path).frames()]
    read = ClipReader().read(Clip(path), num_frames=6, size_px=SIZE)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, np.stack([frames[i] for i in (0, 0, 1, 1, 2, 2)]))


def test_times_rounded_to_milliseconds_mean_the_same_frames(tmp_path: Path) -> None:
    path = encode_film(tmp_path / "film.mp4", blocks(48), time_base=Fraction(1001, 30000))
    reader = ClipReader()
    for first, end in ((1, 2), (7, 20), (19, 47)):
        exact = [float(i * Fraction(1001, 30000)) for i in (first, end)]
        rounded = [round(time, 3) for time in exact]
        one, other = (reader.read(Clip(path, *times), num_frames=4, size_px=SIZE)
                      for times in (exact, rounded))  # fmt: skip
        np.testing.assert_array_equal(one, other)


def test_the_latest_films_stay_open_and_a_reader_goes_to_a_worker(tmp_path: Path) -> None:
    paths = [encode_film(tmp_path / f"{i}.mp4", blocks(8)) for i in range(4)]
    reader = pickle.loads(pickle.dumps(ClipReader(max_open=2)))
    for path in [*paths, *paths]:
        reader.read(Clip(path), num_frames=2, size_px=SIZE)
        assert len(reader._films) <= 2
    reader.close()
    assert not reader._films


def test_a_span_beyond_the_end_is_refused(tmp_path: Path) -> None:
    path = encode_film(tmp_path / "film.mp4", blocks(48))
    for start_s, end_s in ((1.0, 9.0), (5.0, 6.0)):
        with pytest.raises(MediaError, match=r"is no span of the film, whose frames are shown"):
            ClipReader().read(Clip(path, start_s, end_s), num_frames=2, size_px=SIZE)


def test_a_film_that_vanishes_changes_or_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = encode_film(tmp_path / "film.mp4", blocks(48))
    reader = ClipReader()
    reader.read(Clip(path), num_frames=2, size_px=SIZE)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError, match="changed while it was read"):
        reader.read(Clip(path), num_frames=2, size_px=SIZE)
    with pytest.raises(MediaError, match="truncated"):
        ClipReader().read(Clip(path), num_frames=2, size_px=SIZE)
    path.unlink()
    with pytest.raises(MediaError, match="does not exist"):
        ClipReader().read(Clip(path), num_frames=2, size_px=SIZE)


@pytest.mark.parametrize("folder", ["odd", "damaged", "sintel"])
def test_clips_of_real_films_are_the_frames_of_a_whole_pass(real_data: Path, folder: str) -> None:
    paths = [path for path in sorted((real_data / "films" / folder).iterdir())
             if path.stat().st_size < 600_000]  # fmt: skip
    assert paths
    for path in paths:
        num_frames = sum(1 for _ in open_video(path).frames())
        third = max(1, num_frames // 3)
        spans = [(0, third), (third, min(num_frames, 2 * third)), (2 * third, num_frames)]
        require_equal(path, [span for span in spans if span[0] < span[1]])
