"""The film cut into files: one an interval, exact to the frame, with its sound."""

import re
import unicodedata
from pathlib import Path

from mastershot.core.errors import MediaError
from mastershot.core.files import make_folder
from mastershot.core.lanes import Interval
from mastershot.core.movie import require_one_file
from mastershot.exports.formats.lanes import Export, leading_lane
from mastershot.media.packets.pieces import Piece, cut_pieces, suffix_of_pieces

_MAX_NAME = 60
_MAX_NOTES = 20


def write_clips(export: Export, path: Path) -> tuple[str, ...]:
    """Write a file for each shot, or each interval of the first lane asked for, into a folder.

    A file is named by its number, its first frame and its text. Where an interval starts at a
    keyframe and ends where a copy can end its pictures are copied; else they are compressed anew.
    Which was done is returned for each of the first `_MAX_NOTES`, and counted for all.

    Raises:
        MediaError: The film cannot be read, or is not the timeline's.
        OutputError: The folder or a file cannot be written.
    """
    require_one_file(export.timeline.movie, "clips")
    if not export.times.are_exact:
        raise MediaError(
            f"it is not known exactly when the frames of {export.film} are shown, since frames.npz "
            "is not beside its timeline; analyse the film again"
        )
    lane = leading_lane(export)
    suffix = suffix_of_pieces(export.film)
    make_folder(path)
    pieces = [
        Piece(one.span, path / f"{number:05}_{one.span.first_frame:07}{_name(one)}{suffix}")
        for number, one in enumerate(lane.intervals)
    ]
    made = cut_pieces(export.film, pieces, export.times.pts)
    num_copies = sum(one.is_copy for one in made)
    notes = [
        f"{len(made):,} clips of lane {lane.name}: {num_copies:,} copied, "
        f"{len(made) - num_copies:,} compressed anew as H.264; sound is copied, to a packet"
    ]
    notes += [
        f"{one.piece.path.name}: {'copied' if one.is_copy else 'compressed anew'}"
        for one in made[:_MAX_NOTES]
    ]
    return tuple(notes)


def _name(one: Interval) -> str:
    """Return what an interval's text adds to the name of its file: letters and digits only."""
    plain = unicodedata.normalize("NFKD", one.text).encode("ascii", "ignore").decode()
    words = "-".join(re.findall(r"[A-Za-z0-9]+", plain))[:_MAX_NAME].strip("-").lower()
    return f"_{words}" if words else ""
