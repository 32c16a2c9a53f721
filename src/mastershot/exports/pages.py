"""What the HTML pages have in common: strict templates that escape what they are given."""

from collections.abc import Callable, Mapping
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template


def page_template(name: str, filters: Mapping[str, Callable[..., str]]) -> "Template":
    """Return a template of this package, with functions that it may apply to a value."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(template_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment.get_template(name)


def template_text(name: str) -> str:
    """Return a file of this package's templates as it is."""
    return (resources.files("mastershot.exports") / "templates" / name).read_text("utf-8")
