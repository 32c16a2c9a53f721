"""The page a rater works on: drawn shots, their labels to tick, and a button that saves CSV."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

from mastershot.core.time import format_clock
from mastershot.exports.pages.templates import jpeg_source, page_template, template_text
from mastershot.exports.tables import open_whole
from mastershot.labelling.draws import Draw, ShownShot


def write_rating_page(
    draw: Draw, path: Path, *, title: str, picture: Callable[[ShownShot], bytes | None]
) -> None:
    """Write drawn shots as one HTML file that makes no request at all.

    Scores are not shown: they would lead the raters. What is ticked is kept by the browser until
    it is saved as a table of verdicts.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    script = template_text("rating.js")
    names = "\n".join(";".join((shot.name, *shot.labels)) for shot in draw.shots)
    page = page_template("rating.html", {"clock": format_clock}).generate(
        title=title,
        shots=draw.shots,
        # What a browser keeps of one draw must not turn up in another.
        draw_key=hashlib.sha256(names.encode()).hexdigest()[:16],
        source=lambda shot: jpeg_source(picture(shot)),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    with open_whole(path, newline="\n") as file:
        for piece in page:
            file.write(piece)
