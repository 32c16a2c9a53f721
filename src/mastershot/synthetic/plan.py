"""Plans of drawn films: all shots, cuts and places are decided before a frame is drawn."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Literal, TypeAlias, cast

import numpy as np

from mastershot.core.movie import Transition, TransitionKind
from mastershot.synthetic.places import PLACES, Place, draw_place

Framing: TypeAlias = Literal["wide", "medium", "close"]
Move: TypeAlias = Literal["still", "pan", "zoom_in", "zoom_out", "shake"]
Action: TypeAlias = Literal["talk", "walk", "run", "dance"]


@dataclass(frozen=True)
class Setup:
    """Where the camera stands and what it sees; shots that return to it are alike.

    Attributes:
        place: The place.
        framing: How much of it is in view.
        look_at: Which part is in view, from 0 (left end) to 1 (right end).
        tilt: How far the camera looks down, in heights of the place; below 0, up.
        light: Exposure; 1 leaves the palette as it is.
        warmth: Tint, from -1 (blue) to 1 (orange).
        actors: A seed for each figure in view, at most two; the same seed is the same person.
        action: What the figures do.
    """

    place: Place
    framing: Framing
    look_at: float
    tilt: float = 0.0
    light: float = 1.0
    warmth: float = 0.0
    actors: tuple[int, ...] = ()
    action: Action = "talk"


@dataclass(frozen=True)
class ShotPlan:
    """One shot.

    Attributes:
        setup: What the camera sees.
        scene: Index of the scene it belongs to.
        num_frames: Its length; a transition's first half belongs to the shot before.
        move: What the camera does.
        take: Varies the camera's path and the figures' steps between shots of one set-up.
        transition_in: How it begins.
        transition_frames: Length of that transition; 0 for a cut and for the start.
        flashes: Frames, counted from the shot's first, on which a light flashes.
    """

    setup: Setup
    scene: int
    num_frames: int
    move: Move = "still"
    take: int = 0
    transition_in: TransitionKind = "cut"
    transition_frames: int = 0
    flashes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Picture:
    """The size of a film's frames and their exact rate."""

    width_px: int = 160
    height_px: int = 90
    frame_rate: Fraction = Fraction(24)


@dataclass(frozen=True)
class Editing:
    """How a film is cut.

    Attributes:
        shot_s: Shortest and longest shot, in seconds.
        fades: Share of scene changes that go through black.
        dissolves: Share of scene changes that dissolve.
        transition_s: Length of fades and dissolves, in seconds; at most the shortest shot.
        flashes: Share of shots in which a light flashes on one frame.
    """

    shot_s: tuple[float, float] = (1.0, 2.0)
    fades: float = 0.0
    dissolves: float = 0.0
    transition_s: float = 0.8
    flashes: float = 0.0


@dataclass(frozen=True)
class FilmPlan:
    """A whole film, and with it the truth that a reader of the film should find.

    Attributes:
        shots: The shots in order; the first has ``transition_in="start"``.
        picture: Size and rate of the frames.
        seed: Fixes the grain and the noise in the sound.
    """

    shots: tuple[ShotPlan, ...]
    picture: Picture = field(default_factory=Picture)
    seed: int = 0

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The first frame of each shot, then the number of frames of the film."""
        return tuple(accumulate((shot.num_frames for shot in self.shots), initial=0))

    @property
    def num_frames(self) -> int:
        """Length of the film in frames."""
        return self.starts[-1]

    @cached_property
    def transitions(self) -> tuple[Transition, ...]:
        """How each shot begins; a fade or dissolve lies around the shot's first frame."""
        spans = []
        for shot, start in zip(self.shots, self.starts, strict=False):
            first = start - shot.transition_frames // 2
            spans.append(Transition(shot.transition_in, first, first + shot.transition_frames))
        return tuple(spans)

    @property
    def cuts(self) -> tuple[int, ...]:
        """The first frame of each shot that begins with a hard cut."""
        return tuple(t.start_frame for t in self.transitions if t.kind == "cut")

    @property
    def scene_starts(self) -> tuple[int, ...]:
        """The index of the first shot of each scene."""
        changes = (i + 1 for i, (a, b) in enumerate(pairwise(self.shots)) if a.scene != b.scene)
        return (0, *changes)


def plan_film(
    num_scenes: int,
    shots_per_scene: int,
    *,
    picture: Picture | None = None,
    editing: Editing | None = None,
    seed: int = 0,
) -> FilmPlan:
    """Return a film of that many scenes, each in a place of its own, the same for the same seed.

    A scene opens on a wide shot and then cuts back and forth between two closer set-ups.
    """
    assert num_scenes > 0, num_scenes
    assert shots_per_scene > 0, shots_per_scene
    rng = np.random.default_rng(seed)
    picture, editing = picture or Picture(), editing or Editing()
    kinds = rng.permutation(sorted(PLACES)).tolist()
    shots: list[ShotPlan] = []
    for scene in range(num_scenes):
        place = draw_place(kinds[scene % len(kinds)], rng)
        setups = scene_setups(place, rng.integers(2**31, size=2).tolist(), rng)
        shots += edit_scene(setups, shots_per_scene, scene=scene, rng=rng)
    return FilmPlan(set_lengths(shots, picture, editing, rng), picture, seed)


