"""The timeline: one film's shots, scenes and labels, as the JSON other programs read."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, field, fields
from fractions import Fraction
from functools import cache
from importlib import resources
from math import isfinite
from operator import attrgetter
from pathlib import Path
from reprlib import repr as shortened
from types import UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    TypeAlias,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from mastershot.core.errors import TimelineError
from mastershot.core.files import failure_reason
from mastershot.core.labels import (
    ExpertGate,
    GenreScore,
    LabelScore,
    NearestSubgenre,
    Relative,
)
from mastershot.core.lanes import (
    Evidence,
    Interval,
    Lane,
    Mark,
    ModerationCoverage,
    ModerationInterval,
    ShotSound,
    SoundEvent,
    check_moderation,
)
from mastershot.core.movie import (
    SCALES,
    DamagedSpan,
    Movie,
    Part,
    People,
    Reel,
    Scene,
    Shot,
    Transition,
)
from mastershot.core.text import utf8_text
from mastershot.core.time import Span

SCHEMA = "mastershot/timeline/1"
_ABSENT_IF_EMPTY = frozenset(
    {"borrowed", "sampled_frames", "damaged", "notes", "copyright", "timecode", "lanes", "reels"}
    | {"models", "reason"}
)
Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class MadeBy:
    """How a timeline was made.

    Attributes:
        version: The package's version.
        created: When, in UTC, ISO 8601.
        steps: For each step that ran, its settings and the models it used.
    """

    version: str
    created: str
    steps: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Timeline:
    """One film, exactly divided into shots, and what is known of each.

    Attributes:
        movie: The film.
        made_by: How this timeline was made.
        shots: The shots, which tile the film: none missing, none overlapping.
        scenes: The scenes, which tile the shots; None when the step did not run.
        damaged: The spans of which frames are missing because they could not be decoded, in order.
        notes: Sentences on how the film was read that a user should know.
        audio: The sounds that are heard, by start; None when the step did not run.
        marks: Runs of frames that are technical or static, by start; None when shots come from a
            list, or the version that made them did not look.
        lanes: What was brought in from elsewhere, such as edits, subtitles or a script: it stays
            when the film is analysed anew.
        moderation: What a moderation policy asks to be reviewed, by start; None when the step did
            not run. An empty one says nothing of what ``moderation_coverage`` has as not covered.
        moderation_coverage: What of that policy was looked and listened for, in its order.
        genres: All genres of the model, best first; None when the step did not run.
        subgenre: The nearest one; None where the model's run has none.
        relatives: The nearest films of the model's data set, nearest first; None where the model's
            run has no embeddings.
        drivers: How far each expert took part, the one furthest beyond what is usual first; None
            when the step did not run.
    """

    schema: ClassVar[str] = SCHEMA
    movie: Movie
    made_by: MadeBy
    shots: tuple[Shot, ...]
    scenes: tuple[Scene, ...] | None = None
    damaged: tuple[DamagedSpan, ...] = ()
    notes: tuple[str, ...] = ()
    audio: tuple[SoundEvent, ...] | None = None
    marks: tuple[Mark, ...] | None = None
    lanes: tuple[Lane, ...] = ()
    moderation: tuple[ModerationInterval, ...] | None = None
    moderation_coverage: tuple[ModerationCoverage, ...] | None = None
    genres: tuple[GenreScore, ...] | None = None
    subgenre: NearestSubgenre | None = None
    relatives: tuple[Relative, ...] | None = None
    drivers: tuple[ExpertGate, ...] | None = None

    def __post_init__(self) -> None:
        _check_tiling(
            "frame",
            self.movie.num_frames,
            [(s.span.first_frame, s.span.end_frame) for s in self.shots],
        )
        if self.scenes is not None:
            _check_tiling(
                "shot", len(self.shots), [(s.first_shot, s.end_shot) for s in self.scenes]
            )
        if self.moderation:
            film = span_of_shots(self.shots, 0, len(self.shots))
            for one in self.moderation:
                check_moderation(one, film)

    def scene_of(self, shot_index: int) -> Scene | None:
        """Return the scene that holds a shot, or None when scenes were not found."""
        for scene in self.scenes or ():
            if scene.first_shot <= shot_index < scene.end_shot:
                return scene
        return None

    @property
    def chosen_genres(self) -> tuple[str, ...]:
        """The genres that the film is given, best first."""
        return tuple(one.name for one in self.genres or () if one.chosen)

    def to_json(self) -> str:
        """Return the timeline as JSON text that validates against the shipped schema."""
        return utf8_text(json.dumps(_to_json(self), indent=1, ensure_ascii=False) + "\n")

    @staticmethod
    def from_json(text: str, *, name: str = "timeline") -> "Timeline":
        """Return the timeline that `to_json` wrote; the round trip loses nothing.

        Raises:
            TimelineError: The text is not JSON, of another schema, or not a valid timeline.
        """
        try:
            value = json.loads(text, parse_constant=_refused)
        except (ValueError, RecursionError) as error:
            raise TimelineError(f"{name} is not valid JSON: {error}") from error
        if not isinstance(value, dict) or value.get("schema") != SCHEMA:
            found = value.get("schema") if isinstance(value, dict) else type(value).__name__
            raise TimelineError(f"{name} has schema {found!r}; this version reads {SCHEMA!r}")
        try:
            return cast(Timeline, _read(Timeline, value, {}))
        except (_MisfitError, OverflowError, TimelineError) as error:
            what = str(error).lstrip(". ")
            raise TimelineError(f"{name} is not a valid timeline: {what}") from error

    @staticmethod
    def load(path: str | Path) -> "Timeline":
        """Return the timeline in a file.

        Raises:
            TimelineError: The file cannot be read or does not hold a valid timeline.
        """
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TimelineError(
                f"timeline {path} cannot be read: {failure_reason(error)}"
            ) from error
        return Timeline.from_json(text, name=str(path))


def _refused(name: str) -> None:
    """Refuse what Python reads as a number and JSON does not have: NaN and the infinities."""
    raise ValueError(f"{name} is no number")


def timeline_schema() -> Json:
    """Return the JSON Schema that every timeline validates against."""
    text = (resources.files("mastershot.core") / "timeline.schema.json").read_text("utf-8")
    return cast(Json, json.loads(text))


def _check_tiling(unit: str, total: int, ranges: list[tuple[int, int]]) -> None:
    expected = 0
    for first, end in ranges:
        if first != expected or end <= first:
            raise TimelineError(
                f"the timeline leaves a hole or an overlap: a part starts at {unit} {first} "
                f"where {unit} {expected} was due"
            )
        expected = end
    if expected != total:
        raise TimelineError(f"the timeline ends at {unit} {expected} of {total}")


def span_of_shots(shots: tuple[Shot, ...], first_shot: int, end_shot: int) -> Span:
    """Return the span from one shot's start to the end of the last shot before ``end_shot``."""
    first, last = shots[first_shot].span, shots[end_shot - 1].span
    return Span(first.first_frame, last.end_frame, first.start_pts, last.end_pts, first.time_base)


