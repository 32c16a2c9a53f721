"""Clips of shots: evenly spaced squares in bounded memory, each made into features once."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.timelines import make_space

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.media.sampling import clip_frames
from mastershot.pipeline.experts.vectors import ClipVectors
from mastershot.store.features import FolderFeatures

SPACE = make_space(2)


class Recogniser:
    """Gives a clip the number of its first frame and its length; remembers its clips."""

    def __init__(self, frames: int) -> None:
        self.card = SimpleNamespace(frames=frames, size_px=2)
        self.clips: list[list[int]] = []

    def features(self, clips: list[ImageArray]) -> FloatArray:
        assert all(clip.shape == (self.card.frames, 2, 2, 3) for clip in clips)
        numbers = [clip[:, 0, 0, :].astype(int) @ (1, 256, 65536) for clip in clips]
        self.clips += [row.tolist() for row in numbers]
        return np.array([(row[0], len(row)) for row in numbers], np.float32)


class SomeFrame:
    """A frame whose square holds its number; counts how many squares are made."""

    squares = 0
    size_bytes = 12

    def __init__(self, index: int) -> None:
        self.index = index

    def square(self, size_px: int) -> ImageArray:
        SomeFrame.squares += 1
        pixel = np.array([self.index % 256, self.index // 256, 0], np.uint8)
        return np.broadcast_to(pixel, (size_px, size_px, 3))


def follow(vectors: Any, ends: list[int], *, lag: int = 0) -> int:
    """Show a film whose shots end there to the vectors; return most squares held at a time."""
    most, starts = 0, [0, *ends[:-1]]
    due = list(zip(starts, ends, strict=True))
    for index in range(ends[-1]):
        vectors.add(SomeFrame(index))
        while due and due[0][1] + lag == index:
            vectors.end_shot(*due.pop(0))
        most = max(most, len(vectors._held._held))
    for shot in due:
        vectors.end_shot(*shot)
    return most


def follow_known_cuts(vectors: Any, ends: list[int]) -> None:
    """Close each shot at its last frame, as the export does, and finish."""
    starts = dict(zip(ends, [0, *ends[:-1]], strict=True))
    for index in range(ends[-1]):
        vectors.add(SomeFrame(index))
        if index + 1 in starts:
            vectors.end_shot(starts[index + 1], index + 1)
    vectors.finish()


@settings(max_examples=40)
@given(
    lengths=st.lists(st.integers(1, 300), min_size=1, max_size=6),
    count=st.sampled_from([1, 4, 32, 40]),
    lag=st.integers(0, 20),
)
def test_a_clip_is_evenly_spaced_within_its_shot(
    lengths: list[int], count: int, lag: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    recogniser: Any = Recogniser(count)
    vectors = ClipVectors(SPACE, recogniser, FolderFeatures(tmp_path_factory.mktemp("store")), lag)
    ends = np.cumsum(lengths).tolist()
    follow(vectors, ends, lag=lag)
    vectors.finish()
    at_once: Any = Recogniser(count)
    known = ClipVectors(SPACE, at_once, FolderFeatures(tmp_path_factory.mktemp("store")))
    follow_known_cuts(known, ends)
    assert recogniser.clips == at_once.clips
    capacity = max(32, 2 * count)
    for first, end, clip in zip([0, *ends[:-1]], ends, recogniser.clips, strict=True):
        wanted = clip_frames(first, end, count)
        assert clip == sorted(clip)
        assert first <= clip[0] <= clip[-1] < end
        length = end - first
        if length <= capacity:
            assert clip == wanted
        near = length / capacity
        assert all(abs(one - other) <= near for one, other in zip(clip, wanted, strict=True))


def test_memory_does_not_grow_with_the_shot(tmp_path: Path) -> None:
    recogniser: Any = Recogniser(4)
    SomeFrame.squares = 0
    assert follow(ClipVectors(SPACE, recogniser, FolderFeatures(tmp_path)), [50_000]) <= 34
    assert SomeFrame.squares < 300  # others are dropped unmade


@pytest.mark.parametrize(("size_bytes", "waiting"), [(9 << 20, 0), (12, 9)])
def test_large_frames_that_wait_for_a_late_cut_are_squared_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size_bytes: int, waiting: int
) -> None:
    monkeypatch.setattr(SomeFrame, "size_bytes", size_bytes)
    vectors: Any = ClipVectors(SPACE, Recogniser(4), FolderFeatures(tmp_path), 10)  # type: ignore[arg-type]
    for index in range(498):
        vectors.add(SomeFrame(index))
    latest = vectors._held._latest
    assert len(latest) == 11
    assert sum(square._frame is not None for square in latest) >= waiting
    assert (waiting > 0) or all(square._frame is None for square in latest)


def test_a_killed_run_makes_no_clip_twice(tmp_path: Path) -> None:
    ends = list(range(5, 405, 5))
    first: Any = Recogniser(4)
    follow(ClipVectors(SPACE, first, FolderFeatures(tmp_path)), ends[:50])  # and then killed
    kept = len(FolderFeatures(tmp_path).get(SPACE))
    assert kept == 32
    second: Any = Recogniser(4)
    vectors = ClipVectors(SPACE, second, FolderFeatures(tmp_path))
    follow(vectors, ends)
    vectors.finish()
    assert len(second.clips) == len(ends) - kept
    found = FolderFeatures(tmp_path).get(SPACE)
    assert found.frames.tolist() == [end - 3 for end in ends]
    assert found.vectors.tolist() == [[end - 5, 4] for end in ends]


LOADING = """
import importlib.util, sys, threading
from threadpoolctl import ThreadpoolController
done = threading.Event()
def work():
    while not done.is_set():
        ThreadpoolController()
threading.Thread(target=work, daemon=True).start()
for path in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("_opcode", path)
    importlib.util.module_from_spec(spec)
done.set()
"""


def test_libraries_may_be_loaded_while_another_thread_is_kept_on_one(tmp_path: Path) -> None:
    spec = find_spec("_opcode")
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        pytest.skip("this Python has no small extension module in a file of its own")
    paths = [tmp_path / f"{number}.so" for number in range(1000)]
    for path in paths:
        shutil.copyfile(spec.origin, path)
    # As `_on_one_thread` does; in a process of its own, since versions that deadlock never end.
    subprocess.run([sys.executable, "-c", LOADING, *map(str, paths)], check=True, timeout=60)
