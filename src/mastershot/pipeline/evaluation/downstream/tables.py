"""The scene tables of one evaluation: of the same films, in the same order, or not compared."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np

from mastershot.core.errors import SettingError
from mastershot.datasets.tables.scene_table import (
    FEATURES,
    SCENES,
    SPLITS,
    SceneTable,
    read_scene_table,
)


@dataclass(frozen=True, eq=False)
class ComparedTables:
    """Scene tables whose figures are compared.

    Attributes:
        tables: Of the same films, shots and scenes, films in the order of the first.
        names: What each is called.
        left_out: Films that not all tables have, by split; empty unless they were to be left out.
    """

    tables: tuple[SceneTable, ...]
    names: tuple[str, ...]
    left_out: Mapping[str, tuple[str, ...]]


def read_tables(
    paths: Sequence[Path], *, common: bool = False, side_by_side: bool = False
) -> ComparedTables:
    """Return the scene tables of folders.

    Args:
        paths: The folders, at least one.
        common: Leave out films that not all tables have, instead of refusing.
        side_by_side: Add a table of the features of all, side by side.

    Raises:
        SettingError: Tables are of other films or scenes, or there is nothing to put beside one.
        DatasetError: A table is not laid out as it should be.
    """
    if side_by_side and len(paths) < 2:
        raise SettingError(
            "side by side stand the vectors of two scene tables or more, named with --features; "
            f"{len(paths)} is given"
        )
    read = [read_scene_table(path / FEATURES, path / SCENES) for path in paths]
    if not common:
        _require_same(read)
    films = [{film.name: film for film in table.films} for table in read]
    shared = [film.name for film in read[0].films if all(film.name in one for one in films)]
    if not shared:
        raise SettingError(f"no film is in all of the {len(paths)} scene tables")
    tables = [
        replace(table, films=tuple(one[name] for name in shared))
        for table, one in zip(read, films, strict=True)
    ]
    _require_same(tables)
    names = distinct_names(paths)
    if side_by_side:
        tables.append(_joined(tables, names))
        names.append(" + ".join(names))
    return ComparedTables(tuple(tables), tuple(names), _left_out(read, set(shared)))


def fingerprint(table: SceneTable) -> str:
    """Return a digest of films, splits, shots, their times and scenes, whatever their order."""
    lines = sorted(
        f"{film.split} {film.name} {len(film.features)} {film.first_shots} {film.shot_edges_s}"
        for film in table.films
    )
    return blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return the names of folders, with a number behind those that repeat."""
    names = [path.resolve().name for path in paths]
    return [
        name if names.count(name) == 1 else f"{name} ({place})"
        for place, name in enumerate(names, 1)
    ]


def _require_same(tables: Sequence[SceneTable]) -> None:
    first = {film.name for film in tables[0].films}
    for table in tables[1:]:
        if fingerprint(table) != fingerprint(tables[0]):
            others = {film.name for film in table.films} != first
            raise SettingError(
                f"scenes {table.scenes} list other films, splits, shots or scenes than "
                f"{tables[0].scenes}; figures of different ones are not compared"
                + (": --common keeps the films that all have" if others else "")
            )


def _joined(tables: Sequence[SceneTable], names: Sequence[str]) -> SceneTable:
    films = [
        replace(parts[0], features=np.hstack([film.features for film in parts]))
        for parts in zip(*(table.films for table in tables), strict=True)
    ]
    spaces = tuple(space for table in tables for space in table.spaces)
    made_by = {
        "side_by_side": {
            name: dict(table.made_by) for name, table in zip(names, tables, strict=True)
        },
        "spaces": [asdict(space) for space in spaces],
    }
    return SceneTable(tuple(films), spaces, made_by, tables[0].scenes)


def _left_out(tables: Sequence[SceneTable], shared: set[str]) -> dict[str, tuple[str, ...]]:
    splits = {film.name: film.split for table in tables for film in table.films}
    return {
        split: tuple(name for name, own in splits.items() if own == split and name not in shared)
        for split in SPLITS
    }
