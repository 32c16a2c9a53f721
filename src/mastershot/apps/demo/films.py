"""The films of ``mastershot analyze --demo``: one that ships, and one drawn with known cuts."""

from importlib import resources
from pathlib import Path

from mastershot.apps.show import complain
from mastershot.core.errors import OutputError
from mastershot.core.files import make_folder, replacing, reporting_errors

_PACKAGED = resources.files(__package__) / "demo.mp4"


def copy_demo(path: Path, *, quiet: bool) -> None:
    """Put the film that ships where the results will be, unless it is there already.

    `bench/demo_film.py` made it; its copyright tag says of what.

    Raises:
        OutputError: It cannot be written, or another film has its place.
    """
    film = _PACKAGED.read_bytes()
    if path.exists() and not _holds(path, film):
        raise OutputError(_occupied(path))
    if not path.exists():
        if not quiet:
            complain(f"copying the film that ships with Mastershot: {path}")
        make_folder(path.parent)
        with (
            reporting_errors(OutputError, f"{path} cannot be written"),
            replacing(path) as partial,
        ):
            partial.write_bytes(film)


def draw_demo(path: Path, *, quiet: bool) -> None:
    """Draw a film with known cuts and places there, unless there is one already.

    Raises:
        OutputError: It cannot be written, or the film that ships has its place.
    """
    from mastershot.synthetic.films import write_film
    from mastershot.synthetic.plan import plan_demo_film

    if path.exists():
        if _holds(path, _PACKAGED.read_bytes()):
            raise OutputError(_occupied(path))
        return
    if not quiet:
        complain(f"drawing a film with known cuts and places: {path}")
    make_folder(path.parent)
    write_film(plan_demo_film(), path)


def _occupied(path: Path) -> str:
    return f"{path} is another film than the demo asked for; remove it or name another --out"


def _holds(path: Path, film: bytes) -> bool:
    with reporting_errors(OutputError, f"{path} cannot be read"):
        return path.stat().st_size == len(film) and path.read_bytes() == film
