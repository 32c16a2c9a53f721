"""What a command does with an error: one sentence on stderr, and an exit code."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from mastershot.apps.show import complain, complain_of
from mastershot.core.errors import SettingError


@contextmanager
def errors_as_sentences(debug: bool) -> Iterator[None]:
    """Turn an error into one sentence on stderr and exit 1; with ``debug`` show where it arose."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt:
        complain("stopped; the same command goes on from here")
        raise typer.Exit(130) from None
    except BrokenPipeError:  # Whoever read our lines, such as `head`, has enough.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
        raise typer.Exit(0) from None
    except Exception as error:  # noqa: BLE001  The last line of defence between a bug and a user.
        complain_of(error, debug=debug)
        raise typer.Exit(2 if isinstance(error, SettingError) else 1) from None
