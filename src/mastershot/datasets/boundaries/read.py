"""Which of the formats a list of boundaries is in, and which list is a film's."""

import csv
from pathlib import Path

from mastershot.core.errors import DatasetError, ShotListError
from mastershot.core.timeline import Timeline
from mastershot.datasets.boundaries.boundary import BoundaryList
from mastershot.datasets.boundaries.clipshots import read_clipshots
from mastershot.datasets.boundaries.shot_lines import read_shot_lines
from mastershot.datasets.boundaries.shots_csv import read_shots_csv
from mastershot.datasets.boundaries.timelines import boundaries_of
from mastershot.datasets.files import read_text


def read_boundaries(path: str | Path, film: str) -> BoundaryList:
    """Return a film's boundaries from a list, or from a folder of lists.

    Args:
        path: A file of shots a line (see `shot_lines`), ClipShots' JSON, our ``shots.csv`` or
            ``timeline.json``; or a folder that holds one for each film, named as the film
            (``<film>.txt``, ``<film>_gt.txt``, ``<film>.scenes.txt``, ``<film>.shots.txt``,
            ``<film>.csv``, ``<film>.json``) or lying in a folder of its name
            (``<film>/timeline.json``).
        film: The film's file name.

    Raises:
        ShotListError: There is no list of the film, or it is in none of the formats or damaged.
        TimelineError: It is a timeline, and damaged.
    """
    path = Path(path)
    if path.is_dir():
        path = list_of_film(path, film)
    if path.suffix == ".json":
        return _from_json(path, film)
    try:
        text = read_text(path, what="shot list")
    except DatasetError as error:
        raise ShotListError(str(error)) from error
    first_line = next((line for line in text.splitlines() if line.strip()), "")
    if not first_line:
        raise ShotListError(f"shot list {path} is empty; it should name one shot a line")
    header = [cell.strip() for cell in next(csv.reader([first_line]))]
    if "first_frame" in header:
        return read_shots_csv(path)
    return read_shot_lines(path, text)


def list_of_film(folder: Path, film: str) -> Path:
    """Return the list of a film in a folder of lists.

    Raises:
        ShotListError: There is none, or more than one.
    """
    stem = Path(film).stem
    bases = (stem, f"{stem}_gt", f"{film}.scenes", f"{stem}.scenes", f"{stem}.shots")
    names = [f"{base}{suffix}" for base in bases for suffix in (".txt", ".csv", ".json")]
    names.append(f"{stem}/timeline.json")
    found = [path for name in names if (path := folder / name).is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        raise ShotListError(
            f"folder {folder} holds {len(found)} lists of {film}: "
            f"{', '.join(str(path.relative_to(folder)) for path in found)}; keep one"
        )
    raise ShotListError(
        f"folder {folder} holds no list of {film}; it should be called {names[0]}, {names[1]}, "
        f"{names[2]} or {names[-1]}"
    )


def _from_json(path: Path, film: str) -> BoundaryList:
    try:
        is_timeline = '"mastershot/timeline/' in read_text(path, what="shot list")[:200]
    except DatasetError as error:
        raise ShotListError(str(error)) from error
    if is_timeline:
        return boundaries_of(Timeline.load(path))
    return read_clipshots(path, film)
