"""Shots in which people look for labels that a taxonomy lacks, and what they found (METHODS A2)."""

import csv
from collections.abc import Iterable
from pathlib import Path

from mastershot.core.errors import LibraryError, OutputError
from mastershot.core.files import make_folder, written_whole
from mastershot.core.text import printable
from mastershot.core.time import format_clock
from mastershot.curation.decisions import Decision, now
from mastershot.datasets.files import read_table
from mastershot.exports.tables import as_text
from mastershot.labelling.draws import draw_shots
from mastershot.store.files import write_whole
from mastershot.store.library import Library as FilmStore

NUM_DRAWN = 1000
"""How many shots the paper's expert viewed (section 3.2)."""

VIEWING_COLUMNS = ("shot", "film", "start", "end", "start_s", "end_s", "labels", "thumb", "missing")


def write_viewing(
    library: FilmStore, path: Path, *, num_drawn: int = NUM_DRAWN, seed: int = 0
) -> int:
    """Write a draw of a library's shots as a CSV file to fill in; return how many there are.

    Films are strata: each has its share of the draw, and the seed alone settles which shots. The
    pictures lie in ``thumbs/`` beside the file. Viewers write into ``missing`` the labels that the
    taxonomy lacks, separated by semicolons.

    Raises:
        SettingError: Fewer than one shot is asked for.
        LibraryError: The library holds no shot, or cannot be read.
        OutputError: A file cannot be written, or there is one already, which may be filled in.
    """
    if path.exists():
        raise OutputError(f"{path} is there already and may be filled in; name another file")
    shots = {
        shot.id: (film, shot)
        for film in library.movies()
        for shot in library.timeline(film.id).shots
    }
    if not shots:
        raise LibraryError(f"library {library.path} holds no shot to draw; add a film")
    names = list(shots)
    drawn = draw_shots(names, [shots[name][0].id for name in names], num_drawn, seed=seed)
    make_folder(path.parent / "thumbs")
    with written_whole(path) as file:
        writer = csv.writer(file)
        writer.writerow(VIEWING_COLUMNS)
        for one in drawn:
            film, shot = shots[names[one.place]]
            picture, thumb = library.thumb(shot.id), ""
            if picture is not None:
                thumb = f"thumbs/{shot.id.replace('/', '-')}.jpg"
                write_whole(path.parent / thumb, picture)
            times = (shot.span.start_s, shot.span.end_s)
            labels = as_text("; ".join(label.name for label in shot.labels or ()))
            cells = [as_text(shot.id), as_text(printable(film.path)), *map(format_clock, times)]
            writer.writerow([*cells, *times, labels, thumb, ""])
    return len(drawn)


def read_missing(path: Path, *, by: str) -> tuple[Decision, ...]:
    """Return a decision to add for each label that somebody missed, the first met first.

    Raises:
        DatasetError: The file is no draw.
    """
    seen: dict[str, list[str]] = {}
    for row in read_table(path, ("shot", "missing"), what="draw of shots"):
        for text in row["missing"].split(";"):
            if label := " ".join(text.lower().split()):
                seen.setdefault(label, []).append(row["shot"])
    made = now()
    return tuple(
        Decision("add", label, by=by, made=made, note=f"seen in {len(shots)} shots: {shots[0]}")
        for label, shots in seen.items()
    )


def not_yet_made(found: Iterable[Decision], made: Iterable[Decision]) -> tuple[Decision, ...]:
    """Return the decisions that the same person has not made before for the same reason.

    So a draw that is read twice adds nothing, and later decisions stay.
    """

    def reason(one: Decision) -> tuple[str, ...]:
        texts = (one.decision, one.label, one.into, one.by, one.note)
        return tuple(" ".join(text.split()) for text in texts)  # blanks as a file keeps them

    known = {reason(one) for one in made}
    return tuple(one for one in found if reason(one) not in known)
