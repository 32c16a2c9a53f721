"""The detectors by networks: transitions of a film of known joins, kinds, and bounded delay."""

import numpy as np
import pytest

from mastershot.core.movie import Transition
from mastershot.shots.scores import BLOCK
from mastershot.shots.temporal import FrameScorer, StreamingDetector
from mastershot.shots.transitions import film_transitions
from mastershot.synthetic.transitions import EditedFilm, Editing, edit, photograph_clip

SIZE = (72, 128)


def clip(num_frames: int, rng: np.random.Generator) -> np.ndarray:
    """Return a camera's move over coloured blocks."""
    blocks = rng.integers(20, 236, (9, 9, 3)).repeat(15, axis=0).repeat(15, axis=1)
    picture = np.clip(blocks + rng.normal(0, 12, blocks.shape), 0, 255)
    return photograph_clip(picture.astype(np.uint8), num_frames, SIZE, rng)


def film(seed: int, **editing: object) -> EditedFilm:
    return edit(clip, 8, np.random.default_rng(seed), Editing(shot=(30, 60), **editing))


def detect(edited: EditedFilm) -> tuple[StreamingDetector, list[int]]:
    detector, cuts = StreamingDetector(FrameScorer(), 0.5), []
    for frame, image in enumerate(edited.frames[..., ::-1]):
        found = detector.process(frame=frame, pts=frame, image=image)
        assert all(frame - cut <= detector.max_lag_frames for cut in found)
        cuts += found
    return detector, cuts + detector.finish()


@pytest.fixture(scope="module")
def edited() -> EditedFilm:
    return film(3)


def test_cuts_are_found_to_the_frame() -> None:
    cut_only = film(1, kinds=(1, 0, 0, 0), flash=0, disturbed=0)
    _, cuts = detect(cut_only)
    assert cuts == [one.start_frame for one in cut_only.transitions]


@pytest.mark.parametrize("place", [1, 2, 3])
def test_gradual_transitions_are_found_where_they_are(place: int) -> None:
    kinds = tuple(float(place == index) for index in range(4))
    gradual = film(5, kinds=kinds, dissolve=(16, 40), fade=(8, 20), wipe=(16, 30), flash=0)
    detector, _ = detect(gradual)
    found = detector.transitions()[1:]
    hits = 0
    for true in gradual.transitions:
        near = [one for one in found if one.kind == true.kind and _overlap(one, true) >= 0.5]
        hits += len(near) == 1
    assert hits >= 5, (found, gradual.transitions)


def _overlap(one: Transition, other: Transition) -> float:
    common = min(one.end_frame, other.end_frame) - max(one.start_frame, other.start_frame)
    whole = max(one.end_frame, other.end_frame) - min(one.start_frame, other.start_frame)
    return common / whole


def test_flashes_are_no_cuts() -> None:
    flashed = film(9, kinds=(1, 0, 0, 0), flash=1, disturbed=0)
    assert len(flashed.flashes) > 4
    _, cuts = detect(flashed)
    true = {one.start_frame for one in flashed.transitions}
    assert not [
        cut
        for cut in cuts
        if cut not in true and any(a - 2 <= cut <= b + 2 for a, b in flashed.flashes)
    ]


def test_streaming_finds_what_the_kept_scores_give(edited: EditedFilm) -> None:
    detector, cuts = detect(edited)
    scores = detector.scores()
    start, found = film_transitions(scores["transitions"], scores["light"], 0.5, 0)
    assert [one.boundary for one in found] == cuts
    assert detector.transitions() == [start, *(one.transition for one in found)]


def test_scores_of_a_frame_do_not_depend_on_when_the_film_ends(edited: EditedFilm) -> None:
    whole, part = FrameScorer(), FrameScorer()
    for image in edited.frames[: 4 * BLOCK]:
        whole.add(image)
    for image in edited.frames[: 3 * BLOCK]:
        part.add(image)
    settled = part.num_settled
    assert settled == 2 * BLOCK
    np.testing.assert_array_equal(part.probabilities(), whole.probabilities()[:settled])


