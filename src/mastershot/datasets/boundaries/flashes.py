"""A list of the frames of flashes: one frame a line, counted from 0."""

from pathlib import Path

from mastershot.core.errors import DatasetError, ShotListError
from mastershot.datasets.boundaries.read import list_of_film
from mastershot.datasets.files import read_text


def read_flashes(path: str | Path, film: str) -> tuple[int, ...]:
    """Return the frames in such a file, or in the film's in a folder of them, ascending.

    Raises:
        ShotListError: The file is unreadable, or a line is no frame.
    """
    path = Path(path)
    if path.is_dir():
        path = list_of_film(path, film)
    try:
        text = read_text(path, what="list of flashes")
    except DatasetError as error:
        raise ShotListError(str(error)) from error
    frames = []
    for number, line in enumerate(text.splitlines(), start=1):
        if word := line.strip():
            if not word.isdecimal():
                raise ShotListError(
                    f"list of flashes {path}, line {number}: {word[:60]!r} should be a frame"
                )
            frames.append(int(word))
    return tuple(sorted(frames))
