"""The card of a data set of genres, as a text that people read."""

from collections import Counter
from collections.abc import Iterator

from mastershot.core.files import written_whole
from mastershot.datasets.genres.table import SPLITS, Expert, GenreDataset

CARD_TEXT = "README.md"


def write_card_text(
    dataset: GenreDataset, *, hours: float | None = None, num_failed: int = 0
) -> None:
    """Write ``README.md`` into the data set: what it holds, how it was made, its licence.

    Args:
        dataset: The data set.
        hours: How long its trailers are, where that is known.
        num_failed: Trailers that were listed and could not be read.

    Raises:
        OutputError: It cannot be written.
    """
    with written_whole(dataset.folder / CARD_TEXT) as file:
        file.write("\n".join(_lines(dataset, hours, num_failed)) + "\n")


def _lines(data: GenreDataset, hours: float | None, num_failed: int) -> Iterator[str]:
    made, trailers = data.made_by, data.trailers
    years = [one.year for one in trailers if one.year is not None]
    facts = [f"{len(trailers):,} trailers", f"{int(data.starts[-1]):,} clips"]
    facts += [f"{hours:.1f} hours"] if hours is not None else []
    facts += [f"{min(years)} to {max(years)}"] if years else []
    yield from (f"# {_cell(data.name)}", "", f"{', '.join(facts)}. A clip is a shot.", "")
    yield f"Licence of the trailers, as stated by who made this: {made.get('licence')}"
    if num_failed:
        yield from ("", f"{num_failed:,} trailers could not be read; `failures.csv` says why.")
    yield from ("", "## Genres", "")
    columns = [*SPLITS, *([""] if any(not one.split for one in trailers) else [])]
    yield "| genre | trailers | " + " | ".join(name or "no split" for name in columns) + " |"
    yield "|---" * (2 + len(columns)) + "|"
    for genre in data.genres:
        counts = Counter(one.split for one in trailers if genre in one.genres)
        cells = [_cell(genre), f"{counts.total():,}", *(f"{counts[name]:,}" for name in columns)]
        yield f"| {' | '.join(cells)} |"
    counts = Counter(one.split for one in trailers)
    all_of = [f"{len(trailers):,}", *(f"{counts[name]:,}" for name in columns)]
    yield f"| all trailers | {' | '.join(all_of)} |"
    if years:
        yield from ("", "## Years", "")
        decades = Counter(year // 10 * 10 for year in years)
        yield ", ".join(f"{decade}s: {count:,}" for decade, count in sorted(decades.items()))
    yield from ("", "## Experts", "", "| expert | width | made by |", "|---|---|---|")
    for one in data.experts.values():
        yield f"| {_cell(one.name)} | {_width(one)} | {_cell(_made(one))} |"
    yield from ("", "## How it was made", "")
    for key, value in made.items():
        if key != "licence":
            yield f"- {_cell(key)}: {_cell(str(value))}"


def _width(one: Expert) -> str:
    return f"{one.pieces} × {one.width}" if one.pieces else str(one.width)


def _made(one: Expert) -> str:
    shown = (f"{key} {value}" for key, value in one.made_by.items() if not isinstance(value, list))
    return ", ".join(shown)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
