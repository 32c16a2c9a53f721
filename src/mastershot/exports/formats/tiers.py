"""The annotations of an ELAN document with their times, however these are given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from mastershot.core.errors import EditsError


@dataclass(frozen=True)
class Annotation:
    """An annotation of a tier.

    Attributes:
        id: Its id.
        text: Its value.
        start_ms: When it starts, by the document's clock.
        end_ms: When it ends, not before.
    """

    id: str
    text: str
    start_ms: int
    end_ms: int


_Times = dict[str, tuple[int, int]]


def annotations_of(path: Path, root: Element) -> Iterator[tuple[str, list[Annotation]]]:
    """Yield the name and the annotations of each tier that has any.

    Slots without a time lie evenly between those of their tier that have one, as in ELAN. An
    annotation that refers to another has its time, at however many removes.

    Raises:
        EditsError: A slot, a time or an annotation that is referred to is missing or damaged.
    """
    slots = _slots(path, root)
    times: _Times = {}
    for tier in root.iter("TIER"):
        times |= _aligned(path, tier, slots)
    parents = {
        _attribute(path, node, "ANNOTATION_ID"): _attribute(path, node, "ANNOTATION_REF")
        for node in root.iter("REF_ANNOTATION")
    }
    for tier in root.iter("TIER"):
        found = []
        for node in tier.iterfind("ANNOTATION/*"):
            name = _attribute(path, node, "ANNOTATION_ID")
            start_ms, end_ms = times[_root_of(path, name, parents, times)]
            text = node.findtext("ANNOTATION_VALUE") or ""
            found.append(Annotation(name, text, start_ms, end_ms))
        if found:
            yield tier.get("TIER_ID", ""), found


def _slots(path: Path, root: Element) -> dict[str, int | None]:
    """Return the time of each slot, in the document's order; None where it has none."""
    slots: dict[str, int | None] = {}
    for node in root.iterfind("TIME_ORDER/TIME_SLOT"):
        value = node.get("TIME_VALUE")
        if value is not None and not (value.isdecimal() and len(value) < 12):
            raise EditsError(f"{path} has the time {value[:60]!r}; one is a number of ms from 0 on")
        slots[_attribute(path, node, "TIME_SLOT_ID")] = None if value is None else int(value)
    return slots


def _aligned(path: Path, tier: Element, slots: Mapping[str, int | None]) -> _Times:
    """Return the times of the annotations of a tier that refer to slots."""
    pairs = {}
    for node in tier.iterfind("ANNOTATION/ALIGNABLE_ANNOTATION"):
        name = _attribute(path, node, "ANNOTATION_ID")
        pair = [_attribute(path, node, f"TIME_SLOT_REF{end}") for end in (1, 2)]
        if missing := [slot for slot in pair if slot not in slots]:
            raise EditsError(f"{path}: annotation {name} refers to {missing[0]}, which is no slot")
        pairs[name] = pair
    used = {slot for pair in pairs.values() for slot in pair}
    known = _filled(path, [(slot, time) for slot, time in slots.items() if slot in used])
    times = {}
    for name, (first, second) in pairs.items():
        if known[second] < known[first]:
            raise EditsError(f"{path}: annotation {name} ends before it starts")
        times[name] = known[first], known[second]
    return times


def _filled(path: Path, slots: list[tuple[str, int | None]]) -> dict[str, int]:
    """Return slots with times, those without one evenly between their neighbours."""
    filled: dict[str, int] = {}
    waiting: list[str] = []
    last = 0
    for slot, time in slots:
        if time is None:
            waiting.append(slot)
            continue
        for place, between in enumerate(waiting, start=1):
            filled[between] = last + (time - last) * place // (len(waiting) + 1)
        waiting, last = [], time
        filled[slot] = time
    if waiting:
        raise EditsError(f"{path}: no time follows slot {waiting[0]}, which has none itself")
    return filled


def _root_of(path: Path, name: str, parents: Mapping[str, str], times: _Times) -> str:
    """Return the annotation with a time that an annotation refers to, or itself."""
    found, passed = name, set[str]()
    while found not in times:
        passed.add(found)
        parent = parents.get(found)
        if parent is None or parent in passed:
            raise EditsError(f"{path}: annotation {name} leads to none that has a time")
        found = parent
    return found


def _attribute(path: Path, node: Element, name: str) -> str:
    if (value := node.get(name)) is None:
        raise EditsError(f"{path} has a {node.tag[:60]} without {name}; the file is damaged")
    return value
