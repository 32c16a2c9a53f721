"""Film scripts as files: Fountain, Final Draft and plain text, read into scene headings."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from os import PathLike
from pathlib import Path

from mastershot.core.errors import ScriptError
from mastershot.curation.moments import moment_at_end
from mastershot.curation.sluglines import Heading, parse_heading

_MAX_SCRIPT_BYTES = 64 << 20
_FOUNTAIN = frozenset({".fountain", ".spmd"})
_SIGNATURES = {b"%PDF": "a PDF", b"PK\x03\x04": "a zipped document", b"{\\rtf": "an RTF document"}
# The four-byte marks first: one of them starts like the two-byte mark.
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROLS = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f\x7f]")
_BONEYARD = re.compile(r"/\*.*?\*/|\[\[.*?\]\]", re.DOTALL)
_SCENE_NUMBER = re.compile(r"\s*#[^#\s]+#\s*$")
_LINE_LENGTH = 60  # characters of an action line in Courier 12
_NOT_A_HEADING = ("!", "@", "~", ">", "=")


@dataclass(frozen=True)
class ScriptScene:
    """One scene of a script: its heading and what is written below it.

    Attributes:
        heading: The heading.
        text: The lines after the heading, down to the next one.
        num_lines: How many of them are not blank, of up to 60 characters each: a longer line
            counts as those it would be wrapped to. A page has about 55 with the blank ones.
    """

    heading: Heading
    text: str
    num_lines: int


def parse_script(path: str | PathLike[str]) -> list[Heading]:
    """Return the scene headings of a script, in its order; never an empty list.

    ``.fdx`` is read as Final Draft, ``.fountain`` and ``.spmd`` as Fountain, all else as plain
    text. A heading's ``line`` is its line, or its paragraph in Final Draft. Text may be UTF-8,
    UTF-16, UTF-32 or, where it is not one of these, Windows-1252 (Latin-1).

    Raises:
        ScriptError: The script is missing, empty, too large, not a text, not Final Draft's XML, or
            has no scene heading.
    """
    return _parsed(Path(path))[1]


def read_script_scenes(path: str | PathLike[str]) -> list[ScriptScene]:
    """Return the scenes of a script, in its order, with the text of each; never an empty list.

    Files are read, and refused, as by `parse_script`. What comes before the first heading, such as
    the title, belongs to no scene.
    """
    lines, headings = _parsed(Path(path))
    bounds = [heading.line for heading in headings] + [len(lines) + 1]
    scenes = []
    for heading, (line, following) in zip(headings, pairwise(bounds), strict=True):
        own = [text.strip() for text in lines[line : following - 1]]
        count = sum(-(-len(text) // _LINE_LENGTH) for text in own)
        scenes.append(ScriptScene(heading, "\n".join(filter(None, own)), count))
    return scenes


def _parsed(script: Path) -> tuple[list[str], list[Heading]]:
    """Return a script's lines, or paragraphs in Final Draft, and its headings."""
    data = _read(script)
    if script.suffix.lower() == ".fdx" or data.lstrip().startswith((b"<?xml", b"<FinalDraft")):
        lines, headings = _final_draft(script, data)
    else:
        text = _text(script, data)
        is_fountain = script.suffix.lower() in _FOUNTAIN
        text = _without_boneyard(text) if is_fountain else text
        lines = text.splitlines()
        headings = list((_fountain_headings if is_fountain else _plain_headings)(lines))
    if not headings:
        raise ScriptError(
            f"script {script} has no scene heading; one starts a line with INT., EXT., INT./EXT., "
            "I/E. or EST."
        )
    return lines, headings


def _read(script: Path) -> bytes:
    try:
        if script.stat().st_size > _MAX_SCRIPT_BYTES:
            raise ScriptError(
                f"script {script} has {script.stat().st_size} bytes; a script has less than "
                f"{_MAX_SCRIPT_BYTES}"
            )
        data = script.read_bytes()
    except FileNotFoundError as error:
        raise ScriptError(f"script {script} does not exist") from error
    except IsADirectoryError as error:
        raise ScriptError(f"script {script} is a folder; name one script in it") from error
    except (OSError, ValueError) as error:
        raise ScriptError(f"script {script} cannot be read: {error}") from error
    if not data.strip():
        raise ScriptError(f"script {script} is empty")
    for signature, what in _SIGNATURES.items():
        if data.startswith(signature):
            raise ScriptError(f"script {script} is {what}; save it as Fountain, .fdx or plain text")
    return data


def _text(script: Path, data: bytes) -> str:
    """Return the text of a script in any of the usual encodings."""
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError as error:
        raise ScriptError(f"script {script} is not a text in UTF-8, UTF-16 or Latin-1") from error
    if len(_CONTROLS.findall(text)) > len(text) // 500:
        raise ScriptError(f"script {script} is a binary file, not a script's text")
    return text


def _encoding(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return encoding
    sample = data[: 1 << 16]
    if sample[1::2].count(0) > len(sample) // 4 and sample[::2].count(0) == 0:
        return "utf-16-le"
    if sample[::2].count(0) > len(sample) // 4 and sample[1::2].count(0) == 0:
        return "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        # Five bytes have no meaning in Windows-1252; a text with one of them is Latin-1.
        return "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", data) else "cp1252"
    return "utf-8"


def _plain_headings(lines: list[str]) -> Iterator[Heading]:
    for number, line in enumerate(lines, 1):
        heading = parse_heading(line, line=number)
        if heading is None:
            continue
        wrapped = lines[number].split() if number < len(lines) else []
        if line.rstrip().endswith("-") and wrapped and moment_at_end(wrapped) != (None, wrapped):
            joined = parse_heading(f"{line.rstrip()} {' '.join(wrapped)}", line=number)
            heading = joined if joined and not moment_at_end(wrapped)[1] else heading
        yield heading


def _without_boneyard(text: str) -> str:
    return _BONEYARD.sub(lambda match: "\n" * match.group().count("\n"), text)


def _fountain_headings(lines: list[str]) -> Iterator[Heading]:
    """Yield the headings of a Fountain text, also ``.PLACE`` (fountain.io/syntax)."""
    for number, raw in enumerate(lines, 1):
        line = _SCENE_NUMBER.sub("", raw).strip()
        forced = re.match(r"\.(?=\w)", line) is not None
        if line and not line.startswith(_NOT_A_HEADING):
            heading = parse_heading(line.removeprefix("."), line=number, forced=forced)
            if heading and (forced or not line.startswith(".")):
                yield heading


def _final_draft(script: Path, data: bytes) -> tuple[list[str], list[Heading]]:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(data)
    except DefusedXmlException as error:
        raise ScriptError(
            f"script {script} declares XML entities, which Final Draft does not write; "
            "they are not expanded"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise ScriptError(f"script {script} is not valid XML: {error}") from error
    if root.tag != "FinalDraft":
        raise ScriptError(f"script {script} holds <{root.tag}>, not Final Draft's <FinalDraft>")
    paragraphs, headings = [], []
    for number, paragraph in enumerate(root.iter("Paragraph"), 1):
        text = "".join("".join(part.itertext()) for part in paragraph.findall("Text"))
        paragraphs.append(text)
        if paragraph.get("Type") == "Scene Heading":
            heading = parse_heading(" ".join(text.split()), line=number, forced=True)
            if heading and heading.text:
                headings.append(heading)
    return paragraphs, headings
