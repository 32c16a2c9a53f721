"""A whole library of drawn films with the metadata of a real one, and its truth."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from mastershot.core.errors import OutputError
from mastershot.core.files import replacing
from mastershot.media.write import write_frames
from mastershot.synthetic.films import draw_frames
from mastershot.synthetic.places import Place, random_colours
from mastershot.synthetic.plan import (
    Action,
    Editing,
    FilmPlan,
    Move,
    Picture,
    ShotPlan,
    edit_scene,
    scene_setups,
    set_lengths,
)


@dataclass(frozen=True)
class Theme:
    """What scenes of like films have in common.

    Attributes:
        name: What it is called in the truth.
        action: What people do in it.
        places: The kinds of place it is set in; each theme has two layouts of its own of each.
        genres: Genres of films about it.
        words: What synopses of such films speak of.
    """

    name: str
    action: Action
    places: tuple[str, ...]
    genres: tuple[str, ...]
    words: tuple[str, ...]


_THEMES = """
voyage; walk; sea, beach, cave; Adventure, Family
    an old sea chart, a ship that never came home, an island nobody has named
manhunt; run; street, corridor, forest; Thriller, Crime
    a witness on the run, a stolen suitcase, a detective who never sleeps
courtship; talk; kitchen, beach, meadow; Romance, Comedy
    a wedding in doubt, letters sent too late, two neighbours who cannot stand each other
show; dance; church, street, kitchen; Musical, Comedy
    a choir about to close, a dancer's last chance, a song that the town forgot
expedition; walk; mountain, cave, desert; Adventure, Drama
    a climb nobody has survived, a missing scientist, a storm on the ridge
feud; run; desert, meadow, church; Western, Action
    a ranch worth killing for, a sheriff without a badge, the last train through the valley
riddle; talk; library, corridor, church; Mystery, Thriller
    a book with a missing page, a locked reading room, a will in a dead language
harvest; dance; meadow, forest, beach; Musical, Romance
    a summer fair, a band of travelling fiddlers, a feast under the trees
"""


def _read_themes() -> Iterator[Theme]:
    lines = _THEMES.strip().splitlines()
    for head, words in zip(lines[::2], lines[1::2], strict=True):
        name, action, places, genres = head.split("; ")
        lists = (tuple(cells.strip().split(", ")) for cells in (places, genres, words))
        yield Theme(name, cast(Action, action), *lists)


THEMES = tuple(_read_themes())

CAMERAS: dict[str, tuple[Move, ...]] = {
    "locked": ("still",),
    "handheld": ("shake",),
    "gliding": ("pan", "zoom_in", "zoom_out"),
    "mixed": ("still", "pan", "shake"),
}
"""How a film is photographed, whatever it is about."""

NAMES = ("Ada", "Bruno", "Chen", "Dalia", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jun")


@dataclass(frozen=True)
class LibraryFilm:
    """One film of a library.

    Attributes:
        id: As IMDb writes it, such as ``tt9000012``.
        title: Its title.
        year: When it came out.
        genres: Its genres, which follow from its themes.
        synopsis: A few sentences, which follow from its themes.
        themes: The name of each scene's theme.
        camera: How it is photographed: a key of `CAMERAS`, drawn without regard to the themes.
        colours: The palette of all its places, likewise.
        cast: A seed for each of its people, likewise.
        plan: The film to draw, with its truth.
    """

    id: str
    title: str
    year: int
    genres: tuple[str, ...]
    synopsis: str
    themes: tuple[str, ...]
    camera: str
    colours: str
    cast: tuple[int, ...]
    plan: FilmPlan


class Viewing(NamedTuple):
    """Who saw which film, and when in seconds since 1970."""

    user: int
    movie: str
    time: int


@dataclass(frozen=True)
class SyntheticLibrary:
    """Films and who saw them; nothing is drawn until a film's frames are asked for."""

    films: tuple[LibraryFilm, ...]
    viewings: tuple[Viewing, ...]


def plan_library(
    num_films: int,
    *,
    num_scenes: int = 6,
    shots_per_scene: int = 6,
    picture: Picture | None = None,
    seed: int = 0,
) -> SyntheticLibrary:
    """Return a library in which like films share themes, and nothing else.

    Each film has a main and a side theme. Genres, synopsis and viewers follow the themes; palette,
    camera and cast are drawn apart from them. Films are small and have few frames a shot.
    """
    picture = picture or Picture(96, 96, Fraction(4))
    films = tuple(
        _plan_film(index, num_scenes, shots_per_scene, picture, seed) for index in range(num_films)
    )
    rng = np.random.default_rng([seed, num_films, 1])
    shares = np.array([[film.themes.count(t.name) for t in THEMES] for film in films], float)
    viewings = []
    for user in range(3 * num_films):  # Each likes one theme and mostly follows it.
        liking = 0.05 + shares[:, rng.integers(len(THEMES))]
        num_seen = min(num_films, int(rng.integers(5, 15)))
        seen = rng.choice(num_films, num_seen, replace=False, p=liking / liking.sum())
        times = 1_500_000_000 + np.cumsum(rng.integers(3_600, 1_000_000, num_seen))
        viewings += [Viewing(user, films[i].id, int(t)) for i, t in zip(seen, times, strict=True)]
    return SyntheticLibrary(films, tuple(viewings))


