"""FiftyOne's temporal detections: the JSON that its `FiftyOneTemporalDetectionDataset` reads."""

import json
from pathlib import Path
from typing import Any

from mastershot.core.files import written_whole
from mastershot.core.lanes import Interval, Lane
from mastershot.exports.formats.lanes import Export


def write_fiftyone(export: Export, path: Path) -> tuple[str, ...]:
    """Write the intervals of all lanes as the labels of one video, named as the film's file is.

    A support is the first and the last frame, both from 1 and inclusive. Each detection has its
    lane as an attribute.

    Raises:
        OutputError: The file cannot be written.
    """
    labels = [_detection(lane, one) for lane in export.lanes for one in lane.intervals]
    with written_whole(path) as file:
        json.dump({"labels": {export.film.stem: labels}}, file, indent=1)
        file.write("\n")
    folder = export.film.absolute().parent
    return (
        "fiftyone.Dataset.from_dir reads it with "
        "dataset_type=fiftyone.types.FiftyOneTemporalDetectionDataset, "
        f"data_path={str(folder)!r}, labels_path={str(path)!r}",
    )


def _detection(lane: Lane, one: Interval) -> dict[str, Any]:
    found: dict[str, Any] = {
        "label": one.text or lane.name,
        "support": [one.span.first_frame + 1, one.span.end_frame],
        "attributes": {"lane": lane.name, "role": lane.role},
    }
    return found if one.score is None else found | {"confidence": one.score}
