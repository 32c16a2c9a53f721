"""MMX-Trailer-20: trailers of 20 genres, with the vectors of four experts (Fish et al. 2021).

The release was not at hand, so the layout is ours: ``genres.csv`` as `listing` reads it, and beside
it the vectors of each expert as `vectors` reads them.
"""

from pathlib import Path

from mastershot.core.errors import DatasetError
from mastershot.datasets.genres.listing import ListedTrailer, read_listing

LISTING = "genres.csv"


def read_mmx(folder: Path) -> tuple[ListedTrailer, ...]:
    """Return the trailers of a folder, in file order.

    Raises:
        DatasetError: The list is missing, or not what it should be.
    """
    if not (folder / LISTING).is_file():
        raise DatasetError(
            f"{folder} holds no {LISTING}, with a row a trailer: id, genres, and title, year, "
            "split, synopsis where known"
        )
    return read_listing(folder / LISTING)
