"""``mastershot search``, ``similar``, ``map``: shots by words, and scenes that are alike."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from typer import Argument, Option

from mastershot.apps.command import Json, LibraryFolder
from mastershot.apps.show import complain, say, say_result
from mastershot.core.errors import SettingError
from mastershot.core.movie import SCALES
from mastershot.core.text import printable
from mastershot.core.time import format_clock

if TYPE_CHECKING:
    from mastershot.core.embeddings import EmbeddingSpace
    from mastershot.pipeline.search.nearest import Hit
    from mastershot.pipeline.search.scene_map import Kind
    from mastershot.pipeline.search.similar import FoundScene, Similar, SimilarScenes
    from mastershot.pipeline.search.vectors import SceneView
    from mastershot.store.library import Library

SceneEncoder = Annotated[
    Path | None,
    Option(metavar="RUN|FOLDER", help="Trained scene encoder, instead of plain means."),
]
Vectors = Annotated[
    str, Option(metavar="NAME", help="Of a library with several vectors: whose to compare.")
]


def search(
    *,
    words: Annotated[
        str | None, Argument(metavar="[WORDS]", help='Such as "a forest in the snow".')
    ] = None,
    library: LibraryFolder,
    scene: Annotated[
        str | None,
        Option(metavar="FILM/s0003", help="Instead of shots by words: scenes like this one."),
    ] = None,
    limit: Annotated[int, Option(metavar="N", help="The most shots to show.")] = 10,
    encoder: Annotated[
        str | None, Option(metavar="NAME|FOLDER", help="Search the vectors of this encoder.")
    ] = None,
    out: Annotated[
        Path | None, Option(metavar="PAGE", help="Also write a contact sheet, as HTML.")
    ] = None,
    setting: Annotated[
        str | None, Option(metavar="int|ext", help="Only shots surely indoors, or outdoors.")
    ] = None,
    time: Annotated[
        str | None, Option(metavar="day|night", help="Only shots surely by day, or by night.")
    ] = None,
    heading: Annotated[
        str | None, Option(metavar="WORDS", help="Only scenes whose heading has these words.")
    ] = None,
    scale: Annotated[
        str | None, Option(metavar="|".join(SCALES), help="Only shots of this scale.")
    ] = None,
    people: Annotated[
        str | None, Option(metavar="N|N+", help="Only shots of so many people, or of N or more.")
    ] = None,
    genre: Annotated[
        str | None, Option(metavar="NAME", help="Only films that are given this genre.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find the shots of a library that words describe best, or the scenes most like one."""
    from mastershot.pipeline.library import Library
    from mastershot.pipeline.search.filters import ShotFilter
    from mastershot.pipeline.search.words import write_hits_page

    only = ShotFilter(setting, time, heading, scale, people, genre)
    if scene is not None:
        if words is not None or only.asked:
            raise SettingError("--scene finds scenes like one; it takes no words and no filters")
        _search_scenes(library, scene, limit=limit, vectors=encoder or "", out=out, as_json=as_json)
        return
    if words is None:
        raise SettingError("give words that describe shots, or a scene with --scene")
    kept = Library(library, create=False)
    hits = kept.search(words, limit=limit, encoder=encoder, only=only if only.asked else None)
    if hits.space is not None:
        complain(_searched_with(hits.space, library))
    complain(*hits.notes)
    lines = [_hit_line(rank, hit) for rank, hit in enumerate(hits, start=1)]
    if out is not None:
        write_hits_page(kept, hits, out, words=words)
        lines.append(f"→ {out}")
    say_result([asdict(hit) for hit in hits], lines, as_json=as_json)


