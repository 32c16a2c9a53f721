"""Candidate labels: which places scripts name, in how many scripts and headings (METHODS A1)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.errors import DatasetError, ScriptError, SettingError
from mastershot.curation.scripts import parse_script
from mastershot.curation.sluglines import Heading, parse_heading
from mastershot.datasets.files import read_table

TOP = 173
"""How many labels the paper takes from its scripts (section 3.1)."""

_SCRIPT_SUFFIXES = frozenset({".txt", ".fountain", ".spmd", ".fdx"})
_DELIMITERS = {".tsv": "\t", ".csv": ","}
"""What separates the cells of a table of headings, by its suffix."""


@dataclass(frozen=True)
class Candidate:
    """A place that scripts name.

    Attributes:
        label: Lower case, singular.
        num_scripts: How many scripts name it.
        num_sluglines: How many headings do.
        example: The first of them, as written.
    """

    label: str
    num_scripts: int
    num_sluglines: int
    example: str


@dataclass(frozen=True)
class Scripts:
    """The headings of many scripts.

    Attributes:
        headings: Those of each script, by the script's name.
        problems: A sentence for each script that could not be read.
        repeated: Names of scripts that a later source has too; the first was taken.
    """

    headings: Mapping[str, tuple[Heading, ...]]
    problems: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()


def read_scripts(sources: Iterable[str | Path]) -> Scripts:
    """Return the headings of scripts; one that cannot be read does not stop the rest.

    A source is a script, a table of raw headings (``.tsv``, ``.csv``) with the columns ``script``
    and ``heading``, or a folder of both (those below it too). A script is named by its file
    without suffix; of two with one name the first counts.

    Raises:
        ScriptError: No script could be read.
        DatasetError: A source is a table of headings that could not be read.
    """
    found: dict[str, tuple[Heading, ...]] = {}
    problems: list[str] = []
    repeated: dict[str, None] = {}
    for path in map(Path, sources):
        try:
            for name, headings in _scripts_of(path, problems):
                if found.setdefault(name, headings) is not headings:
                    repeated[name] = None
        except ScriptError as error:
            problems.append(str(error))
    if not found:
        raise ScriptError(problems[0] if problems else "there is no script; name one or a folder")
    return Scripts(found, tuple(problems), tuple(repeated))


def count_labels(headings: Mapping[str, Iterable[Heading]]) -> tuple[Candidate, ...]:
    """Return every place that scripts name, those of most scripts first.

    Ties are broken by the number of headings, then by the alphabet.
    """
    num_scripts: Counter[str] = Counter()
    num_sluglines: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for listed in headings.values():
        found = [(place, heading.text) for heading in listed for place in heading.places]
        num_sluglines.update(place for place, _ in found)
        num_scripts.update({place for place, _ in found})
        for place, text in found:
            examples.setdefault(place, text)
    counted = [
        Candidate(name, num_scripts[name], num_sluglines[name], examples[name]) for name in examples
    ]
    return tuple(sorted(counted, key=lambda one: (-one.num_scripts, -one.num_sluglines, one.label)))


def cut_candidates(
    candidates: Iterable[Candidate], *, top: int | None = TOP, min_scripts: int = 1
) -> tuple[Candidate, ...]:
    """Return the first ``top`` of ranked candidates (None: all) that enough scripts name.

    Raises:
        SettingError: A limit is below 1.
    """
    if (top is not None and top < 1) or min_scripts < 1:
        raise SettingError(
            f"a cut at the first {top} labels named by {min_scripts} scripts means nothing; both "
            "are 1 or more"
        )
    return tuple(item for item in candidates if item.num_scripts >= min_scripts)[:top]


def _scripts_of(path: Path, problems: list[str]) -> Iterator[tuple[str, tuple[Heading, ...]]]:
    """Yield name and headings of each script of one source."""
    if not path.is_dir():
        yield from _scripts_in(path).items()
        return
    known = _SCRIPT_SUFFIXES | set(_DELIMITERS)
    files = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in known]
    if not files:
        suffixes = ", ".join(sorted(known))
        raise ScriptError(f"folder {path} holds no script; one ends in {suffixes}")
    for file in files:
        try:
            yield from _scripts_in(file).items()
        except (ScriptError, DatasetError) as error:
            problems.append(str(error))


def _scripts_in(file: Path) -> dict[str, tuple[Heading, ...]]:
    """Return the headings of a script, or of each script of a table of headings, by name."""
    delimiter = _DELIMITERS.get(file.suffix.lower())
    if delimiter is None:
        return {file.stem: tuple(parse_script(file))}
    found = defaultdict(list)
    rows = read_table(file, ("script", "heading"), what="table of headings", delimiter=delimiter)
    for line, row in enumerate(rows, start=2):
        if heading := parse_heading(row["heading"], line=line):
            found[row["script"]].append(heading)
    if not found:
        raise ScriptError(f"table of headings {file} has no scene heading")
    return {name: tuple(headings) for name, headings in found.items()}
