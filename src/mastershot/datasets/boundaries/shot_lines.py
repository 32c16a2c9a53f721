"""Text files that name the first and the last frame of one shot a line.

Both frames are inclusive and count from 0; what lies between two shots is a gradual transition, of
unknown kind. That is so in

- *BBC Planet Earth* (``annotations/shots/<episode>.txt``; Baraldi, Grana and Cucchiara, "A Deep
  Siamese Network for Scene Detection in Broadcast Videos", ACM MM 2015). Its readme says "the
  starting and ending frames of a shot". The conversion that TransNetV2 was evaluated with
  (``consolidate_datasets.py`` of soCzech/TransNetV2) adds 1 to all frames but the first 0; the
  release does not say so, and we have no film to settle it, so nothing is added unless asked for
  (``--shift 1``).
- *RAI* (``<film>_gt.txt``; Baraldi, Grana and Cucchiara, "Shot and scene detection via
  hierarchical clustering …", CAIP 2015), which the same conversion takes as it is.
- *OVSD* (``<film>.shots.txt``; Rotman, Porat and Ashour, "Robust and efficient video scene
  detection using optimal sequential grouping", ISM 2016): shots by a detector, scenes by people.
- *AutoShot* ("the beginning and the end frame number of each shot per line", its readme).
- *MovieNet*, whose lines go on with key frames.
- *TransNetV2*'s ``.scenes.txt`` ("indexed from zero, both limits inclusive", its readme).
"""

import math
from pathlib import Path

from mastershot.core.errors import ShotListError
from mastershot.datasets.boundaries.boundary import BoundaryList, boundaries_between


def read_shot_lines(path: Path, text: str) -> BoundaryList:
    """Return the boundaries of such a file.

    Raises:
        ShotListError: A line does not start with two whole numbers, or shots are out of order.
    """
    name, shots, where = f"shot list {path}", [], []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        if len(words) < 2:
            raise _no_shot(name, number, line)
        try:
            values = [float(word) for word in words[:2]]
        except ValueError:
            raise _no_shot(name, number, line) from None
        if not all(math.isfinite(value) and value == int(value) for value in values):
            raise _no_shot(name, number, line)
        shots.append((int(values[0]), int(values[1])))
        where.append(f"line {number}")
    found = boundaries_between(shots, where, name=name)
    return BoundaryList(name, found, end_frame=shots[-1][1] + 1)


def _no_shot(name: str, number: int, line: str) -> ShotListError:
    return ShotListError(
        f"{name}, line {number}: {line[:60]!r} should start with the first and the last frame of a "
        "shot"
    )
