"""XML that is written with what XML can hold, and read without what can do harm."""

import re
from pathlib import Path
from xml.etree import ElementTree

from mastershot.core.errors import EditsError
from mastershot.core.files import written_whole
from mastershot.exports.formats.texts import read_bytes

# XML 1.0, production 2: what no XML file can hold.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Return a text with a question mark for each character that XML cannot hold."""
    return _NOT_XML.sub("?", text)


def write_xml(root: ElementTree.Element, path: Path) -> None:
    """Write a document, indented, as UTF-8.

    Raises:
        OutputError: The file cannot be written.
    """
    ElementTree.indent(root)
    with written_whole(path) as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        file.write(ElementTree.tostring(root, encoding="unicode"))
        file.write("\n")


def read_xml(path: Path, *, root: str, what: str) -> ElementTree.Element:
    """Return the root of a document; entities and document types are refused, not expanded.

    Args:
        path: The file.
        root: The name that the root must have.
        what: What the file should be, such as ``an ELAN file``.

    Raises:
        EditsError: The file cannot be read, is no XML or of another kind, or declares entities.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    data = read_bytes(path)
    try:
        found: ElementTree.Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise EditsError(
            f"{path} declares a document type or XML entities, which {what} has not; "
            "they are not expanded"
        ) from error
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
        raise EditsError(f"{path} is not valid XML, so not {what}: {error}") from error
    if found.tag != root:
        raise EditsError(f"{path} holds <{found.tag[:60]}>, not <{root}>; it is not {what}")
    return found
