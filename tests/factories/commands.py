"""The command mastershot, in a process of its own or in this one."""

import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from mastershot.apps.cli import app


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, where no hub can be asked."""
    command = [sys.executable, "-m", "mastershot", *map(str, arguments)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "NO_COLOR": "1", "COLUMNS": "100"}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment)


def invoke(*arguments: object) -> Result:
    """Run a command in this process; what is printed must be UTF-8."""
    runner = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"})
    return runner.invoke(app, [str(argument) for argument in arguments])
