"""Which files of a folder are films, and films by name."""

from pathlib import Path

from mastershot.core.errors import SettingError

VIDEO_SUFFIXES = frozenset({
    ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
    ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv",
})  # fmt: skip


def find_films(folder: Path) -> list[Path]:
    """Return the films in a folder and below, sorted; hidden files are none."""
    files = (file for file in folder.rglob("*") if file.suffix.lower() in VIDEO_SUFFIXES)
    return sorted(file for file in files if file.is_file() and not file.name.startswith("."))


def films_by_name(folder: Path) -> dict[str, Path]:
    """Return the films in a folder and below by name, which is the file's without its ending.

    Raises:
        SettingError: Two have one name.
    """
    films: dict[str, Path] = {}
    for path in find_films(folder):
        if (other := films.setdefault(path.stem, path)) != path:
            raise SettingError(
                f"{other} and {path} have the name {path.stem!r}, and films are known by their "
                "names; rename or remove one"
            )
    return films