def similar(
    *,
    name: Annotated[str, Argument(metavar="FILM|SCENE", help="A film, or a scene (FILM/s0003).")],
    library: LibraryFolder,
    other: Annotated[
        str | None,
        Argument(
            metavar="FILM", help="The film to compare with, even a scene's own; or all others."
        ),
    ] = None,
    limit: Annotated[int, Option(metavar="N", help="The most rows to show.")] = 10,
    window: Annotated[
        int | None, Option(metavar="SHOTS", help="Shots of a scene; default 9, or the encoder's.")
    ] = None,
    encoder: SceneEncoder = None,
    against: Annotated[
        Path | None, Option(metavar="RUN|FOLDER", help="Another one, to show the results of both.")
    ] = None,
    vectors: Vectors = "",
    out: Annotated[
        Path | None, Option(metavar="PAGE", help="Also draw the scenes side by side, as HTML.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find the similar scenes of two films, the films similar to one, or scenes similar to one.

    Films are compared by the vectors that the library holds of their shots.
    """
    from mastershot.pipeline.search.similar import find_similar
    from mastershot.pipeline.search.vectors import SceneSource
    from mastershot.store.library import Library

    store = Library(library)
    sources = (
        SceneSource(store, scene_view(folder), vectors=vectors)
        for folder in (encoder, *([against] if against else []))
    )
    found = [find_similar(source, name, other, window=window, limit=limit) for source in sources]
    _show_similar(store, found, out=out, as_json=as_json)


def _search_scenes(
    library: Path, scene: str, *, limit: int, vectors: str, out: Path | None, as_json: bool
) -> None:
    from mastershot.pipeline.search.similar import find_scenes_like
    from mastershot.pipeline.search.vectors import SceneSource
    from mastershot.store.library import Library

    store = Library(library)
    found = find_scenes_like(SceneSource(store, vectors=vectors), scene, limit=limit)
    _show_similar(store, [found], out=out, as_json=as_json)


def _show_similar(
    store: "Library", found: "Sequence[Similar]", *, out: Path | None, as_json: bool
) -> None:
    from mastershot.pipeline.search.similar_page import write_similar_page

    complain(*dict.fromkeys(note for one in found for note in one.notes))
    lines = []
    for one in found:
        lines += [one.view] if len(found) > 1 else []
        lines += [_pair_line(rank, row) for rank, row in enumerate(one.rows, start=1)]
    if out is not None:
        write_similar_page(store, found, out)
        lines.append(f"→ {out}")
    rows = [{"view": one.view, **asdict(row)} for one in found for row in one.rows]
    say_result(rows, lines, as_json=as_json)


def draw_map(
    library: LibraryFolder,
    out: Annotated[Path, Option(metavar="PAGE", help="The page.")] = Path("map.html"),
    of: Annotated[str, Option(metavar="scenes|films", help="What the points are.")] = "scenes",
    encoder: SceneEncoder = None,
    vectors: Vectors = "",
) -> None:
    """Draw a library's scenes, or films, as a map on which what is alike lies near."""
    from mastershot.pipeline.search.scene_map import draw_scene_map
    from mastershot.pipeline.search.vectors import SceneSource
    from mastershot.store.library import Library

    source = SceneSource(Library(library), scene_view(encoder), vectors=vectors)
    say(f"{draw_scene_map(source, out, of=cast('Kind', of)):,} {of} → {out}")


def scene_view(folder: Path | None) -> "SceneView":
    """Return scenes by the encoder in a folder or a run's folder; without one, by plain means.

    Raises:
        EncoderError: There is none, or one of keyframes, which a library does not hold.
    """
    from mastershot.core.embeddings import EmbeddingSpace
    from mastershot.core.errors import EncoderError, SettingError
    from mastershot.pipeline.search.vectors import PLAIN_VIEW, SceneView

    if folder is None:
        return PLAIN_VIEW
    from mastershot.training.movies2scenes.checkpoints import load_scene_encoder
    from mastershot.training.movies2scenes.settings.encoders import ShotSource

    inner = (folder, folder / "scene_encoder", folder / "scenes" / "scene_encoder")
    home = next((at for at in inner if (at / "scene_encoder.json").is_file()), folder)
    encoder = load_scene_encoder(home)
    shape = encoder.shape
    if len(shape.row_shape) > 1:
        raise EncoderError(
            f"{home} holds an encoder of keyframes, and a library keeps vectors of shots; name an "
            "encoder of features"
        )
    try:
        shots = ShotSource(".", pooling=encoder.metadata["recipe"]["shots"]["pooling"])
        space = encoder.metadata.get("space")
        space = EmbeddingSpace(**space) if space else None
    except (KeyError, TypeError, SettingError) as error:
        raise EncoderError(f"{home} does not say which vectors it was trained on") from error
    return SceneView(
        name=str(folder),
        encode=encoder.encode,
        num_shots=shape.num_shots,
        width=shape.row_shape[0],
        pooling=shots.pooling,
        space=space,
    )


def _searched_with(space: "EmbeddingSpace", library: Path) -> str:
    from mastershot.encoders.catalogue import ENCODERS

    if not any(row.packaged for row in ENCODERS if row.name == space.model):
        return f"searched with {space.model}"
    return (
        f"searched with {space.model}, which recognises places and things but not sentences; CLIP "
        f"knows more: `mastershot library add FILM --library {library} --encoder clip`, then "
        "search with `--encoder clip`"
    )


def _hit_line(rank: int, hit: "Hit") -> str:
    times = f"{format_clock(hit.start_s)} - {format_clock(hit.end_s)}"
    name, labels = Path(hit.path).name, ", ".join(hit.kept)
    if hit.heard is not None:
        labels = f"heard: {hit.heard}  {labels}"
    if hit.said is not None and hit.said_s is not None:
        labels = f"said at {format_clock(hit.said_s)}: {printable(hit.said)}  {labels}"
    return f"{rank:4}  {hit.score:6.3f}  {times}  {name}  {hit.id}  {labels}".rstrip()


def _pair_line(rank: int, row: "SimilarScenes") -> str:
    labels = ", ".join(label.name for label in row.shared)
    note = f"{row.score_note}  " if row.score_note else ""
    places = f"{_place(row.scene)}  ~  {_place(row.other)}"
    return f"{rank:4}  {row.ranked_by:6.3f}  {note}{places}  {labels}".rstrip()


def _place(scene: "FoundScene") -> str:
    times = f"{format_clock(scene.start_s)} - {format_clock(scene.end_s)}"
    return f"{Path(scene.path).name} {times}" + (f" {scene.scene_id}" if scene.scene_id else "")
