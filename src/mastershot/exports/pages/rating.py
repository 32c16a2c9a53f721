"""The page a rater works on: drawn shots, their labels to tick, and a button that saves CSV."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from mastershot.exports.pages.templates import write_page
from mastershot.labelling.draws import Draw, ShownShot


def write_rating_page(
    draw: Draw, path: Path, *, title: str, picture: Callable[[ShownShot], bytes | None]
) -> None:
    """Write drawn shots as one HTML page.

    Scores are not shown: they would lead the raters. What is ticked is kept by the browser until
    it is saved as a table of verdicts.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    names = "\n".join(";".join((shot.name, *shot.labels)) for shot in draw.shots)
    # What a browser keeps of one draw must not turn up in another.
    draw_key = hashlib.sha256(names.encode()).hexdigest()[:16]
    content = {"shots": draw.shots, "draw_key": draw_key, "picture": picture}
    write_page("rating.html", path, script="rating.js", title=title, **content)
