"""From cuts to shots that tile the film."""

from collections.abc import Sequence

from mastershot.core.embeddings import IntArray
from mastershot.core.movie import Movie, Shot, Transition, shot_id
from mastershot.core.time import Span


def cut_into_shots(movie: Movie, pts: IntArray, cuts: Sequence[int]) -> tuple[Shot, ...]:
    """Return the shots between the cuts; together they are the film, frame by frame.

    Args:
        movie: The film.
        pts: Timestamp of every frame and of the film's end, shape (T + 1,).
        cuts: Ordinal of the first frame of each shot but the first, ascending.
    """
    starts = [0, *cuts]
    ends = [*cuts, movie.num_frames]
    return tuple(
        Shot(
            id=shot_id(movie.id, index),
            span=Span(first, end, int(pts[first]), int(pts[end]), movie.time_base),
            transition_in=Transition("cut" if index else "start", first, first),
        )
        for index, (first, end) in enumerate(zip(starts, ends, strict=True))
    )
