"""The plan of the house, kept by tests: small rooms, short files, no import circles."""

import ast
import graphlib
from collections import Counter
from pathlib import Path

import pytest

import mastershot

PACKAGE = Path(mastershot.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_FILES, MOST_LINES = 15, 400


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def imported(tree: ast.AST) -> set[str]:
    """Return the files of the package that a file imports, at its top or within its functions."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            found |= {
                inner if (inner := f"{module}.{alias.name}") in MODULES else module
                for alias in node.names
            }
    return found & set(MODULES)


def test_no_folder_has_more_files_than_one_sees_at_a_glance() -> None:
    counts = Counter(path.parent for path in FILES)
    assert {folder: n for folder, n in counts.items() if n > MOST_FILES} == {}


def test_no_file_is_longer_than_its_story() -> None:
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_two_files_import_each_other_directly_or_by_others() -> None:
    # What `mastershot` itself exports is loaded when asked for, and it knows all: it is no part.
    graph = {
        module: imported(ast.parse(path.read_text("utf-8"))) - {"mastershot"}
        for module, path in MODULES.items()
        if module != "mastershot"
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"import circle: {' -> '.join(error.args[1])}")


def test_a_room_says_in_which_order_its_files_act() -> None:
    rooms = {path.parent for path in FILES if path.parent != PACKAGE}
    for room in rooms:
        docstring = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8")))
        assert docstring, f"{room} says nothing"
        assert len(docstring.splitlines()) <= 20, f"{room} says more than a screen"
