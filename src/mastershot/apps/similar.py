"""``mastershot similar``: which scenes of films are alike, which films are, and why."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from mastershot.apps.errors import errors_as_sentences
from mastershot.apps.options import Debug, Json, LibraryFolder
from mastershot.apps.show import complain, say, say_json
from mastershot.core.time import format_clock

if TYPE_CHECKING:
    from mastershot.pipeline.search.similar import FoundScene, SimilarScenes
    from mastershot.pipeline.search.vectors import SceneView

SceneEncoder = Annotated[
    Path | None,
    typer.Option(
        "--encoder", metavar="RUN|FOLDER", help="Trained scene encoder, instead of plain means."
    ),
]
Vectors = Annotated[
    str,
    typer.Option(metavar="NAME", help="Of a library with vectors of several encoders, the one."),
]


def similar(
    name: Annotated[
        str,
        typer.Argument(metavar="FILM|SCENE", help="A film, or a scene (FILM/s0003)."),
    ],
    library: LibraryFolder,
    other: Annotated[
        str | None, typer.Argument(metavar="FILM", help="The film to compare with; or all.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="The most rows to show.")] = 10,
    window: Annotated[
        int | None,
        typer.Option(metavar="SHOTS", help="Shots of a scene; default 9, or the encoder's."),
    ] = None,
    encoder: SceneEncoder = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="RUN|FOLDER", help="Another one, to show the results of both."),
    ] = None,
    vectors: Vectors = "",
    out: Annotated[
        Path | None,
        typer.Option(metavar="PAGE", help="Also draw the scenes side by side, as HTML."),
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Find the similar scenes of two films, the films similar to one, or scenes similar to one.

    Films are compared by the vectors that the library holds of their shots.
    """
    with errors_as_sentences(debug):
        from mastershot.pipeline.search.similar import find_similar
        from mastershot.pipeline.search.similar_page import write_similar_page
        from mastershot.pipeline.search.vectors import SceneSource
        from mastershot.store.library import Library

        store = Library(library)
        folders = [encoder, *([against] if against else [])]
        found = [
            find_similar(
                SceneSource(store, scene_view(folder), vectors=vectors),
                name,
                other,
                window=window,
                limit=limit,
            )
            for folder in folders
        ]
        for note in dict.fromkeys(note for one in found for note in one.notes):
            complain(note)
        if out is not None:
            write_similar_page(store, found, out)
        if as_json:
            say_json([{"view": one.view, **asdict(row)} for one in found for row in one.rows])
            return
        for one in found:
            if len(found) > 1:
                say(one.view)
            for rank, row in enumerate(one.rows, start=1):
                say(_line(rank, row))
        if out is not None:
            say(f"→ {out}")


def scene_view(folder: Path | None) -> "SceneView":
    """Return how the encoder in a folder, or in a run's folder, sees scenes; plain without one.

    Raises:
        EncoderError: There is none, or one of keyframes, which a library does not hold.
    """
    from mastershot.core.embeddings import EmbeddingSpace
    from mastershot.core.errors import EncoderError, SettingError
    from mastershot.pipeline.search.vectors import PLAIN_VIEW, SceneView
    from mastershot.training.movies2scenes.settings.encoders import ShotSource

    if folder is None:
        return PLAIN_VIEW
    from mastershot.training.movies2scenes.checkpoints import load_scene_encoder

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


def _line(rank: int, row: "SimilarScenes") -> str:
    labels = ", ".join(label.name for label in row.shared)
    said = f"{row.said}  " if row.said else ""
    places = f"{_place(row.scene)}  ~  {_place(row.other)}"
    return f"{rank:4}  {row.ranked_by:6.3f}  {said}{places}  {labels}".rstrip()


def _place(scene: "FoundScene") -> str:
    times = f"{format_clock(scene.start_s)} - {format_clock(scene.end_s)}"
    return f"{Path(scene.path).name} {times}" + (f" {scene.scene_id}" if scene.scene_id else "")


def draw_map(
    library: LibraryFolder,
    out: Annotated[Path, typer.Option(metavar="PAGE", help="The page.")] = Path("map.html"),
    of: Annotated[
        str, typer.Option(metavar="scenes|films", help="What the points are.")
    ] = "scenes",
    encoder: SceneEncoder = None,
    vectors: Vectors = "",
    debug: Debug = False,
) -> None:
    """Draw a library's scenes, or films, as a map on which what is alike lies near."""
    with errors_as_sentences(debug):
        from mastershot.pipeline.search.scene_map import Kind, draw_scene_map
        from mastershot.pipeline.search.vectors import SceneSource
        from mastershot.store.library import Library

        source = SceneSource(Library(library), scene_view(encoder), vectors=vectors)
        num_points = draw_scene_map(source, out, of=cast("Kind", of))
        say(f"{num_points:,} {of} → {out}")
