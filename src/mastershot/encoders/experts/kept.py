"""Vectors of a trailer in a file: our own, and tensors that were computed elsewhere."""

import json
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np

from mastershot.core.errors import DatasetError, OutputError
from mastershot.core.files import replacing, reporting_errors
from mastershot.encoders.checkpoint import one_line

_FACTS = "facts"
Array = np.ndarray[Any, Any]


def write_arrays(path: Path, arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> None:
    """Write arrays as safetensors, with facts that JSON can hold; whole or not at all.

    Raises:
        OutputError: It cannot be written.
    """
    from safetensors.numpy import save

    data = save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        {_FACTS: json.dumps(dict(facts), ensure_ascii=True)},
    )
    with reporting_errors(OutputError, f"{path} cannot be written"), replacing(path) as partial:
        partial.write_bytes(data)


def read_facts(path: Path) -> dict[str, Any]:
    """Return the facts of what `write_arrays` wrote, without its arrays.

    Raises:
        DatasetError: It cannot be read, or is no such file.
    """
    return _read(path, arrays=False)[1]


def read_arrays(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return arrays and facts as `write_arrays` wrote them.

    Raises:
        DatasetError: It cannot be read, or is no such file.
    """
    return _read(path, arrays=True)


def _read(path: Path, *, arrays: bool) -> tuple[dict[str, Array], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            facts = json.loads((file.metadata() or {})[_FACTS])
            found = {name: file.get_tensor(name) for name in file.keys()} if arrays else {}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise DatasetError(f"{path} holds no vectors of a trailer ({one_line(error)})") from error
    if not isinstance(facts, dict):
        raise DatasetError(f"{path} holds no vectors of a trailer: its facts are no object")
    return found, facts


def read_tensor(path: Path) -> Array:
    """Return the one plain tensor that torch saved in a file; no code in it is run.

    Raises:
        DatasetError: The file is damaged, or holds anything else.
    """
    import torch

    try:
        value = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError,
            UnpicklingError) as error:  # fmt: skip
        reason = "it holds more than tensors, which can run code when read"
        if not (isinstance(error, UnpicklingError) and "Unsupported" in str(error)):
            reason = one_line(error)
        raise DatasetError(f"{path} cannot be read: {reason}") from error
    if not torch.is_tensor(value) or value.is_sparse or not value.is_floating_point():
        raise DatasetError(f"{path} should hold one tensor of real numbers, not {type(value)}")
    return value.float().numpy()
