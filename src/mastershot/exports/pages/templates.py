"""What the HTML pages have in common: strict templates that escape what they are given."""

import base64
import hashlib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from mastershot.core.files import written_whole
from mastershot.core.text import printable
from mastershot.core.time import format_clock

if TYPE_CHECKING:
    from jinja2 import Environment


def write_page(template: str, path: Path, *, script: str = "", **content: object) -> None:
    """Write one HTML file that makes no request at all.

    It is written as it is rendered: few of its pictures are in memory at once.

    Args:
        template: Its template, which extends ``base.html``.
        path: The page.
        script: Name of the only script that a browser runs on the page.
        content: ``title``, ``facts`` below it, ``notes``, and what the template itself names.

    Raises:
        OutputError: The page cannot be written; what was there before stays.
    """
    code = template_text(script) if script else ""
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    always = {"facts": (), "notes": (), "script": code, "script_hash": digest}
    page = environment().get_template(template).generate(always | content)
    with written_whole(path) as file:
        file.writelines(page)


@cache
def environment() -> "Environment":
    """Return what renders this package's templates; its filters are the functions below."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    rendering = Environment(
        loader=FunctionLoader(template_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rendering.filters |= {
        "clock": format_clock,
        "count": count_text,
        "duration": duration_text,
        "file_name": file_name,
        "jpeg_source": jpeg_source,
        "number": _number,
        "percent": _percent,
        "printable": printable,
        "seconds": _seconds,
    }
    return rendering


def template_text(name: str) -> str:
    """Return a file of the template folder as it is."""
    return (resources.files("mastershot.exports") / "pages" / "html" / name).read_text("utf-8")


def jpeg_source(picture: bytes | None) -> str | None:
    """Return a picture as a data URI, or None where there is no JPEG."""
    if picture is None or not picture.startswith(b"\xff\xd8\xff"):
        return None
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode()


def file_name(path: str) -> str:
    """Return a file's name without its folder, as a page can show it."""
    return printable(Path(path).name or path)


def count_text(number: int, noun: str) -> str:
    """Return a number of things, such as ``1 shot`` or ``1,200 shots``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _seconds(duration_s: float) -> str:
    return f"{duration_s:.2f} s" if duration_s < 60 else duration_text(duration_s)


def duration_text(duration_s: float) -> str:
    """Return a duration in words, such as ``1 h 2 min``."""
    if duration_s < 60:
        return f"{duration_s:.2f}".rstrip("0").rstrip(".") + " s"
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
