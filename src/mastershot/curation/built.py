"""A taxonomy with all that is known of its labels: counts, groups, definitions, and its file."""

import json
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import TaxonomyError
from mastershot.core.labels import Taxonomy, load_taxonomy
from mastershot.curation.curate import ORIGINS, Curation, Embed, Entry
from mastershot.datasets.files import read_table

SCHEMA = "mastershot/taxonomy/1"
LABELS_FILE = "taxonomy.txt"
DETAILS_FILE = "details.json"

_DAMPINGS = (0.5, 0.7, 0.9, 0.97)  # More damping oscillates less and takes longer.
_MAX_ROUNDS = 1000


@dataclass(frozen=True)
class Group:
    """Labels that belong together.

    Attributes:
        exemplar: The label in their middle.
        labels: All of them, the exemplar included, alphabetical.
    """

    exemplar: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class BuiltTaxonomy:
    """A taxonomy as built, or as read back from a build's folder.

    Attributes:
        name: What it is called.
        labels: Its labels, in order.
        made_by: Settings, sources and versions it was made with.
        dropped: Labels of its sources that none of its labels stands for.
    """

    name: str
    labels: tuple[Entry, ...]
    made_by: Mapping[str, Any]
    dropped: tuple[str, ...] = ()

    @property
    def taxonomy(self) -> Taxonomy:
        """Its labels alone."""
        return Taxonomy(self.name, tuple(label.label for label in self.labels))

    @property
    def changes(self) -> dict[str, str | None]:
        """What each label that is gone was merged into or renamed to; None for dropped ones."""
        into: dict[str, str | None] = dict.fromkeys(self.dropped)
        return into | {name: label.label for label in self.labels for name in label.merged}

    @property
    def groups(self) -> tuple[Group, ...]:
        """Its groups, the largest first."""
        return _groups({label.label: label.group for label in self.labels if label.group})

    def as_json(self) -> dict[str, Any]:
        """Return its details as a build's folder keeps them."""
        return {
            "schema": SCHEMA,
            "fingerprint": self.taxonomy.fingerprint,
            "made_by": dict(self.made_by),
            "labels": [asdict(label) for label in self.labels],
            "dropped": list(self.dropped),
        }


def group_labels(labels: Sequence[str], embed: Embed, *, seed: int = 0) -> tuple[Group, ...]:
    """Return groups of labels by affinity propagation on cosines (Frey and Dueck 2007).

    How many there are is not given (METHODS A2). The preference is the median cosine, as the
    paper's library sets it. Where the messages do not converge, damping is raised; where they
    never do, there is no group. The largest group comes first.
    """
    if len(labels) < 2:
        return tuple(Group(label, (label,)) for label in labels)
    exemplars = _exemplars(embed(labels), seed)
    return _groups({label: labels[place] for label, place in zip(labels, exemplars, strict=False)})


def _groups(exemplar_of: Mapping[str, str]) -> tuple[Group, ...]:
    members = defaultdict(list)
    for label, exemplar in exemplar_of.items():
        members[exemplar].append(label)
    found = [Group(exemplar, tuple(sorted(labels))) for exemplar, labels in members.items()]
    return tuple(sorted(found, key=lambda group: (-len(group.labels), group.exemplar)))


def _exemplars(vectors: FloatArray, seed: int) -> list[int]:
    """Return the place of each label's exemplar; an empty list without convergence."""
    from sklearn.cluster import AffinityPropagation

    # float64: in float32 the noise that breaks ties is too small to.
    cosines = np.asarray(vectors, np.float64) @ np.asarray(vectors, np.float64).T
    for damping in _DAMPINGS:
        clusters = AffinityPropagation(
            affinity="precomputed", damping=damping, max_iter=_MAX_ROUNDS, random_state=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Both it can give show in what it returns.
            places = clusters.fit(cosines).labels_
        # Without convergence it ran to the end, and may return meaningless groups.
        if (places >= 0).all() and clusters.n_iter_ < _MAX_ROUNDS:
            return [int(clusters.cluster_centers_indices_[place]) for place in places]
    return []


def describe_labels(
    curation: Curation, groups: Sequence[Group], glossary: Mapping[str, str]
) -> tuple[Entry, ...]:
    """Return the labels of a taxonomy with counts, example, group and definition."""
    group_of = {label: group.exemplar for group in groups for label in group.labels}
    return tuple(
        replace(
            entry,
            group=group_of.get(entry.label, ""),
            num_scripts=named.num_scripts,
            num_sluglines=named.num_sluglines,
            example=named.example,
            definition=glossary.get(entry.label, ""),
        )
        for entry in curation.entries
        for named in [curation.sources.candidate(entry.label)]
    )


def read_glossary(path: str | Path) -> dict[str, str]:
    """Return definitions by label, from a CSV file with the columns ``label, definition``.

    Raises:
        DatasetError: The file cannot be read or lacks a column.
    """
    rows = read_table(Path(path), ("label", "definition"), what="glossary")
    return {row["label"].strip().lower(): row["definition"].strip() for row in rows}


def open_taxonomy(source: str | Path) -> BuiltTaxonomy | Taxonomy:
    """Return a taxonomy by shipped name, from a file, or with its details from a build's folder.

    Raises:
        TaxonomyError: There is none, or it cannot be read.
    """
    folder = Path(source)
    if not folder.is_dir():
        return load_taxonomy(source)
    path = folder / DETAILS_FILE
    try:
        values = json.loads(path.read_text("utf-8"))
        built = BuiltTaxonomy(
            name=folder.resolve().name,
            labels=tuple(map(_built_label, values["labels"])),
            made_by=dict(values["made_by"]),
            dropped=tuple(map(str, values["dropped"])),
        )
        schema = values["schema"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise TaxonomyError(
            f"folder {folder} holds no taxonomy that `taxonomy build` made: {error}"
        ) from error
    if schema != SCHEMA:
        raise TaxonomyError(f"{path} has schema {schema!r}, not {SCHEMA!r}")
    if load_taxonomy(folder / LABELS_FILE).labels != built.taxonomy.labels:
        raise TaxonomyError(
            f"{folder / LABELS_FILE} and {path} name other labels; build the taxonomy again, and "
            "change it by decisions"
        )
    return built


def _built_label(row: Mapping[str, Any]) -> Entry:
    texts = {name: row[name] for name in ("label", "group", "example", "definition")}
    counts = {name: row[name] for name in ("num_scripts", "num_sluglines")}
    if not all(isinstance(text, str) for text in (*texts.values(), *row["merged"])):
        raise TypeError("a label's text is no text")
    if not all(isinstance(count, int) for count in counts.values()) or row["origin"] not in ORIGINS:
        raise ValueError(f"label {row['label']!r} lacks its counts or its origin")
    return Entry(**texts, **counts, origin=row["origin"], merged=tuple(row["merged"]))
