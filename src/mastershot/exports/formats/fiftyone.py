"""FiftyOne's temporal detections: the JSON that its `FiftyOneTemporalDetectionDataset` reads."""

import json
from pathlib import Path
from typing import Any

from mastershot.core.files import written_whole
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import require_one_file
from mastershot.exports.formats.lanes import Export


def write_fiftyone(export: Export, path: Path) -> tuple[str, ...]:
    """Write the intervals of all lanes as the labels of one video, named as the film's file is.

    A support is the first and the last frame, both from 1 and inclusive. Each detection has its
    lane as an attribute. Of a part of a tape they are the tape's frames.

    Raises:
        MediaError: The film lies in reels, and so is no one video.
        OutputError: The file cannot be written.
    """
    part = export.timeline.movie.part
    if part is None:
        require_one_file(export.timeline.movie, "labels of a video for FiftyOne")
    before = 0 if part is None else part.first_frame
    labels = [_detection(lane, one, before) for lane in export.lanes for one in lane.intervals]
    with written_whole(path) as file:
        json.dump({"labels": {export.film.stem: labels}}, file, indent=1)
        file.write("\n")
    folder = export.film.absolute().parent
    return (
        "fiftyone.Dataset.from_dir reads it with "
        "dataset_type=fiftyone.types.FiftyOneTemporalDetectionDataset, "
        f"data_path={str(folder)!r}, labels_path={str(path)!r}",
    )


def _detection(lane: Lane, one: Interval, before: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "label": one.text or lane.name,
        "support": [before + one.span.first_frame + 1, before + one.span.end_frame],
        "attributes": {"lane": lane.name, "role": lane.role},
    }
    return found if one.score is None else found | {"confidence": one.score}
