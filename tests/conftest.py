"""Fixtures that every part's tests share."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real films and data, which is not part of the repository."""
    folder = Path(os.environ.get("MASTERSHOT_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data is not at {folder}; set MASTERSHOT_DATA to its folder")
    return folder
