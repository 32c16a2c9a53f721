"""Search by what is said: the shots of a library in whose subtitles words occur."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from mastershot.pipeline.search.filters import ShotFilter, choose_shots
from mastershot.pipeline.search.nearest import Hit
from mastershot.store.library import Library as FilmStore
from mastershot.store.reading import StoredLine, StoredShot, shots_of_run, stored_lines

# Words that say little of what is looked for; they count where nothing else is asked.
_SMALL = frozenset({"a", "an", "and", "at", "in", "of", "on", "or", "the", "to", "with"})
_WORD = re.compile(r"[^\W_]+")
_AS_ASKED, _IN_ANY_ORDER = 1.0, 0.5


def said_shots(
    store: FilmStore, words: str, *, limit: int, only: ShotFilter | None = None
) -> list[Hit]:
    """Return the shots in which words are said, one a shot: where a line with them starts.

    Lines that have the words as they were asked for have a score of 1 and come first; those with
    all of them in any place, small words aside, have 0.5. Then they come by film and time. With
    ``only``, no other shots are found.

    Raises:
        LibraryError: The library cannot be read.
    """
    asked = _words(words)
    needed = [word for word in asked if word not in _SMALL] or asked
    if not needed:
        return []
    # As SQL lowers letters: casefold makes two of an ß.
    stored = [word for word in _WORD.findall(words.lower()) if word.casefold() in needed]
    films = {film.run_id: film for film in store.movies()}
    places = {run: place for place, run in enumerate(films)}
    found = [
        (score, line)
        for line in stored_lines(store.tables, stored)
        if line.run_id in films and (score := _score(_words(line.text), asked, needed))
    ]
    found.sort(key=lambda one: (-one[0], places[one[1].run_id], one[1].first_frame))
    chosen = None if only is None else choose_shots(store, films.values(), only).shots
    hits: dict[str, Hit] = {}
    shots: dict[str, list[StoredShot]] = {}
    for score, line in found:
        if len(hits) >= limit:
            break
        if line.run_id not in shots:
            shots[line.run_id] = shots_of_run(store.tables, line.run_id)
        place = _place_of(line, shots[line.run_id])
        if place >= 0 and (chosen is None or place in chosen.get(line.run_id, ())):
            shot = shots[line.run_id][place]
            film = films[line.run_id]
            hit = Hit(
                **vars(shot), movie_id=film.id, path=film.path, score=score,
                frame=line.first_frame, said=line.text, said_s=line.start_s,
            )  # fmt: skip
            hits.setdefault(hit.id, hit)
    return list(hits.values())


def _score(said: Sequence[str], asked: Sequence[str], needed: Sequence[str]) -> float:
    starts = range(len(said) - len(asked) + 1)
    if any(list(said[start : start + len(asked)]) == list(asked) for start in starts):
        return _AS_ASKED
    return _IN_ANY_ORDER if set(needed) <= set(said) else 0.0


def _place_of(line: StoredLine, shots: Sequence[StoredShot]) -> int:
    """Return the place of the shot in which a line starts, or -1 without one."""
    assert all(a.first_frame < b.first_frame for a, b in pairwise(shots))
    return bisect_right(shots, line.first_frame, key=lambda shot: shot.first_frame) - 1


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
