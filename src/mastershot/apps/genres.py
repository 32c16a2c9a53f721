"""``mastershot genres``: what trained genre networks make of trailers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from typer import Argument, Option

from mastershot.apps.command import Commands, Json, Seed
from mastershot.apps.show import complain, say_result
from mastershot.core.errors import SettingError

if TYPE_CHECKING:
    from mastershot.genres.clustering import Method
    from mastershot.genres.maps import Layout

genres_app = Commands(name="genres", help="Genres of trailers: sub-genres.")


@genres_app.callback()
def genres() -> None:
    """Genres of trailers."""


@genres_app.command("subgenres")
def genres_subgenres(
    run: Annotated[
        Path, Argument(metavar="RUN|FOLDER", help="Run directory that holds embeddings.npz.")
    ],
    dataset: Annotated[
        Path, Option(metavar="FOLDER", help="The data set of genres it was trained on.")
    ],
    by: Annotated[str, Option(metavar="kmeans|hdbscan", help="How trailers are grouped.")] = (
        "kmeans"
    ),
    k: Annotated[
        str | None,
        Option("--k", metavar="K|A-B", help="Of k-means: how many, or the range to choose from."),
    ] = None,
    min_size: Annotated[
        int | None, Option(metavar="N", help="Of hdbscan: fewest trailers of a sub-genre.")
    ] = None,
    within: Annotated[
        str | None, Option(metavar="GENRE", help="Only trailers of this coarse genre.")
    ] = None,
    maps: Annotated[
        str | None,
        Option(metavar="tsne|umap|tsne,umap", help="Which maps to draw; default all there are."),
    ] = None,
    triplets: Annotated[
        Path | None,
        Option(metavar="FILE", help="CSV anchor,closer,farther of ids, to measure agreement with."),
    ] = None,
    out: Annotated[
        Path | None, Option(metavar="DIR", help="Where files go; default RUN/subgenres.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Find the sub-genres of a run's trailers: subgenres.json, .csv and a page, .html."""
    from mastershot.genres.clustering import ClusterSettings
    from mastershot.pipeline.genres.subgenres import SubGenreRequest, report_subgenres

    least, most = numbers_asked(k)
    settings = ClusterSettings(cast("Method", by), least, most, min_size, seed)
    layouts = None if maps is None else cast("tuple[Layout, ...]", tuple(maps.split(",")))
    request = SubGenreRequest(run, dataset, settings, within, layouts, triplets, out)
    report = report_subgenres(request)
    complain(*report.notes)
    say_result(report.facts, report.lines, as_json=as_json)


def numbers_asked(text: str | None) -> tuple[int, int | None]:
    """Return the fewest and the most sub-genres that are asked for.

    Raises:
        SettingError: It is neither a number nor a range.
    """
    if text is None:
        return 2, None
    first, _, last = text.partition("-")
    try:
        return int(first), int(last or first)
    except ValueError:
        raise SettingError(f"--k {text} is neither a number nor a range such as 2-40") from None
