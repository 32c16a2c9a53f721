"""``mastershot genres``: data sets of trailers, and the sub-genres of a trained network."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from typer import Argument, Exit, Option

from mastershot.apps.command import Commands, Json, Reporting, Seed
from mastershot.apps.show import complain, complain_of, say_result, showing_progress
from mastershot.core.errors import SettingError

if TYPE_CHECKING:
    from mastershot.datasets.genres.table import GenreDataset
    from mastershot.genres.clustering import Method
    from mastershot.genres.maps import Layout
    from mastershot.pipeline.genres.build import Built
    from mastershot.shots.settings import DetectorName

genres_app = Commands(name="genres", help="Trailers with genres: data sets, and sub-genres.")

DatasetFolder = Annotated[Path, Option("--out", metavar="DATASET", help="The data set's folder.")]
Licence = Annotated[str, Option(metavar="TEXT", help="Of the trailers; the card states it.")]
Name = Annotated[
    str | None, Option(metavar="TEXT", help="Of the data set; its folder's, unless given.")
]


@genres_app.command("build")
def genres_build(
    folder: Annotated[Path, Argument(metavar="FOLDER", help="Trailers, or a folder a genre.")],
    *,
    out: DatasetFolder,
    genres: Annotated[
        Path | None,
        Option(metavar="CSV", help="file or id, genres; title, year, split, synopsis, keywords."),
    ] = None,
    experts: Annotated[
        str, Option(metavar="NAME,…", help="Which of location, image, audio, motion, text.")
    ] = "location,image,audio,motion,text",
    location: Annotated[
        Path | None,
        Option(metavar="PATH", help="ResNet of Places365, or recogniser, as the expert location."),
    ] = None,
    encoder: Annotated[
        str | None,
        Option(metavar="NAME|PATH", help="Encoder of frames, or SENet-154, as the expert image."),
    ] = None,
    motion: Annotated[
        Path | None,
        Option(metavar="PATH", help="Recogniser, or weights of I3D, as the expert motion."),
    ] = None,
    audio: Annotated[
        Path | None, Option(metavar="PATH", help="Folder of AST, or VGGish, as the expert audio.")
    ] = None,
    split: Annotated[
        str, Option(metavar="SHARES", help="Of train, val and test, where the CSV has no splits.")
    ] = "0.7,0.15,0.15",
    detector: Annotated[
        str, Option(metavar="temporal|content|adaptive|learned|cascade", help="Finds clips.")
    ] = "temporal",
    seed: Seed = 0,
    name: Name = None,
    licence: Licence = "",
    reporting: Reporting,
) -> None:
    """Make a data set of trailers: one decoding pass each, vectors of every expert a clip.

    A run that was stopped goes on with the same command; trailers that fail are listed in
    failures.csv.
    """
    from mastershot.pipeline.experts.catalogue import ExpertSettings, load_experts
    from mastershot.pipeline.genres.build import BuildSettings, build_genres, list_trailers
    from mastershot.pipeline.genres.films import parse_shares
    from mastershot.shots.settings import ShotSettings

    shots = ShotSettings(cast("DetectorName", detector))
    names = tuple(part.strip() for part in experts.split(","))
    chosen = ExpertSettings(names, encoder, motion, audio, location)
    settings = BuildSettings(name or out.resolve().name, shots, parse_shares(split), seed, licence)
    trailers = list_trailers(folder, genres)
    loaded = load_experts(chosen)
    with showing_progress("genres", quiet=reporting.quiet) as progress:
        failed = partial(complain_of, debug=reporting.debug)
        built = build_genres(
            folder, trailers, loaded, out, settings, progress=progress, failed=failed
        )
    complain(*built.twins)
    facts = _facts(built.dataset) | {
        "failures": [{"trailer": one.trailer, "reason": one.reason} for one in built.failures],
        "decoded": built.num_decoded,
        "real_time": built.real_time,
    }
    lines = [*_lines(built.dataset), *_speed_lines(built)]
    say_result(facts, lines, as_json=reporting.as_json)
    if built.failures:
        raise Exit(1)


@genres_app.command("convert")
def genres_convert(
    kind: Annotated[str, Argument(metavar="KIND", help="mmx, trailers12k or moviescope.")],
    source: Annotated[Path, Argument(metavar="SOURCE", help="The released folder, or its CSV.")],
    *,
    out: DatasetFolder,
    vectors: Annotated[
        Path | None,
        Option(metavar="DIR", help="Holds experts/NAME/ID.npy; SOURCE, unless given."),
    ] = None,
    fold: Annotated[int, Option(min=0, help="Which split of several, as of trailers12k.")] = 0,
    name: Name = None,
    licence: Licence = "",
    as_json: Json = False,
) -> None:
    """Bring a released data set, with vectors computed elsewhere, into our format.

    Where there are no vectors, its list is written as genres.csv, which genres build reads.
    """
    from mastershot.pipeline.genres.convert import convert_genres

    done = convert_genres(kind, source, out, vectors=vectors, fold=fold, name=name, licence=licence)
    facts: dict[str, Any] = {"trailers": done.num_trailers, "without_vectors": done.num_without}
    if done.dataset is None:
        lines = [
            f"{done.num_trailers:,} trailers, and no vectors in experts/NAME/ID.npy; "
            f"`genres build FOLDER --genres {done.listing}` makes them of their files"
        ]
        facts["listing"] = done.listing
    else:
        facts |= _facts(done.dataset)
        lines = [*_lines(done.dataset)]
        if done.num_without:
            lines.append(f"{done.num_without:,} trailers have no vector of any expert")
    say_result(facts, lines, as_json=as_json)


@genres_app.command("stats")
def genres_stats(
    dataset: Annotated[Path, Argument(metavar="DATASET", help="A data set of genres.")],
    *,
    out: Annotated[
        Path | None, Option(metavar="DIR", help="Where files go; default DATASET/stats.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Count trailers by genre, shots and year: stats.csv, a page, and a picture a histogram."""
    from mastershot.datasets.genres.statistics import genre_statistics
    from mastershot.datasets.genres.table import read_genre_dataset
    from mastershot.exports.genre_statistics import (
        statistics_facts,
        statistics_lines,
        write_statistics,
    )

    figures = genre_statistics(read_genre_dataset(dataset))
    page = write_statistics(figures, dataset / "stats" if out is None else out)
    lines = [*statistics_lines(figures), f"→ {page}"]
    say_result(statistics_facts(figures) | {"page": page}, lines, as_json=as_json)


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


def _facts(dataset: "GenreDataset") -> dict[str, Any]:
    return {
        "dataset": dataset.folder,
        "trailers": len(dataset.trailers),
        "clips": int(dataset.starts[-1]),
        "genres": dataset.genres,
        "experts": {name: one.shape for name, one in dataset.experts.items()},
    }


def _lines(dataset: "GenreDataset") -> Iterator[str]:
    experts = ", ".join(
        f"{name} {' × '.join(map(str, one.shape))}" for name, one in dataset.experts.items()
    )
    yield (
        f"{len(dataset.trailers):,} trailers, {int(dataset.starts[-1]):,} clips, "
        f"{len(dataset.genres):,} genres; {experts} → {dataset.folder}"
    )


def _speed_lines(built: "Built") -> Iterator[str]:
    if not built.num_decoded:
        yield "nothing was decoded: all vectors were kept"
        return
    yield f"{built.num_decoded:,} trailers decoded, {built.decoded_s:,.0f} s; of a second each took"
    for name, share in sorted(built.real_time.items(), key=lambda one: -one[1]):
        yield f"  {name}: {share:.3f} s"