def lines_said(timeline: Timeline) -> list[Interval]:
    """Return the subtitles of all of a timeline's lanes of that role, by start, then by lane."""
    lines = [line for lane in timeline.lanes if lane.role == "subtitles" for line in lane.intervals]
    return sorted(lines, key=lambda line: line.span.first_frame)


def dialogue(timeline: Timeline) -> str:
    """Return what is said in a film by its subtitles, a line each; empty if it has none."""
    return "\n".join(line.text for line in lines_said(timeline))


class _MisfitError(Exception):
    """A value is not what it should be; the text starts with where: ``.shots[0].id is missing``."""


@cache
def _objects() -> dict[Any, Json]:
    """Return the schema of each class's JSON object, which has its keys in order."""
    schema = timeline_schema()
    objects, defined = schema["properties"], schema["$defs"]
    return {
        Timeline: schema,
        Movie: objects["movie"],
        Reel: defined["reel"],
        Part: objects["movie"]["properties"]["part"],
        MadeBy: objects["made_by"],
        Shot: defined["shot"],
        Transition: defined["shot"]["properties"]["transition_in"],
        LabelScore: defined["label"],
        People: defined["shot"]["properties"]["people"],
        Scene: defined["scene"],
        DamagedSpan: defined["damaged"],
        SoundEvent: defined["sound_event"],
        ShotSound: defined["shot"]["properties"]["sound"],
        Mark: defined["mark"],
        ModerationInterval: defined["moderation_interval"],
        Evidence: defined["moderation_interval"]["properties"]["evidence"]["items"],
        ModerationCoverage: defined["moderation_coverage"],
        Lane: defined["lane"],
        Interval: defined["interval"],
        GenreScore: defined["genre"],
        NearestSubgenre: schema["properties"]["subgenre"],
        Relative: defined["relative"],
        ExpertGate: defined["driver"],
    }


