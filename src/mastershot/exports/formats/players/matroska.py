"""Chapters for Matroska: as XML for mkvmerge and mkvpropedit, or within a copy of the film."""

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from mastershot.core.movie import require_one_file
from mastershot.exports.formats.lanes import Export
from mastershot.exports.formats.players.chapters import Chapter, chapters_of
from mastershot.exports.formats.players.clock import NANOSECOND, PlayerClock, player_clock
from mastershot.exports.formats.xml_files import write_xml, xml_text
from mastershot.media.packets.chapters import FilmChapter, copy_with_chapters


def write_mkv_chapters(export: Export, path: Path) -> tuple[str, ...]:
    """Write the chapters: into a copy of the film if the path ends in ``.mkv``, else as XML.

    In the copy, each chapter starts at the time at which its first frame is shown there: Matroska
    rounds times of frames, usually to milliseconds.

    Raises:
        MediaError: The film cannot be read.
        OutputError: The file cannot be written, or Matroska cannot hold the film.
    """
    chapters = chapters_of(export)
    if path.suffix.lower() == ".mkv":
        require_one_file(export.timeline.movie, "a copy with chapters")
        marks = [FilmChapter(c.span.start_pts, c.span.end_pts, c.title) for c in chapters]
        return copy_with_chapters(export.film, path, marks, time_base=export.times.time_base)
    clock = player_clock(export.timeline.movie, export.times, export.film)
    root = Element("Chapters")
    edition = SubElement(root, "EditionEntry")
    for number, chapter in enumerate(chapters, start=1):
        _add_atom(edition, number, chapter, clock)
    write_xml(root, path)
    return clock.notes


def _add_atom(edition: Element, number: int, chapter: Chapter, clock: PlayerClock) -> None:
    atom = SubElement(edition, "ChapterAtom")
    times = (
        clock.units_at(chapter.span.first_frame, NANOSECOND),
        clock.units_at(chapter.span.end_frame, NANOSECOND),
    )
    SubElement(atom, "ChapterUID").text = str(number)
    SubElement(atom, "ChapterTimeStart").text = _clock_ns(times[0])
    SubElement(atom, "ChapterTimeEnd").text = _clock_ns(times[1])
    display = SubElement(atom, "ChapterDisplay")
    SubElement(display, "ChapterString").text = xml_text(chapter.title)
    SubElement(display, "ChapterLanguage").text = "und"


def _clock_ns(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:09}"