def write_library(library: SyntheticLibrary, folder: str | Path) -> int:
    """Draw films into a folder, except those it has already, and return the number drawn.

    The folder gets ``movies.csv``, ``cowatch.csv``, ``truth.json`` and ``films/<id>.mp4``.

    Raises:
        OutputError: The folder cannot be written, or holds another library.
    """
    folder = Path(folder)
    try:
        (folder / "films").mkdir(parents=True, exist_ok=True)
        write_metadata(library, folder)
    except OSError as error:
        raise OutputError(f"library folder {folder} cannot be written: {error}") from error
    missing = [film for film in library.films if not film_path(folder, film).exists()]
    for film in missing:
        frames, rate = draw_frames(film.plan), film.plan.picture.frame_rate
        write_frames(film_path(folder, film), frames, rate)
    return len(missing)


def write_metadata(library: SyntheticLibrary, folder: Path) -> None:
    """Write ``movies.csv``, ``cowatch.csv`` and ``truth.json`` into an existing folder.

    Raises:
        OutputError: The folder holds another library.
        OSError: The folder cannot be written.
    """
    truth = json.dumps({film.id: film_truth(film) for film in library.films}, indent=1) + "\n"
    if (folder / "truth.json").exists() and (folder / "truth.json").read_text() != truth:
        raise OutputError(f"{folder} holds another library; draw this one into a new folder")
    films = [(f.id, f.title, f.year, "|".join(f.genres), f.synopsis) for f in library.films]
    files = {
        "truth.json": truth,
        "movies.csv": _csv(("movie", "title", "year", "genres", "synopsis"), films),
        "cowatch.csv": _csv(Viewing._fields, library.viewings),
    }
    for name, text in files.items():
        with replacing(folder / name) as partial:
            partial.write_text(text, "utf-8")


def _csv(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def film_path(folder: str | Path, film: LibraryFilm) -> Path:
    """Return where `write_library` puts a film."""
    return Path(folder) / "films" / f"{film.id}.mp4"


def film_truth(film: LibraryFilm) -> dict[str, Any]:
    """Return what is true of a film, as JSON values: nuisance, then theme scene by scene."""
    bounds = pairwise((*film.plan.scene_starts, len(film.plan.shots)))
    scenes = []
    for theme, (first_shot, end_shot) in zip(film.themes, bounds, strict=True):
        setup = film.plan.shots[first_shot].setup
        setting = {"place": setup.place.kind, "layout": setup.place.layout_seed}
        shots = {"first_shot": first_shot, "end_shot": end_shot}
        scenes.append({"theme": theme, **setting, "action": setup.action, **shots})
    nuisance = {"camera": film.camera, "colours": film.colours, "cast": film.cast}
    return {**nuisance, "scenes": scenes, "shot_starts": film.plan.starts}


def _plan_film(
    index: int, num_scenes: int, shots_per_scene: int, picture: Picture, seed: int
) -> LibraryFilm:
    rng = np.random.default_rng([seed, index])
    main, side = rng.choice(len(THEMES), 2, replace=False).tolist()
    themes = [main, *rng.choice([main, side], num_scenes - 1, p=[0.7, 0.3]).tolist()]
    camera = str(rng.choice(sorted(CAMERAS)))
    colours = random_colours(int(rng.integers(2**31)))
    cast = rng.integers(2**31, size=4).tolist()
    shots: list[ShotPlan] = []
    for scene, theme in enumerate(themes):
        kinds = THEMES[theme].places
        kind, layout = int(rng.integers(len(kinds))), int(rng.integers(2))
        place = Place(kinds[kind], 100 * theme + 10 * kind + layout, colours)
        actors = rng.permutation(cast)[:2].tolist()
        setups = scene_setups(place, actors, rng, THEMES[theme].action)
        shots += edit_scene(setups, shots_per_scene, scene=scene, rng=rng)
    moves = rng.choice(np.array(CAMERAS[camera], object), len(shots))
    shots = [replace(shot, move=move) for shot, move in zip(shots, moves, strict=True)]
    timed = set_lengths(shots, picture, Editing(shot_s=(1.0, 1.5)), rng)
    one, other = THEMES[main], THEMES[side]
    return LibraryFilm(
        id=f"tt{9_000_000 + index}",
        title=f"{one.words[index % 3].capitalize()} ({index})",
        year=int(rng.integers(1950, 2025)),
        genres=tuple(dict.fromkeys((*one.genres, other.genres[0]))),
        synopsis=_synopsis(one, other, rng),
        themes=tuple(THEMES[theme].name for theme in themes),
        camera=camera,
        colours=colours,
        cast=tuple(cast),
        plan=FilmPlan(timed, picture, seed=index),
    )


def _synopsis(main: Theme, side: Theme, rng: np.random.Generator) -> str:
    one, other = rng.choice(NAMES, 2, replace=False)
    first, second = rng.choice(main.words, 2, replace=False)
    return (
        f"{one} and {other} are drawn into a story of {first} and {second}. "
        f"Before long there is also {rng.choice(side.words)}."
    )
