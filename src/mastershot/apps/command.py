"""What every command has in common: option groups, ``--debug``, and one sentence an error."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

import typer

from mastershot.apps.options import Debug
from mastershot.apps.show import complain, complain_of
from mastershot.core.errors import SettingError


def command(work: Callable[..., None]) -> Callable[..., None]:
    """Return a command's function in the form that typer registers.

    A parameter whose type is a dataclass becomes one option for each field that its constructor
    takes. ``--debug`` comes last. An error ends the command as `errors_as_sentences` says.
    """
    groups: dict[str, Any] = {}
    parameters: list[Parameter] = []
    for parameter in signature(work).parameters.values():
        options = [parameter]
        if is_dataclass(parameter.annotation):
            groups[parameter.name] = parameter.annotation
            options = [
                Parameter(field.name, parameter.kind, default=field.default, annotation=field.type)
                for field in fields(parameter.annotation)
                if field.init
            ]
        parameters += [option.replace(kind=Parameter.KEYWORD_ONLY) for option in options]
    reads_debug = any(parameter.name == "debug" for parameter in parameters)
    if not reads_debug:
        parameters.append(
            Parameter("debug", Parameter.KEYWORD_ONLY, default=False, annotation=Debug)
        )

    @wraps(work)
    def run(**values: Any) -> None:
        with errors_as_sentences(values["debug"] if reads_debug else values.pop("debug")):
            for name, group in groups.items():
                names = [field.name for field in fields(group) if field.init]
                values[name] = group(**{field: values.pop(field) for field in names})
            work(**values)

    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return run


@contextmanager
def errors_as_sentences(debug: bool) -> Iterator[None]:
    """Turn an error into one sentence on stderr and exit 1; with ``debug`` show its traceback.

    Wrong usage exits with 2, an interrupt with 130.
    """
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except KeyboardInterrupt:
        complain("stopped; the same command continues from here")
        raise typer.Exit(130) from None
    except BrokenPipeError:  # The reader of our output, such as `head`, has closed it.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
        raise typer.Exit(0) from None
    except Exception as error:  # noqa: BLE001  The last line of defence between a bug and a user.
        complain_of(error, debug=debug)
        raise typer.Exit(2 if isinstance(error, SettingError) else 1) from None
