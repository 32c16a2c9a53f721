"""Fixtures that every part's tests share."""

import os
import sys
from pathlib import Path

import hypothesis
import pytest

REPOSITORY = Path(__file__).parents[1]


# How long an example takes says nothing where workers share the cores.
hypothesis.settings.register_profile("shared cores", deadline=None)
hypothesis.settings.load_profile("shared cores")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Have slow tests follow each other: they hold whole networks, and time their kills."""
    return 0 if config.getoption("markexpr") == "slow" else None


def pytest_configure(config: pytest.Config) -> None:
    """Share the cores among the workers of a parallel run, and what their tests start."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    workers = config.getoption("numprocesses", None)
    if workers:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else workers
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // workers)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Have a test draw the same numbers whichever tests ran before it."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


@pytest.fixture(scope="session")
def workers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the workers of one run share: write elsewhere in it, then rename."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "of-all-workers"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real films and data, which is not part of the repository."""
    folder = Path(os.environ.get("MASTERSHOT_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data is not at {folder}; set MASTERSHOT_DATA to its folder")
    return folder
