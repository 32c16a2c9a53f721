"""A boundary between two shots, and a list of those of one film."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeAlias

from mastershot.core.errors import ShotListError

BoundaryKind: TypeAlias = Literal["cut", "gradual", "fade", "dissolve", "wipe"]


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where one shot becomes the next.

    Attributes:
        kind: A cut, or what kind of gradual transition; ``gradual`` where the list does not say.
        start: First frame in which the picture changes; for a cut, the new shot's first frame.
        end: First frame that is the new shot alone; equal to ``start`` for a cut, and where a list
            does not say how long a gradual transition is.
    """

    kind: BoundaryKind
    start: int
    end: int

    @property
    def is_gradual(self) -> bool:
        """Whether it is of any kind but a cut."""
        return self.kind != "cut"


@dataclass(frozen=True)
class BoundaryList:
    """The boundaries of one film, in order; the film's own start and end are none.

    Attributes:
        name: Where they are from, for messages.
        boundaries: The boundaries.
        end_frame: One past the last frame that the list names; None where it names no end.
        rate: Frames a second in which the list counts; None where it counts the film's own frames.
        notes: Sentences that a reader of figures should know.
    """

    name: str
    boundaries: tuple[Boundary, ...]
    end_frame: int | None = None
    rate: Fraction | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for before, after in pairwise(self.boundaries):
            if after.start <= before.start:
                raise ShotListError(
                    f"{self.name} is out of order: the boundary at frame {after.start} follows "
                    f"that at {before.start}"
                )
        for one in self.boundaries:
            if one.start < 0 or one.end < one.start or (one.kind == "cut" and one.end > one.start):
                raise ShotListError(
                    f"{self.name}: {one.kind} from frame {one.start} to {one.end} should start at "
                    "0 or later and end no sooner; a cut has no length"
                )

    def shifted(self, num_frames: int) -> "BoundaryList":
        """Return the list with every frame that many later, for lists that count from elsewhere."""
        moved = (
            Boundary(one.kind, one.start + num_frames, one.end + num_frames)
            for one in self.boundaries
        )
        end = None if self.end_frame is None else self.end_frame + num_frames
        return replace(self, boundaries=tuple(moved), end_frame=end)

    def piece(self, first_frame: int, num_frames: int) -> "BoundaryList":
        """Return what lies in a piece of the film, counted from the piece's first frame.

        A gradual transition that the piece's ends cut belongs to it if its middle does.
        """
        end_frame = first_frame + num_frames
        kept = (
            Boundary(
                one.kind,
                max(one.start, first_frame) - first_frame,
                min(one.end, end_frame) - first_frame,
            )
            for one in self.boundaries
            if 2 * first_frame < one.start + one.end < 2 * end_frame
        )
        end = None if self.end_frame is None else min(self.end_frame, end_frame) - first_frame
        return replace(self, boundaries=tuple(kept), end_frame=end)


def boundaries_between(
    shots: Sequence[tuple[int, int]], where: Iterable[str], *, name: str
) -> tuple[Boundary, ...]:
    """Return the boundaries between shots that are given by first and last frame, both inclusive.

    Shots that follow each other are parted by a cut. Frames between two shots are those of a
    gradual transition, of which a list of shots does not say the kind. Where two shots share their
    one frame, as three in BBC Planet Earth do, the cut is there.

    Args:
        shots: First and last frame of each shot.
        where: Where each of them stands, such as ``line 3``, for messages.
        name: What the list is called, for messages.

    Raises:
        ShotListError: There is no shot, one ends before it starts, or they are out of order.
    """
    if not shots:
        raise ShotListError(f"{name} names no shot; it should name one a line")
    places = list(where)
    for place, (first, last) in zip(places, shots, strict=True):
        if not 0 <= first <= last:
            raise ShotListError(
                f"{name}, {place}: a shot from frame {first} to {last} should start at 0 or later "
                "and end no sooner"
            )
    found = []
    for place, ((before, last), (first, _)) in zip(places[1:], pairwise(shots), strict=True):
        if first < last or first <= before:
            raise ShotListError(
                f"{name}, {place}: it is out of order: a shot from frame {first} follows one from "
                f"{before} to {last}"
            )
        is_cut = first <= last + 1
        found.append(Boundary("cut" if is_cut else "gradual", first if is_cut else last + 1, first))
    return tuple(found)