@pytest.mark.parametrize("num_frames", [1, 2, 63, 64, 65])
def test_a_short_film_has_a_row_a_frame(edited: EditedFilm, num_frames: int) -> None:
    scorer = FrameScorer()
    for image in edited.frames[:num_frames]:
        scorer.add(image)
    scorer.finish()
    assert scorer.probabilities().shape == (num_frames, 5)
    assert scorer.light().shape == (num_frames,)


def test_pictures_of_nothing_but_black_have_no_transition() -> None:
    detector = StreamingDetector(FrameScorer(), 0.5)
    black = np.zeros((*SIZE, 3), np.uint8)
    cuts = [cut for at in range(200) for cut in detector.process(frame=at, pts=at, image=black)]
    assert cuts + detector.finish() == []


def spread(kind: str, start: int, end: int, num_frames: int = 100) -> np.ndarray:
    rows = np.zeros((num_frames, 5), np.float32)
    rows[start:end, {"dissolve": 1, "fade": 2}[kind]] = 0.9
    return rows


def test_a_fade_that_the_film_begins_with_is_how_it_starts() -> None:
    light = np.linspace(0, 1, 100, dtype=np.float32)
    start, found = film_transitions(spread("fade", 2, 20), light, 0.5, 1)
    assert start == Transition("start", 0, 20, "black")
    assert found == []
    start, found = film_transitions(spread("fade", 8, 20), light, 0.5, 1)
    assert start.end_frame == 0
    assert [one.transition.kind for one in found] == ["fade"]
    start, found = film_transitions(spread("dissolve", 2, 20), light, 0.5, 1)
    assert [one.transition.kind for one in found] == ["dissolve"]


def test_a_transition_that_the_film_ends_in_leads_to_no_shot() -> None:
    light = np.linspace(1, 0, 100, dtype=np.float32)
    for kind in ("dissolve", "fade"):
        assert film_transitions(spread(kind, 80, 99), light, 0.5, 1)[1] == []
        assert len(film_transitions(spread(kind, 80, 95), light, 0.5, 1)[1]) == 1


class ScriptedScorer:
    """Settles every 64th frame what was written beforehand."""

    max_delay_frames, changed, num_settled = 3 * BLOCK, False, 0

    def __init__(self, rows: np.ndarray, light: np.ndarray) -> None:
        self._rows, self._light, self._num_added = rows, light, 0

    def add(self, image: np.ndarray) -> bool:
        self._num_added += 1
        if self._num_added % BLOCK:
            return False
        self.num_settled = self._num_added
        return True

    def finish(self) -> None:
        self.num_settled = self._num_added

    def probabilities(self, first: int = 0) -> np.ndarray:
        return self._rows[first : self.num_settled]

    def light(self, first: int = 0) -> np.ndarray:
        return self._light[first : self.num_settled]

    def scores(self) -> dict[str, np.ndarray]:
        return {}


@pytest.mark.parametrize("kind", ["dissolve", "fade"])
@pytest.mark.parametrize(("start", "end"), [(2, 20), (8, 20), (60, 70), (180, 195), (180, 199)])
def test_frames_as_they_come_give_what_the_whole_film_gives(
    kind: str, start: int, end: int
) -> None:
    rows, light = spread(kind, start, end, 200), np.linspace(0, 1, 200, dtype=np.float32)
    detector = StreamingDetector(ScriptedScorer(rows, light), 0.5)
    cuts: list[int] = []
    for frame in range(200):
        cuts += detector.process(frame=frame, pts=frame, image=np.zeros((1, 1, 3), np.uint8))
    cuts += detector.finish()
    begins, found = film_transitions(rows, light, 0.5, 1)
    assert cuts == [one.boundary for one in found]
    assert detector.transitions() == [begins, *(one.transition for one in found)]
