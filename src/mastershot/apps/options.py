"""Options that several commands have in common."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print machine-readable results on stdout.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
LibraryFolder = Annotated[Path, typer.Option("--library", metavar="DIR", help="The library.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
