"""FFmpeg's metadata file: chapters in the film's own time base, exact to its timestamps."""

from pathlib import Path

from mastershot.core.files import written_whole
from mastershot.exports.formats.lanes import Export
from mastershot.exports.formats.players.chapters import chapters_of
from mastershot.exports.formats.players.clock import player_clock

_SPECIAL = str.maketrans({sign: f"\\{sign}" for sign in "=;#\\"})


def write_ffmetadata(export: Export, path: Path) -> tuple[str, ...]:
    """Write the chapters as ``ffmpeg -i FILM -i FILE -map_chapters 1 -c copy`` takes them.

    Raises:
        OutputError: The file cannot be written.
    """
    clock, unit = (
        player_clock(export.timeline.movie, export.times, export.film),
        export.times.time_base,
    )
    with written_whole(path) as file:
        file.write(";FFMETADATA1\n")
        for chapter in chapters_of(export):
            first, end = chapter.span.first_frame, chapter.span.end_frame
            file.write(
                f"[CHAPTER]\nTIMEBASE={unit.numerator}/{unit.denominator}\n"
                f"START={clock.units_at(first, unit)}\nEND={clock.units_at(end, unit)}\n"
                f"title={chapter.title.translate(_SPECIAL)}\n"
            )
    return clock.notes
