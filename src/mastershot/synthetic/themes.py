"""What the films of a drawn library are about, and how they differ besides."""

from dataclasses import dataclass

from mastershot.synthetic.plan import Action, Move


@dataclass(frozen=True)
class Theme:
    """What scenes of like films have in common.

    Attributes:
        name: What it is called in the truth.
        places: The kinds of place it is set in; each theme has its own layouts of them.
        action: What people do in it.
        genres: Genres of films about it.
        words: What synopses of such films speak of.
    """

    name: str
    places: tuple[str, ...]
    action: Action
    genres: tuple[str, ...]
    words: tuple[str, ...]


THEMES = (
    Theme(
        "voyage",
        ("sea", "beach", "cave"),
        "walk",
        ("Adventure", "Family"),
        ("an old sea chart", "a ship that never came home", "an island nobody has named"),
    ),
    Theme(
        "manhunt",
        ("street", "corridor", "forest"),
        "run",
        ("Thriller", "Crime"),
        ("a witness on the run", "a stolen suitcase", "a detective who never sleeps"),
    ),
    Theme(
        "courtship",
        ("kitchen", "beach", "meadow"),
        "talk",
        ("Romance", "Comedy"),
        (
            "a wedding in doubt",
            "letters sent too late",
            "two neighbours who cannot stand each other",
        ),
    ),
    Theme(
        "show",
        ("church", "street", "kitchen"),
        "dance",
        ("Musical", "Comedy"),
        ("a choir about to close", "a dancer's last chance", "a song that the town forgot"),
    ),
    Theme(
        "expedition",
        ("mountain", "cave", "desert"),
        "walk",
        ("Adventure", "Drama"),
        ("a climb nobody has survived", "a missing scientist", "a storm on the ridge"),
    ),
    Theme(
        "feud",
        ("desert", "meadow", "church"),
        "run",
        ("Western", "Action"),
        (
            "a ranch worth killing for",
            "a sheriff without a badge",
            "the last train through the valley",
        ),
    ),
    Theme(
        "riddle",
        ("library", "corridor", "church"),
        "talk",
        ("Mystery", "Thriller"),
        ("a book with a missing page", "a locked reading room", "a will in a dead language"),
    ),
    Theme(
        "harvest",
        ("meadow", "forest", "beach"),
        "dance",
        ("Musical", "Romance"),
        ("a summer fair", "a band of travelling fiddlers", "a feast under the trees"),
    ),
)

CAMERAS: dict[str, tuple[Move, ...]] = {
    "locked": ("still",),
    "handheld": ("shake",),
    "gliding": ("pan", "zoom_in", "zoom_out"),
    "mixed": ("still", "pan", "shake"),
}
"""How a film is photographed, whatever it is about."""

NAMES = ("Ada", "Bruno", "Chen", "Dalia", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jun")
