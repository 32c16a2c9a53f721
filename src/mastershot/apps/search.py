"""``mastershot search``: shots of a library by words."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mastershot.apps.errors import errors_as_sentences
from mastershot.apps.options import Debug, Json, LibraryFolder
from mastershot.apps.show import complain, say, say_json
from mastershot.core.time import format_clock

if TYPE_CHECKING:
    from mastershot.core.embeddings import EmbeddingSpace
    from mastershot.pipeline.search.nearest import Hit


def search(
    words: Annotated[str, typer.Argument(metavar="WORDS", help='Such as "a forest in the snow".')],
    library: LibraryFolder,
    limit: Annotated[int, typer.Option(metavar="N", help="The most shots to show.")] = 10,
    encoder: Annotated[
        str | None,
        typer.Option(metavar="NAME|FOLDER", help="Search what this encoder has looked at."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="PAGE", help="Also write a contact sheet, as HTML.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Find the shots of a library that words describe best."""
    with errors_as_sentences(debug):
        from mastershot.pipeline.library import Library
        from mastershot.pipeline.search.words import write_hits_page

        kept = Library(library, create=False)
        hits = kept.search(words, limit=limit, encoder=encoder)
        complain(_searched_with(hits.space, library))
        for note in hits.notes:
            complain(note)
        if out is not None:
            write_hits_page(kept, hits, out, words=words)
        if as_json:
            say_json([asdict(hit) for hit in hits])
            return
        for rank, hit in enumerate(hits, start=1):
            say(_line(rank, hit))
        if out is not None:
            say(f"→ {out}")


def _searched_with(space: "EmbeddingSpace", library: Path) -> str:
    from mastershot.encoders.catalogue import ENCODERS

    row = next((row for row in ENCODERS if row.name == space.model), None)
    if row is None or not row.packaged:
        return f"searched with {space.model}"
    return (
        f"searched with {row.name}, which knows places and things, not sentences; CLIP knows more: "
        f"`mastershot library add FILM --library {library} --encoder clip`, then search with "
        "`--encoder clip`"
    )


def _line(rank: int, hit: "Hit") -> str:
    times = f"{format_clock(hit.start_s)} - {format_clock(hit.end_s)}"
    name, labels = Path(hit.path).name, ", ".join(hit.kept)
    return f"{rank:4}  {hit.score:6.3f}  {times}  {name}  {hit.id}  {labels}".rstrip()
