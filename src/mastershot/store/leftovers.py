"""Rows that belong to no film: what a killed writer leaves in a library's tables."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from mastershot.store.lance import LanceTables, equals
from mastershot.store.tables import TABLES_OF_A_RUN


@dataclass(frozen=True)
class Leftover:
    """Rows of one table that belong to no film that is there, as a killed writer leaves them.

    Attributes:
        table: The table.
        movie_id: The film they were for.
        where: The SQL condition that finds them.
        num_rows: How many they are.
    """

    table: str
    movie_id: str
    where: str
    num_rows: int


def find_leftovers(tables: LanceTables, name: str, runs: Mapping[str, str]) -> list[Leftover]:
    """Return the rows of a table that are of no film that is there, or not of its run.

    Args:
        tables: The library's tables.
        name: One of `TABLES_OF_A_RUN`, or a table of vectors, where only the film counts.
        runs: The run of each film that is there, by the film's id.
    """
    import pyarrow as pa

    columns = ["movie_id", "run_id"] if name in TABLES_OF_A_RUN else ["movie_id"]
    num_rows: Counter[tuple[str, ...]] = Counter()
    for batch in tables.batches(name, columns):
        groups = pa.Table.from_batches([batch]).group_by(columns).aggregate([([], "count_all")])
        for group in groups.to_pylist():
            num_rows[tuple(group[column] for column in columns)] += group["count_all"]
    return [
        Leftover(name, key[0], " AND ".join(map(equals, columns, key)), count)
        for key, count in sorted(num_rows.items())
        if key[0] not in runs or key[1:] not in {(), (runs[key[0]],)}
    ]
