"""The command ``mastershot``: each command parses, calls one library function, and prints."""

import io
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from mastershot import __version__
from mastershot.apps.analyze import analyze
from mastershot.apps.command import command
from mastershot.apps.label import label_app
from mastershot.apps.library import library_app
from mastershot.apps.models import models
from mastershot.apps.options import Json
from mastershot.apps.recipes import recipes_app, run
from mastershot.apps.search import draw_map, search, similar
from mastershot.apps.show import say, say_result
from mastershot.apps.taxonomy import taxonomy_app
from mastershot.apps.verify import verify_app

app = typer.Typer(
    name="mastershot",
    help="Turns films into knowledge: shots, scenes and places, exact in time, offline.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (library_app, models, recipes_app, taxonomy_app, label_app, verify_app):
    app.add_typer(group, no_args_is_help=True)


app.command()(analyze)
app.command()(search)
app.command()(similar)
app.command("map")(draw_map)
app.command()(run)


@app.command()
@command
def doctor(as_json: Json = False) -> None:
    """Say what is installed, which encoders can be had, and how fast this machine is."""
    from mastershot.pipeline.doctor import examine

    findings = examine()
    say_result(asdict(findings), findings.lines(), as_json=as_json)


@app.callback(invoke_without_command=True)
def mastershot(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Turn films into knowledge: shots, scenes and places, exact in time, offline."""
    if version:
        say(f"mastershot {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command; the entry point of the console script."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # A file name may be no text.
    app()
