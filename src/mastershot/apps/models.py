"""``mastershot models``: which encoders there are, and how to get one."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument

from mastershot.apps.command import command
from mastershot.apps.options import Json
from mastershot.apps.show import say, say_result

if TYPE_CHECKING:
    from mastershot.encoders.catalogue import EncoderAvailability

models = typer.Typer(name="models", help="The encoders of frames and words.")


@models.command("ls")
@command
def models_ls(as_json: Json = False) -> None:
    """List the encoders: what each is, its size, licence and speed, and if it is here."""
    from mastershot.encoders.catalogue import available_encoders

    found = available_encoders()
    say_result(list(map(_as_json, found)), map(_line, found), as_json=as_json)


@models.command("get")
@command
def models_get(
    name: Annotated[str, Argument(metavar="NAME", help="Of the list, or of the hub.")],
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


def _as_json(found: "EncoderAvailability") -> dict[str, Any]:
    folder = None if found.folder is None else str(found.folder)
    return {**asdict(found.encoder), "available": found.folder is not None, "folder": folder}


def _line(found: "EncoderAvailability") -> str:
    row = found.encoder
    where = "not here" if found.folder is None else "on this machine"
    speed = "" if row.speed_fps is None else f"{row.speed_fps:,.0f} frames/s"
    size = f"{row.size_bytes / 1e6:,.0f} MB"
    return (
        f"{row.alias:9} {size:>9}  {speed:>14}  "
        f"{'in the package' if row.packaged else where:15}  {row.kind}; {row.licence}"
    )
