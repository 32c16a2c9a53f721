"""Counts which place follows which over the MovieCLIP release: the table that ships.

    python bench/place_transitions.py SPLIT_FILES [--out FILE]

SPLIT_FILES is the folder of the released split files; all their shots count but the verified ones,
which are pieces of other clips.
"""

import argparse
from pathlib import Path

from mastershot.datasets.movieclip import HUMAN_VERIFIED, read_release
from mastershot.labelling import transitions

SHIPPED = Path(transitions.__file__).with_name(transitions.SHIPPED_TABLE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("split_files", type=Path)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    options = parser.parse_args()
    counts = release_counts(options.split_files)
    transitions.write_transitions(options.out, counts)
    total = counts.counts.sum()
    print(
        f"{total:,.0f} pairs of shots, {(counts.counts > 0).sum():,} counts; "
        f"{counts.counts.trace() / total:.1%} stay → {options.out}"
    )


def release_counts(split_files: Path) -> transitions.TransitionCounts:
    """Return the counts over train, validation and test shots."""
    release = read_release(split_files)
    shots = [
        shot for name, part in release.splits.items() if name != HUMAN_VERIFIED for shot in part
    ]
    return transitions.count_transitions(shots, release.index.labels)


if __name__ == "__main__":
    main()