@cache
def _parts(kind: Any) -> list[tuple[str, Any, bool]]:
    """Return the fields of a class with their types and whether they are required."""
    hints, required = get_type_hints(kind), _objects().get(kind, {}).get("required", ())
    return [
        (part.name, hints[part.name], part.default is MISSING or part.name in required)
        for part in fields(kind)
    ]


@cache
def _values_of(kind: Any) -> "attrgetter[tuple[Any, ...]]":
    """Return what gets the values of an object's keys; some of them are those of its span."""
    own = {*dir(kind), *get_type_hints(kind)}
    return attrgetter(*(k if k in own else f"span.{k}" for k in _objects()[kind]["properties"]))


def _to_json(value: Any) -> Any:
    """Return a value as JSON; an object has the keys of its schema, except absent ones."""
    kind: Any = type(value)
    if kind is tuple:
        return [_to_json(item) for item in value]
    if kind is Fraction:
        return f"{value.numerator}/{value.denominator}"
    if kind not in _objects():
        return value
    absent = _ABSENT_IF_EMPTY
    if kind is Shot and value.labels is None:
        absent |= {"kept"}
    items = zip(_objects()[kind]["properties"], _values_of(kind)(value), strict=True)
    known = ((key, item) for key, item in items if item is not None)
    return {key: _to_json(item) for key, item in known if item or key not in absent}


def _read(kind: Any, value: Any, timeline: Json) -> Any:
    """Return a JSON value as its type; ``timeline`` holds the fields that were read before."""
    if kind is int or kind is str:
        return _typed(kind, value)
    if kind in _objects():
        return _read_object(kind, _typed(dict, value), timeline)
    origin, options = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _read_list(options[0], _typed(list, value), timeline)
    if origin in (UnionType, Union):  # A choice or None is the latter.
        return None if value is None else _read(options[0], value, timeline)
    if origin is Mapping:
        if set(_typed(dict, value)) != set(SCALES):
            raise _MisfitError(f" should score {', '.join(SCALES)}, not {shortened([*value])}")
        return {name: _read(float, score, timeline) for name, score in value.items()}
    if origin is Literal:
        if value not in options:
            raise _MisfitError(f": {shortened(value)} should be one of {', '.join(options)}")
        return value
    if kind is Fraction:
        with suppress(ArithmeticError, TypeError, ValueError):
            return Fraction(value)
        raise _MisfitError(f": {shortened(value)} should be a ratio such as 24/1")
    if kind is float:
        if not isfinite(number := float(_typed(int | float, value))):
            raise _MisfitError(f": {number} should be a finite number")
        return number
    return _typed(origin or kind, value)


def _read_list(kind: Any, items: list[Any], timeline: Json) -> tuple[Any, ...]:
    found: list[Any] = []
    try:
        for item in items:
            found.append(_read(kind, item, timeline))
    except _MisfitError as error:
        raise _MisfitError(f"[{len(found)}]{error}") from None
    return tuple(found)


def _read_object(kind: Any, value: Json, timeline: Json) -> Any:
    known = _objects().get(kind, {}).get("properties", value)
    if unknown := value.keys() - known:
        raise _MisfitError(
            f" holds {', '.join(map(repr, sorted(unknown)))}, unknown to this version; "
            "read it with the version that wrote it, so that nothing is lost"
        )
    found = timeline if kind is Timeline else {}
    for name, hint, is_required in _parts(kind):
        if name in value:
            try:
                found[name] = _read(hint, value[name], timeline)
            except _MisfitError as error:
                raise _MisfitError(f".{name}{error}") from None
        elif name == "span" and kind is Scene:
            found[name] = _span_of_scene(found, timeline["shots"])
        elif name == "span":
            found[name] = _read_object(Span, value, timeline)
        elif name == "time_base" and "movie" in timeline:
            found[name] = timeline["movie"].time_base
        elif is_required:
            raise _MisfitError(f".{name} is missing")
    try:
        return kind(**found)
    except AssertionError as error:
        raise _MisfitError(f": {error} is no span, from a start to its end") from error


def _span_of_scene(scene: Json, shots: tuple[Shot, ...]) -> Span:
    first, end = scene["first_shot"], scene["end_shot"]
    if not 0 <= first < end <= len(shots):
        raise _MisfitError(f": {first} to {end} should be a run of the {len(shots)} shots")
    return span_of_shots(shots, first, end)


def _typed(kind: Any, value: Any) -> Any:
    """Return the value if it is of this kind, where True is not a number."""
    if not isinstance(value, kind) or ((value is True or value is False) and kind is not bool):
        raise _MisfitError(f": {shortened(value)} should be {getattr(kind, '__name__', kind)}")
    return value
