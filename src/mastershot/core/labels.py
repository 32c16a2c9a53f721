"""Labels: an ordered, fingerprinted taxonomy, and a label's score on a shot or scene."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path

from mastershot.core.errors import TaxonomyError


@dataclass(frozen=True)
class LabelScore:
    """How strongly one label holds.

    Attributes:
        name: The label, as the taxonomy spells it.
        score: In [0, 1]; CLIPSceneScore for labels by words.
        unsure: True when the score is too low to state the label as a fact.
    """

    name: str
    score: float
    unsure: bool = False


@dataclass(frozen=True)
class Taxonomy:
    """An ordered list of labels; a label's place in it is its column in every score matrix.

    Attributes:
        name: What it is called: a shipped name, or the stem of its file.
        labels: The labels, in order, each once.
    """

    name: str
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.labels:
            raise TaxonomyError(f"taxonomy {self.name!r} holds no label; write one label a line")
        label, count = Counter(self.labels).most_common(1)[0]
        if count > 1:
            raise TaxonomyError(f"taxonomy {self.name!r} names {label!r} twice; keep one")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change when a label is added, removed, renamed or moved."""
        return hashlib.sha256("\n".join(self.labels).encode()).hexdigest()[:16]


def shipped_taxonomies() -> list[str]:
    """Return the names of the taxonomies that come with the package."""
    folder = resources.files("mastershot.core") / "taxonomies"
    names = [Path(entry.name) for entry in folder.iterdir()]
    return sorted(name.stem for name in names if name.suffix == ".txt")


def load_taxonomy(source: str | Path) -> Taxonomy:
    """Return a taxonomy by shipped name, or from a file.

    A file is either text with one label a line (``#`` starts a comment line) or a JSON list of
    strings. ``movieclip`` is the 179-label taxonomy of the MovieCLIP release and
    ``movieclip-150`` its training index, in index order (METHODS A2, A5).

    Raises:
        TaxonomyError: The name is unknown, or the file is unreadable, empty or repeats a label.
    """
    if str(source) in shipped_taxonomies():
        shipped = resources.files("mastershot.core") / "taxonomies" / f"{source}.txt"
        return Taxonomy(str(source), _labels_of_lines(shipped.read_text("utf-8")))
    path = Path(source)
    if not path.exists():
        known = shipped_taxonomies()
        close = get_close_matches(str(source), known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise TaxonomyError(
            f"taxonomy {str(source)!r} is neither a file nor one of {', '.join(known)}{hint}"
        )
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TaxonomyError(
            f"taxonomy {path} cannot be read as UTF-8 text ({error}); write one label a line"
        ) from error
    labels = _labels_of_json(path, text) if path.suffix == ".json" else _labels_of_lines(text)
    return Taxonomy(path.stem, labels)


def _labels_of_lines(text: str) -> tuple[str, ...]:
    lines = (line.strip() for line in text.lstrip("\ufeff").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _labels_of_json(path: Path, text: str) -> tuple[str, ...]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TaxonomyError(f"taxonomy {path} is not valid JSON: {error}") from error
    if not isinstance(values, list) or not all(isinstance(v, str) and v.strip() for v in values):
        raise TaxonomyError(f"taxonomy {path} must be a JSON list of non-empty strings")
    return tuple(value.strip() for value in values)
