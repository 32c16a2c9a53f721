"""Labels: an ordered, fingerprinted taxonomy, and scores of a shot, a scene or a film."""

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
class GenreScore:
    """How strongly a film has one genre.

    Attributes:
        name: The genre, as the model's data set spells it.
        score: Its probability, in [0, 1].
        threshold: From which score on the model gives the genre; chosen on its validation split.
        chosen: Whether the film is given it.
    """

    name: str
    score: float
    threshold: float
    chosen: bool


@dataclass(frozen=True)
class NearestSubgenre:
    """The sub-genre whose centre is nearest to a film, among those of the model's data set.

    Attributes:
        name: What it is called.
        distance: From its centre, the mean of its trailers' unit vectors, in [0, 2].
        median_distance: Half of its own trailers are nearer than this.
    """

    name: str
    distance: float
    median_distance: float


@dataclass(frozen=True)
class Relative:
    """A film of the model's data set that is near.

    Attributes:
        id: Its id there.
        title: Its title; may be empty.
        similarity: Cosine of both embeddings, in [-1, 1].
    """

    id: str
    title: str
    similarity: float


@dataclass(frozen=True)
class ExpertGate:
    """How far an expert took part in a film's genres.

    Attributes:
        expert: Its name.
        opened: How far its gate was open, mean over clips, in [0, 1]; 0 where it has nothing to
            say.
        usual: The same, mean over the trailers of the data set that have the expert; None where
            that is not known.
    """

    expert: str
    opened: float
    usual: float | None = None


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
