"""The command ``mastershot``: its groups and commands, and those about this machine."""

import io
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mastershot import __version__
from mastershot.apps.align import align
from mastershot.apps.command import Commands, Json
from mastershot.apps.edits import export, import_edits
from mastershot.apps.evaluate import evaluate_app
from mastershot.apps.films import analyze, library_app
from mastershot.apps.genres import genres_app
from mastershot.apps.label import label_app
from mastershot.apps.moderation.review import moderation_app
from mastershot.apps.recipes import recipes_app, run
from mastershot.apps.search import draw_map, search, similar
from mastershot.apps.shots import shots_app
from mastershot.apps.show import say, say_result
from mastershot.apps.taxonomy import taxonomy_app
from mastershot.apps.verify import verify_app

if TYPE_CHECKING:
    from mastershot.encoders.catalogue import EncoderAvailability
    from mastershot.encoders.detectors.packaged import PackagedNetwork
    from mastershot.encoders.experts.published import LocalNetwork

app = Commands(
    name="mastershot",
    help="Turns films into knowledge: shots, scenes and places, exact in time, offline.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = Commands(name="models", help="The encoders of frames and words.")
for group in (
    library_app,
    models_app,
    recipes_app,
    taxonomy_app,
    label_app,
    genres_app,
    verify_app,
    evaluate_app,
    genres_app,
    shots_app,
    moderation_app,
):
    app.add_typer(group, no_args_is_help=True)
app.command()(analyze)
app.command()(align)
app.command()(search)
app.command()(similar)
app.command("map")(draw_map)
app.command()(export)
app.command("import")(import_edits)
app.command()(run)


@app.callback(invoke_without_command=True)
def mastershot(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Turn films into knowledge: shots, scenes and places, exact in time, offline."""
    if version:
        say(f"mastershot {__version__}")
        raise typer.Exit


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what is installed, which encoders can be had, and how fast this machine is."""
    from mastershot.pipeline.doctor import examine

    findings = examine()
    say_result(asdict(findings), findings.lines(), as_json=as_json)


@models_app.command("ls")
def models_ls(as_json: Json = False) -> None:
    """List encoders, detectors, and what is read of a local file: size, licence, and use."""
    from mastershot.encoders.catalogue import available_encoders
    from mastershot.encoders.detectors.packaged import PACKAGED_NETWORKS
    from mastershot.encoders.experts.published import LOCAL_NETWORKS

    found = available_encoders()
    value: list[dict[str, object]] = [
        {**asdict(one.encoder), "available": one.folder is not None, "folder": one.folder}
        for one in found
    ]
    for row in PACKAGED_NETWORKS:
        here = row.path.is_file()
        value.append({"name": row.alias, **asdict(row), "packaged": True, "available": here})
    value += [
        {"name": row.alias, **asdict(row), "packaged": False, "available": None}
        for row in LOCAL_NETWORKS
    ]
    lines = [*map(_encoder_line, found), *map(_network_line, PACKAGED_NETWORKS)]
    lines += map(_local_line, LOCAL_NETWORKS)
    say_result(value, lines, as_json=as_json)


def _encoder_line(found: "EncoderAvailability") -> str:
    row, where = found.encoder, "not here" if found.folder is None else "on this machine"
    speed = "" if row.speed_fps is None else f"{row.speed_fps:,.0f} frames/s"
    return (
        f"{row.alias:9} {row.size_bytes / 1e6:>6,.0f} MB  {speed:>14}  "
        f"{'in the package' if row.packaged else where:15}  {row.kind}; {row.licence}"
    )


def _network_line(row: "PackagedNetwork") -> str:
    where = "in the package" if row.path.is_file() else "not here"
    return (
        f"{row.alias:9} {row.size_bytes / 1e6:>6,.1f} MB  {'step ' + row.step:>15}  "
        f"{where:15}  {row.kind}; {row.licence}; {row.source}"
    )


def _local_line(row: "LocalNetwork") -> str:
    return (
        f"{row.alias:9} {row.size_bytes / 1e6:>6,.0f} MB  {row.option:>15}  "
        f"{'a local file':15}  {row.kind}; {row.licence}; {row.source}; not shipped"
    )


@models_app.command("get")
def models_get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the list, or of the hub.")],
) -> None:
    """Fetch an encoder's weights into the hub's cache, once; later runs need no network."""
    from mastershot.encoders.catalogue import fetch_encoder, known_encoder

    row, folder = known_encoder(name), fetch_encoder(name)
    if row is not None and row.packaged:
        say(f"{name} comes with this package; there is nothing to fetch")
    elif folder == Path(name):
        say(f"{name} is a folder of this machine; there is nothing to fetch")
    else:
        say(f"{name} is on this machine: {folder}")


def main() -> None:
    """Run the command; the entry point of the console script."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # A file name may be no text.
    app()
