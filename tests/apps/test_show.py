import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer import Exit

from mastershot.apps.command import Reporting
from mastershot.apps.films import each_film
from mastershot.apps.show import (
    StageProgress,
    complain,
    complain_of,
    say,
    say_json,
    say_result,
    showing_progress,
)
from mastershot.core.errors import SettingError


def test_progress_shows_a_name_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = StringIO()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    def work(path: Path, progress: StageProgress) -> dict[str, object]:
        progress("shots", 1, 2)
        return {"film": path.name, "error": ""}

    with pytest.raises(Exit):
        each_film([Path("[red]x\x1b[41m")], work, Reporting())
    assert "[red]x\\x1b[41m" in terminal.getvalue()
    assert "\x1b[41m" not in terminal.getvalue()


def test_progress_takes_every_stage() -> None:
    with showing_progress("run", quiet=True) as progress:
        progress("frames", 3, 9, {})
        progress("training", 5, 10, {"loss": 1.23456})
        progress("training", 10, 10, {"loss": 0.5})
    (task,) = progress._bars.tasks
    assert (task.completed, task.total) == (10, 10)
    assert task.fields == {"stage": "training", "speed": "loss 0.500"}


@settings(max_examples=40)
@given(st.recursive(st.text() | st.integers() | st.none(), lambda v: st.lists(v) | st.dictionaries(
    st.text(), v), max_leaves=9))  # fmt: skip
@example("a\x1b[31m\u202e\udce9\x7f\x85\u2028🎬\U000e0001 é\n\\")
def test_json_reads_back_the_same_and_steers_nothing(value: Any) -> None:
    with redirect_stdout(StringIO()) as shown:
        say_json(value)
    text = shown.getvalue()
    assert json.loads(text) == value
    assert text.replace("\n", "").isprintable()
    text.encode("utf-8")


def test_what_is_said_is_a_line_each_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\nb\x1b[2J", "é \udce9")
    complain("c\rd")
    shown = capsys.readouterr()
    assert shown.out == "a\\nb\\x1b[2J\né \\xe9\n"
    assert shown.err == "mastershot: c\\rd\n"


@pytest.mark.parametrize(("as_json", "out"), [(True, "[\n 1\n]\n"), (False, "one\n")])
def test_problems_come_after_the_result_and_are_the_exit_code(
    as_json: bool, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say_result([1], ["one"], as_json=as_json)
    with pytest.raises(Exit) as ended:
        say_result([1], ["one"], as_json=as_json, problems=iter(["bad", "worse"]))
    assert ended.value.exit_code == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (2 * out, "mastershot: bad\nmastershot: worse\n")


def test_an_error_is_one_line_and_its_traceback_only_with_debug(
    capsys: pytest.CaptureFixture[str],
) -> None:
    complain_of(SettingError("no\x1b such"), debug=False)
    assert capsys.readouterr().err == "mastershot: no\\x1b such\n"
    try:
        raise KeyError("x") from SettingError("inner\x1b")
    except KeyError as error:
        complain_of(error, debug=True)
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith("Traceback") for line in lines)
    assert any(line.endswith("inner\\x1b") for line in lines)
    assert lines[-1].startswith("mastershot: ")


def test_progress_is_shown_ten_times_a_second_and_speed_is_of_the_stage_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("mastershot.apps.show.time", SimpleNamespace(monotonic=lambda: now))
    with showing_progress("film", quiet=True) as progress:
        (task,) = progress._bars.tasks
        progress("frames", 70, 90)
        now = 102.0
        progress("shots", 0, 3000)
        now = 104.0
        progress("shots", 2500, 3000)
        assert (task.completed, task.fields["speed"]) == (2500, "1,250 frames/s")
        now = 104.05
        progress("shots", 2600, 3000)
        assert task.completed == 2500
        progress("shots", 3000, 3000)
        assert (task.completed, task.fields["speed"]) == (3000, "1,463 frames/s")
        progress("labels", 1, 9)
        assert (task.completed, task.total, task.fields["speed"]) == (1, 9, "")
