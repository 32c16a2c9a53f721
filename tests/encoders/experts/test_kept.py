"""Vectors are kept as they were, and files that hold anything else are refused."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mastershot.core.errors import DatasetError
from mastershot.encoders.experts.kept import read_arrays, read_facts, read_tensor, write_arrays


def test_arrays_and_facts_come_back(tmp_path: Path) -> None:
    path, rows = tmp_path / "one.safetensors", np.array([[1.5, np.nan]], np.float16)
    write_arrays(path, {"audio": rows}, {"id": "ä", "clips": 1})
    arrays, facts = read_arrays(path)
    np.testing.assert_array_equal(arrays["audio"], rows)
    assert facts == read_facts(path) == {"id": "ä", "clips": 1}
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(DatasetError, match="holds no vectors of a trailer"):
        read_facts(path)
    with pytest.raises(DatasetError, match="holds no vectors of a trailer"):
        read_arrays(tmp_path / "gone.safetensors")


class Code:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("run",))


def test_a_file_of_torch_is_one_plain_tensor(tmp_path: Path) -> None:
    path = tmp_path / "one.pt"
    torch.save(torch.ones(2, 3, dtype=torch.float16), path)
    assert read_tensor(path).tolist() == [[1, 1, 1], [1, 1, 1]]
    torch.save({"a": torch.ones(2)}, path)
    with pytest.raises(DatasetError, match="should hold one tensor"):
        read_tensor(path)
    torch.save(Code(), path)
    with pytest.raises(DatasetError, match="holds more than tensors, which can run code"):
        read_tensor(path)
    path.write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_tensor(path)
