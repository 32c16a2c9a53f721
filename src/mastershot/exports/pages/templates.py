"""What the HTML pages have in common: strict templates that escape what they are given."""

import base64
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from mastershot.core.text import printable

if TYPE_CHECKING:
    from jinja2 import Template

JPEG_MAGIC = b"\xff\xd8\xff"


def jpeg_source(picture: bytes | None) -> str | None:
    """Return a picture as a data URI, or None where there is no JPEG."""
    if picture is None or not picture.startswith(JPEG_MAGIC):
        return None
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode()


def file_name(path: str) -> str:
    """Return a file's name without its folder, as a page can show it."""
    return printable(Path(path).name or path)


def page_template(name: str, filters: Mapping[str, Callable[..., str]]) -> "Template":
    """Return a template of this package, with functions that it may apply to a value.

    `file_name`, `jpeg_source` and `printable` are among them always.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(template_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    always = {"file_name": file_name, "jpeg_source": jpeg_source, "printable": printable}
    environment.filters.update({**always, **filters})
    return environment.get_template(name)


def template_text(name: str) -> str:
    """Return a file of this package's templates as it is."""
    return (resources.files("mastershot.exports") / "pages" / "html" / name).read_text("utf-8")
