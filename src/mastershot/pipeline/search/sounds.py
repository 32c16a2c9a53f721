"""Search by sound words: the shots of a library in which what words name is heard."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from mastershot.encoders.detectors.sound import sound_classes
from mastershot.pipeline.search.filters import ShotFilter, choose_shots
from mastershot.pipeline.search.nearest import Hit
from mastershot.store.library import Library as FilmStore
from mastershot.store.library import LibraryMovie
from mastershot.store.reading import StoredShot, StoredSound, shots_of_run, stored_sounds

# Words around what is named: "the sound of a gunshot".
_AROUND = frozenset({"a", "an", "the", "of", "sound", "some"})


def sounds_named(words: str) -> tuple[str, ...]:
    """Return the classes of sound that words name: those with each of the words in their name.

    Endings of plurals and of ``-ing`` do not count; two words may be one in the name, as *gun shot*
    is, and a word may be the beginning of a longer one from its fourth letter on.
    """
    asked = _stems(words)
    asked = [stem for stem in asked if stem not in _AROUND]
    joined = "".join(asked)
    if not asked:
        return ()
    return tuple(
        name
        for name in sound_classes()
        if joined in (stems := _stems(name)) or all(_is_among(stem, stems) for stem in asked)
    )


def heard_shots(
    store: FilmStore, words: str, *, limit: int, only: ShotFilter | None = None
) -> list[Hit]:
    """Return the shots in which a sound that words name is heard: the surest event first.

    Every shot that an event reaches into has its score; of equal scores the earlier comes first.
    With ``only``, no other shots are found.

    Raises:
        LibraryError: The library cannot be read.
    """
    if not (names := sounds_named(words)):
        return []
    films = {film.run_id: film for film in store.movies()}
    events = stored_sounds(store.tables, names, list(films))
    if only is None:
        return _hits(store, events, films, limit)
    chosen = choose_shots(store, films.values(), only)
    runs = {run: set(shots.tolist()) for run, shots in chosen.shots.items()}
    return _hits(store, events, films, limit, runs)


def _hits(
    store: FilmStore,
    events: Iterable[StoredSound],
    films: dict[str, LibraryMovie],
    limit: int,
    chosen: Mapping[str, Collection[int]] | None = None,
) -> list[Hit]:
    hits: dict[str, Hit] = {}
    shots: dict[str, list[StoredShot]] = {}
    for event in events:
        if len(hits) >= limit:
            break
        if event.run_id not in shots:
            own = enumerate(shots_of_run(store.tables, event.run_id))
            taken = None if chosen is None else chosen.get(event.run_id, ())
            shots[event.run_id] = [one for i, one in own if taken is None or i in taken]
        for hit in _reached(event, shots[event.run_id], films[event.run_id]):
            hits.setdefault(hit.id, hit)
    return list(hits.values())[:limit]


def _reached(event: StoredSound, shots: Sequence[StoredShot], film: LibraryMovie) -> Iterator[Hit]:
    """Yield the shots that an event reaches into; the frame is that of its loudest moment.

    That may be before the centre of its first window, or after that of its last.
    """
    first_s, last_s = min(event.start_s, event.peak_s), max(event.end_s, event.peak_s)
    for shot in shots:
        if first_s >= shot.end_s or last_s < shot.start_s:
            continue
        at_s = min(max(event.peak_s, shot.start_s), shot.end_s)
        part = (at_s - shot.start_s) / max(shot.end_s - shot.start_s, 1e-6)
        frame = shot.first_frame + int(part * (shot.end_frame - shot.first_frame))
        yield Hit(
            **vars(shot),
            movie_id=film.id,
            path=film.path,
            score=event.score,
            frame=min(frame, shot.end_frame - 1),
            heard=event.name,
        )


def _stems(text: str) -> list[str]:
    return [_stem(word) for word in re.findall(r"[^\W_]+", text.casefold())]


def _stem(word: str) -> str:
    if len(word) > 5 and word.endswith("ing"):
        return word[:-3]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _is_among(stem: str, stems: Sequence[str]) -> bool:
    return stem in stems or (len(stem) > 3 and any(one.startswith(stem) for one in stems))
