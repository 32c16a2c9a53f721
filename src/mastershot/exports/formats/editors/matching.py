"""Which of a film's files an event of a list is of: by its names, and by its time codes."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from mastershot.core.errors import EditsError
from mastershot.exports.formats.editors.edits import Start
from mastershot.exports.formats.editors.sources import Number, Source

_NO_NAME = re.compile(r"AX|UNKNOWN|\d{0,3}", re.IGNORECASE)
_SHORTENED = 8


def in_film(
    path: Path,
    where: str,
    names: Sequence[str],
    start: Start,
    lies_in: Callable[[Source], tuple[Number, Number]],
) -> tuple[bool | None, tuple[Number, Number]]:
    """Return whether an event is of the film, None if its names do not say, and where it lies.

    Args:
        path: The list.
        where: Which event it is, as a sentence names it.
        names: What it is of, as the list says it.
        start: How the film is counted.
        lies_in: Where in the film it would lie if it were of a file of it.

    Raises:
        EditsError: It is of a reel that does not hold it, or names leave open which reel is meant.
    """
    named = files_named(names, start.sources)
    source = _chosen(path, where, named, start.sources, lies_in)
    first, end = lies_in(source)
    if not named or len(start.sources) == 1:
        return (None if named is None else bool(named)), (first, end)
    code, name = start.clock.counting.code, source.name
    if first < source.begin:
        raise EditsError(
            f"{path}: {where} starts at {code(source.own(int(first)))}, before the first frame of "
            f"{name} at {code(source.own(source.begin))}; the list is of another file"
        )
    if end > source.end + 1:
        raise EditsError(
            f"{path}: {where} ends at {code(source.own(int(end)))}, but {name} ends at "
            f"{code(source.own(source.end))}; the list is of another file or frame rate"
        )
    return True, (first, min(end, source.end))


def files_named(names: Sequence[str], sources: Sequence[Source]) -> tuple[Source, ...] | None:
    """Return the files of a film that names in a list mean; None where they say nothing.

    A name may be a path. Editors shorten file names to reel names, in capitals: a name of eight
    letters or more is that of a file that begins so, if no file is called so.
    """
    telling = [name for name in names if not _NO_NAME.fullmatch(name) and _plain(name)]
    if not telling:
        return None
    found, is_named = tuple(sources), False
    for name in telling:
        for means in (_is_at, _is_called, _is_short_for):
            if fitting := tuple(source for source in found if means(name, source)):
                found, is_named = fitting, True
                break
    return found if is_named else ()


def _is_at(name: str, source: Source) -> bool:
    return "/" in name and name == str(Path(source.path).absolute())


def _is_called(name: str, source: Source) -> bool:
    path = Path(source.path)
    return _plain(name) in {_plain(one) for one in (path.name, path.stem, source.reel)}


def _is_short_for(name: str, source: Source) -> bool:
    plain = _plain(name)
    return len(plain) >= _SHORTENED and _plain(Path(source.path).name).startswith(plain)


@lru_cache(maxsize=1024)
def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", Path(name).name).upper()


def _chosen(
    path: Path,
    where: str,
    named: tuple[Source, ...] | None,
    sources: Sequence[Source],
    lies_in: Callable[[Source], tuple[Number, Number]],
) -> Source:
    """Return the file that an event is of: of several that it may mean, the one that holds it.

    Args:
        path: The list.
        where: Which event it is, as a sentence names it.
        named: What `files_named` found.
        sources: The files of the film.
        lies_in: Where in the film the event would lie if it were of a file.

    Raises:
        EditsError: Names and time codes leave it open which of the film's files is meant.
    """
    fitting = named or tuple(sources)
    holding = [source for source in fitting if source.holds(*lies_in(source))]
    if named and len(named) > 1 and len(holding) != 1:
        files = " or ".join(f"{source.name} ({source.reel})" for source in named)
        raise EditsError(
            f"{path}: {where} may be of {files}; name it in the list as in brackets here"
        )
    return holding[0] if len(holding) == 1 else fitting[0]
