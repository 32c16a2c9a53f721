import gc
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from mastershot.apps.command import Commands, Reporting, loading
from mastershot.core.errors import MediaError, SettingError


@dataclass(frozen=True)
class Size:
    width: Annotated[int, typer.Option(metavar="PX", help="How wide.")] = 4
    height: int = field(default=3, init=False)


def run(work: object, *arguments: str) -> Result:
    app = Commands()
    app.command()(work)  # type: ignore[type-var]
    return CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1"}).invoke(app, [*arguments])


def draw(*, film: str, size: Size, loud: bool = False) -> None:
    """Draw a film."""
    typer.echo(f"{film} {size} {loud}")


def test_a_dataclass_is_one_option_for_each_field_that_its_constructor_takes() -> None:
    shown = run(draw, "--help").stdout
    assert "Draw a film." in shown
    assert shown.index("--width") < shown.index("--loud") < shown.index("--debug")
    assert "--height" not in shown
    assert run(draw, "a.mp4", "--width", "9").stdout == "a.mp4 Size(width=9, height=3) False\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MediaError("no film"), 1),
        (SettingError("no film"), 2),
        (ValueError("no film"), 1),
        (typer.BadParameter("no film"), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_is_an_exit_code(error: BaseException, code: int) -> None:
    def fail() -> None:
        raise error

    done = run(fail)
    assert done.exit_code == code
    assert ("no film" in done.stderr) == ("no film" in str(error))
    assert "Traceback" not in done.stderr


def test_a_command_may_read_whether_tracebacks_are_asked_for() -> None:
    def fail(reporting: Reporting) -> None:
        raise MediaError(f"debug is {reporting.debug}")

    assert run(fail).stderr == "mastershot: debug is False\n"
    asked = run(fail, "--debug").stderr
    assert "Traceback" in asked
    assert asked.endswith("mastershot: debug is True\n")


@pytest.fixture
def unfrozen() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.usefixtures("unfrozen")
def test_garbage_is_not_looked_for_while_loading_nor_in_what_was_loaded() -> None:
    loaded: list[list[int]] = [[]]
    with loading():
        assert not gc.isenabled()
        assert any(one is loaded for one in gc.get_objects())
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    assert not any(one is loaded for one in gc.get_objects())


@pytest.mark.usefixtures("unfrozen")
def test_garbage_is_looked_for_again_after_loading_failed() -> None:
    def fail() -> None:
        with loading():
            raise MediaError("no film")

    assert run(fail).exit_code == 1
    assert gc.isenabled()


@pytest.mark.usefixtures("unfrozen")
def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    with loading():
        assert not gc.isenabled()
    assert not gc.isenabled()
