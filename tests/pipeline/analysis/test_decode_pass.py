"""One pass over the frames: each shot gets its picture and its samples, each sample one vector."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import accumulate, chain
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.films import encode_film, flat_images
from tests.factories.timelines import make_embeddings, make_space

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import EncoderError
from mastershot.media.sampling import parse_sampling, uniform_frames
from mastershot.media.video import open_video
from mastershot.pipeline.analysis.decode_pass import ShotSampler, decode_film
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan
from mastershot.pipeline.experts.vectors import FrameVectors
from mastershot.scenes.grouping import COLOR_SPACE, color_histogram
from mastershot.shots.settings import ShotSettings
from mastershot.store.features import FolderFeatures

CONTENT = ShotSettings("content")
SPACE = make_space(2)
FILM: Any = SimpleNamespace(file=SimpleNamespace(time_base=Fraction(1, 24)))


class CountingEncoder:
    """Gives a frame its number as its vector, and remembers the frames of each batch."""

    space = SPACE

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def encode_images(self, images: ImageArray | Sequence[ImageArray]) -> FloatArray:
        numbers = [int(image.flat[0]) for image in images]
        self.batches.append(numbers)
        return np.stack([np.array([number, 1], np.float32) for number in numbers])


class Taken:
    """Stands for the vectors of a space: remembers which frames it was given."""

    def __init__(self) -> None:
        self.frames: list[int] = []

    def take(self, frame: Any, made: object = None) -> None:
        self.frames.append(frame.index)


def frame_of(index: int, *, size_px: tuple[int, int] = (1, 1)) -> Any:
    """Return a frame whose pixels are its number, and whose memory is not really taken."""
    image = np.broadcast_to(np.int32(index), (*size_px, 3))
    return SimpleNamespace(
        index=index, pts=index, size_bytes=1000, rgb=lambda *, longest_side_px: image
    )


def test_each_frame_is_encoded_once_and_kept_before_the_film_ends(tmp_path: Path) -> None:
    encoder, store = CountingEncoder(), FolderFeatures(tmp_path)
    vectors = FrameVectors(SPACE, encoder, store)
    for index in range(300):
        vectors.take(frame_of(index))
        vectors.take(frame_of(index))
    assert len(store.missing(SPACE, np.arange(256))) == 0  # what a kill would leave
    vectors.finish()
    vectors.finish()
    assert list(chain.from_iterable(encoder.batches)) == list(range(300))
    assert max(map(len, encoder.batches)) == 8
    kept = store.get(SPACE)
    assert kept.frames.tolist() == kept.vectors[:, 0].tolist() == list(range(300))


def test_a_frame_that_comes_late_is_kept_in_its_place(tmp_path: Path) -> None:
    store = FolderFeatures(tmp_path)
    vectors = FrameVectors(SPACE, CountingEncoder(), store)
    for index in (5, 9, 7, 2):  # Of a shot whose cut is reported late, frames come afterwards.
        vectors.take(frame_of(index))
    vectors.finish()
    kept = store.get(SPACE)
    assert kept.frames.tolist() == kept.vectors[:, 0].tolist() == [2, 5, 7, 9]


def test_a_frame_with_a_stored_vector_is_not_encoded_however_late_it_is(tmp_path: Path) -> None:
    encoder, store = CountingEncoder(), FolderFeatures(tmp_path)
    store.put(make_embeddings(SPACE, [0, 8191, 8192, 30_000]))
    vectors = FrameVectors(SPACE, encoder, store)
    for index in (0, 1, 8191, 8192, 8193, 30_000, 30_001):
        vectors.take(frame_of(index))
    vectors.finish()
    assert encoder.batches == [[1, 8193, 30_001]]


def test_large_frames_are_encoded_before_they_fill_the_memory(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    vectors = FrameVectors(SPACE, encoder, FolderFeatures(tmp_path))
    for index in range(5):  # 24 MiB each, of which 64 MiB may be held
        vectors.take(frame_of(index, size_px=(1024, 2048)))
    assert encoder.batches == [[0, 1, 2]]


def test_of_large_frames_a_batch_is_as_many_as_an_encoder_computes_at_once(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    vectors = FrameVectors(SPACE, encoder, FolderFeatures(tmp_path))
    for index in range(20):  # 5 MiB each: 13 would fit
        vectors.take(frame_of(index, size_px=(512, 853)))
    vectors.finish()
    assert list(map(len, encoder.batches)) == [8, 8, 4]


def test_a_batch_is_encoded_beside_while_the_next_one_is_taken(tmp_path: Path) -> None:
    begun, may_end, threads = threading.Event(), threading.Event(), set[int]()

    class SlowEncoder(CountingEncoder):
        def encode_images(self, images: ImageArray | Sequence[ImageArray]) -> FloatArray:
            threads.add(threading.get_ident())
            begun.set()
            assert may_end.wait(30)
            return super().encode_images(images)

    encoder, store = SlowEncoder(), FolderFeatures(tmp_path)
    with ThreadPoolExecutor(1) as worker:
        vectors = FrameVectors(SPACE, encoder, store, worker)
        for index in range(8):
            vectors.take(frame_of(index))
        assert begun.wait(30)
        for index in range(20):  # those at work are not taken again
            vectors.take(frame_of(index))
        assert encoder.batches == []
        may_end.set()
        vectors.finish()
    assert encoder.batches == [list(range(8)), list(range(8, 16)), list(range(16, 20))]
    assert threads.isdisjoint({threading.get_ident()})
    kept = store.get(SPACE)
    assert kept.frames.tolist() == kept.vectors[:, 0].tolist() == list(range(20))


def test_what_goes_wrong_beside_is_raised_here(tmp_path: Path) -> None:
    class FailingEncoder(CountingEncoder):
        def encode_images(self, images: ImageArray | Sequence[ImageArray]) -> FloatArray:
            raise EncoderError("out of memory")

    with ThreadPoolExecutor(1) as worker:
        vectors = FrameVectors(SPACE, FailingEncoder(), FolderFeatures(tmp_path), worker)
        vectors.take(frame_of(0))
        with pytest.raises(EncoderError, match="out of memory"):
            vectors.finish()


@settings(max_examples=60)
@given(
    lengths=st.lists(st.integers(1, 70), min_size=1, max_size=8),
    text=st.sampled_from(["uniform:1", "uniform:3", "uniform:40", "rate:2", "rate:0.3", "every"]),
    lag=st.integers(0, 3),
)
def test_each_shot_is_sampled_within_itself_whenever_its_cut_is_known(
    lengths: list[int], text: str, lag: int
) -> None:
    sampling, taken = parse_sampling(text), Taken()
    sampler = ShotSampler(FILM, sampling, lag, (taken,), None)  # type: ignore[arg-type]
    ends = list(accumulate(lengths))
    for index in range(ends[-1]):
        sampler.add(frame_of(index), changed=False)
        sampler.end_shots([end for end in ends[:-1] if end + lag == index])
    sampler.end_shots([end for end in ends[:-1] if end + lag >= ends[-1]])
    sampler.end_shots(ends[-1:])
    assert sampler.ends == ends
    assert sampler.thumbs == [None] * len(ends)
    starts = [0, *ends[:-1]]
    if sampling.kind == "every":
        assert taken.frames == list(range(ends[-1]))
        assert sampler.sampled == [()] * len(ends)
        return
    assert sorted(taken.frames) == [frame for shot in sampler.sampled for frame in shot]
    for first, end, sampled in zip(starts, ends, sampler.sampled, strict=True):
        assert sampled
        assert list(sampled) == sorted(set(sampled))
        assert first <= sampled[0]
        assert sampled[-1] < end
        wanted = int(sampling.amount) if sampling.kind == "uniform" else 1
        if sampling.kind == "uniform" and end - first <= 28:  # Such a shot is held whole.
            assert list(sampled) == uniform_frames(first, end, wanted)
    if sampling.kind == "rate":
        period = Fraction(24) / Fraction(str(sampling.amount))
        ticks = {-(-number * period // 1) for number in range(int(ends[-1] / period) + 1)}
        assert {tick for tick in ticks if tick < ends[-1]} <= set(taken.frames)


def test_without_vectors_no_frame_is_sampled() -> None:
    for text in ("uniform:3", "rate:4", "every"):
        sampler = ShotSampler(FILM, parse_sampling(text), 0, (), None)
        for index in range(9):
            sampler.add(frame_of(index), changed=False)
        sampler.end_shots([4, 9])
        assert (sampler.ends, sampler.sampled) == ([4, 9], [(), ()])


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty frames of red and twenty of blue, ever brighter, larger than a thumbnail."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    reds, blues = ([(100 + 5 * i, 20, 20)[::way] for i in range(20)] for way in (1, -1))
    return encode_film(path, flat_images([*reds, *blues], each=1, width_px=640, height_px=360))


def test_colours_are_those_of_small_pictures_of_the_sampled_frames(
    film: Path, tmp_path: Path
) -> None:
    store = FolderFeatures(tmp_path)
    loaded = LoadedPlan(Plan(steps=("shots", "scenes"), shots=CONTENT))
    decoded = decode_film(open_video(film), loaded, store=store)
    assert [shot.sampled_frames for shot in decoded.shots] == [(3, 10, 16), (23, 30, 36)]
    kept = store.get(COLOR_SPACE)
    assert kept.frames.tolist() == [3, 10, 16, 23, 30, 36]
    images = {frame.index: frame.rgb(longest_side_px=160) for frame in open_video(film).frames()}
    for frame, vector in zip(kept.frames.tolist(), kept.vectors, strict=True):
        assert vector == pytest.approx(color_histogram(images[frame]))


def test_each_shot_gets_a_small_picture_of_its_middle(film: Path) -> None:
    import cv2

    steps: list[tuple[str, int, int | None]] = []
    with TemporaryDirectory() as folder:
        decoded = decode_film(
            open_video(film), LoadedPlan(Plan(steps=("shots",), shots=CONTENT)),
            thumbs=Path(folder),
            progress=lambda *step: steps.append(step),
        )  # fmt: skip
        assert [shot.thumb for shot in decoded.shots] == ["thumbs/00000.jpg", "thumbs/00001.jpg"]
        pictures = [cv2.imread(f"{folder}/0000{index}.jpg") for index in range(2)]
    assert [picture.shape for picture in pictures if picture is not None] == [(180, 320, 3)] * 2
    for picture, colour in zip(pictures, [(150, 20, 20), (20, 20, 150)], strict=True):
        assert picture is not None
        assert picture[90, 160, ::-1] == pytest.approx(colour, abs=12)
    assert steps == [("shots", done, 40) for done in range(1, 41)]


def test_without_a_store_or_a_folder_only_shots_are_found(film: Path) -> None:
    decoded = decode_film(
        open_video(film), LoadedPlan(Plan(steps=("shots", "scenes"), shots=CONTENT))
    )
    assert [shot.span.first_frame for shot in decoded.shots] == [0, 20]
    assert all(shot.thumb is None and not shot.sampled_frames for shot in decoded.shots)
