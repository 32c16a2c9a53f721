"""What README and docs show must be so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *(REPOSITORY / "docs").glob("*.md"),
]


def help_of(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mastershot", *command, "--help"],
        capture_output=True, text=True, check=True, env={"COLUMNS": "200", "NO_COLOR": "1"},
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_option_the_readme_names_is_there() -> None:
    text = (REPOSITORY / "README.md").read_text("utf-8")
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text.partition("## GPU")[0]))
    assert len(named) > 10
    commands = ("analyze", "evaluate", "evaluate shots", "export", "import", "align", "search")
    known = "".join(help_of(*command.split()) for command in commands)
    assert sorted(option for option in named if option not in known) == []


def test_every_library_command_the_readme_names_is_there() -> None:
    text = (REPOSITORY / "README.md").read_text("utf-8")
    commands = set(re.findall(r"mastershot library (\w+)", text))
    assert commands >= {"add", "ls", "show", "verify"}
    known = help_of("library")
    assert all(f" {command} " in known for command in commands)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_that_need_no_film_run(page: Path) -> None:
    for example in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        code = compile(example, page.name, "exec")
        if "film.mp4" not in example:
            exec(code, {})