def scene_setups(
    place: Place, actors: list[int], rng: np.random.Generator, action: Action = "talk"
) -> tuple[Setup, Setup, Setup]:
    """Return a wide view of a place and two closer ones, lit from opposite sides."""
    one, other = actors[0], actors[-1]
    side = float(rng.uniform(0.0, 0.25))
    wide = Setup(place, "wide", float(rng.uniform(0.5, 0.8)), actors=(one, other), action=action)
    closer: Framing = "medium" if action != "talk" or rng.uniform() < 0.3 else "close"
    left = Setup(place, closer, side, -0.15, 1.03, 0.08, (one,), action)
    right = Setup(place, "close", 1 - side, 0.22, 0.94, -0.1, (other,), action)
    return wide, left, right


def edit_scene(
    setups: tuple[Setup, Setup, Setup], num_shots: int, *, scene: int, rng: np.random.Generator
) -> list[ShotPlan]:
    """Return a scene's shots, their lengths not yet set: wide, then left and right in turn."""
    shots = []
    for index in range(num_shots):
        setup = setups[0] if index % 7 == 0 else setups[1 + (index + 1) % 2]
        moves: tuple[Move, ...] = ("still", "still", "shake")
        if setup.framing == "wide":
            moves = ("pan", "zoom_in", "zoom_out", "still")
        move = moves[int(rng.integers(len(moves)))]
        shots.append(ShotPlan(setup, scene, 0, move, take=int(rng.integers(2**31))))
    return shots


def set_lengths(
    shots: list[ShotPlan], picture: Picture, editing: Editing, rng: np.random.Generator
) -> tuple[ShotPlan, ...]:
    """Return the shots with their lengths, transitions and flashes."""
    low, high = editing.shot_s
    gradual = editing.fades + editing.dissolves
    assert not gradual or editing.transition_s <= low, (editing.transition_s, low)
    timed: list[ShotPlan] = []
    for before, shot in zip([None, *shots], shots, strict=False):
        length, chance, flash = rng.uniform(size=3)
        num_frames = _frames(low + (high - low) * length, picture)
        kind: TransitionKind = "cut" if before else "start"
        if before and before.scene != shot.scene and chance < gradual:
            kind = "fade" if chance < editing.fades else "dissolve"
        shot = _begin(replace(shot, num_frames=num_frames), kind, picture, editing.transition_s)
        if flash < editing.flashes:
            shot = replace(shot, flashes=(num_frames // 2,))
        timed.append(shot)
    return tuple(timed)


def _frames(seconds: float, picture: Picture) -> int:
    return max(1, round(seconds * picture.frame_rate))


DEMO_SCENES = (
    "mountain start walk; wide zoom_out 3; left still 1.5; right still 1.5",
    "church cut talk; wide zoom_in 2.5; left still 1.5; right still 1.5",
    "street fade run; wide pan 3; right shake 1.5; left shake 1.5",
    "beach dissolve dance; wide pan 2.5; left still 1.5; right still 1.5; left still 1.5",
    "kitchen cut talk; wide still 2; left still 2; right still 2; left shake 1; right still 2",
    "sea fade talk; wide zoom_out 3; left still 1.75; right shake 1.75",
)
"""Kind of place, how the scene begins, what people do; then of each shot set-up, move, seconds."""


def plan_demo_film(seed: int = 0) -> FilmPlan:
    """Return the film of ``mastershot analyze --demo``: 40 s, six scenes, 640×360 at 24 fps."""
    rng = np.random.default_rng(seed)
    picture = Picture(640, 360)
    shots: list[ShotPlan] = []
    for scene, script in enumerate(DEMO_SCENES):
        head, *takes = script.split("; ")
        kind, begins, action = head.split()
        place = draw_place(kind, rng)
        actors = rng.integers(2**31, size=2).tolist()
        setups = scene_setups(place, actors, rng, cast(Action, action))
        first = len(shots)
        for words in takes:
            name, move, seconds = words.split()
            setup = setups[("wide", "left", "right").index(name)]
            length, take = _frames(float(seconds), picture), int(rng.integers(2**31))
            shots.append(ShotPlan(setup, scene, length, cast(Move, move), take))
        shots[first] = _begin(shots[first], cast(TransitionKind, begins), picture)
    return FilmPlan(tuple(shots), picture, seed)


def _begin(
    shot: ShotPlan, kind: TransitionKind, picture: Picture, seconds: float = 0.8
) -> ShotPlan:
    gradual = kind in ("fade", "dissolve")
    length = _frames(seconds, picture) if gradual else 0
    return replace(shot, transition_in=kind, transition_frames=length)
