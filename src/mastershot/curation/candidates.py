"""Candidate labels: which places scripts name, in how many scripts and headings (METHODS A1)."""

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
"""What parts the cells of a table of headings, by the end of its name."""


@dataclass(frozen=True)
class Candidate:
    """A place that scripts name.

    Attributes:
        label: Lower case, singular.
        num_scripts: How many scripts name it.
        num_sluglines: How many headings do.
        example: One of them as written, the first met.
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
        repeated: Names that stood in a second source too; their first one was taken.
    """

    headings: Mapping[str, tuple[Heading, ...]]
    problems: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()


def read_scripts(sources: Iterable[str | Path]) -> Scripts:
    """Return the headings of scripts; one that cannot be read is told and does not stop the rest.

    A source is a script, a table of raw headings (``.tsv``, ``.csv``) with the columns ``script``
    and ``heading``, or a folder of both (those below it too). A script is named by its file
    without suffix; of two of one name the first counts, so that a script that two sources have is
    counted once.

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
                if name in found:
                    repeated[name] = None
                else:
                    found[name] = headings
        except ScriptError as error:
            problems.append(str(error))
    if not found:
        raise ScriptError(problems[0] if problems else "there is no script; name one or a folder")
    return Scripts(found, tuple(problems), tuple(repeated))


def count_labels(headings: Mapping[str, Iterable[Heading]]) -> tuple[Candidate, ...]:
    """Return every place that scripts name, those of most scripts first.

    Of as many scripts the one of more headings comes first, then the alphabet decides.
    """
    scripts: dict[str, int] = {}
    sluglines: dict[str, int] = {}
    examples: dict[str, str] = {}
    for listed in headings.values():
        here: set[str] = set()
        for heading in listed:
            for place in heading.places:
                here.add(place)
                sluglines[place] = sluglines.get(place, 0) + 1
                examples.setdefault(place, heading.text)
        for place in here:
            scripts[place] = scripts.get(place, 0) + 1
    order = sorted(scripts, key=lambda label: (-scripts[label], -sluglines[label], label))
    return tuple(Candidate(name, scripts[name], sluglines[name], examples[name]) for name in order)


def cut_candidates(
    candidates: Iterable[Candidate], *, top: int | None = TOP, min_scripts: int = 1
) -> tuple[Candidate, ...]:
    """Return the first ``top`` of ranked candidates (None: all) that enough scripts name.

    Raises:
        SettingError: The cut leaves none by construction.
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
        yield from _scripts_in(path)
        return
    known = _SCRIPT_SUFFIXES | set(_DELIMITERS)
    files = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in known]
    if not files:
        suffixes = ", ".join(sorted(known))
        raise ScriptError(f"folder {path} holds no script; one ends in {suffixes}")
    for file in files:
        try:
            yield from _scripts_in(file)
        except (ScriptError, DatasetError) as error:
            problems.append(str(error))


def _scripts_in(file: Path) -> Iterator[tuple[str, tuple[Heading, ...]]]:
    """Yield name and headings of each script of a file: of one script, or of a table."""
    if file.suffix.lower() in _DELIMITERS:
        yield from _listed_headings(file).items()
    else:
        yield file.stem, tuple(parse_script(file))


def _listed_headings(path: Path) -> dict[str, tuple[Heading, ...]]:
    """Return the headings of a table by script; a row that is no heading is left out."""
    found: dict[str, list[Heading]] = {}
    delimiter = _DELIMITERS[path.suffix.lower()]
    rows = read_table(path, ("script", "heading"), what="table of headings", delimiter=delimiter)
    for line, row in enumerate(rows, start=2):
        heading = parse_heading(row["heading"], line=line)
        if heading is not None:
            found.setdefault(row["script"], []).append(heading)
    if not found:
        raise ScriptError(f"table of headings {path} has no scene heading")
    return {name: tuple(headings) for name, headings in found.items()}
