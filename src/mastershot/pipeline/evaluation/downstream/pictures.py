"""Pictures of the items of a library: of a film or a scene, that of its middle shot."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from mastershot.core.text import utf8_text
from mastershot.pipeline.evaluation.downstream.vectors import scene_item
from mastershot.store.library import Library
from mastershot.store.reading import scene_bounds

_KEPT = 512  # Pictures in memory; neighbours repeat.


def library_pictures(library: Path) -> Callable[[str], bytes | None]:
    """Return what gives an item's picture, a JPEG, by its name; None where there is none.

    Items are named as `vectors.library_rows` names them.

    Raises:
        LibraryError: The library cannot be read.
    """
    store = Library(library)
    bounds = scene_bounds(store.tables)
    shots: dict[str, tuple[str, int]] = {}
    for movie in store.movies():
        name = utf8_text(Path(movie.path).stem)
        shots[name] = (movie.id, movie.num_shots // 2)
        for index, (first, end) in enumerate(bounds.get(movie.run_id, ())):
            shots[scene_item(name, index)] = (movie.id, int(first + end) // 2)

    @lru_cache(maxsize=_KEPT)
    def picture(item: str) -> bytes | None:
        if item not in shots:
            return None
        movie, shot = shots[item]
        return store.thumb(f"{movie}/{shot:05d}")

    return picture
