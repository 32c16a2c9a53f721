"""The timeline: one film's shots, scenes and labels, as the JSON other programs read."""

import json
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias, cast, get_type_hints

from mastershot.core.errors import TimelineError
from mastershot.core.labels import LabelScore
from mastershot.core.movie import (
    SCALES,
    TRANSITION_KINDS,
    DamagedSpan,
    Movie,
    Scene,
    Shot,
    Transition,
)
from mastershot.core.text import utf8_text
from mastershot.core.time import Span

SCHEMA = "mastershot/timeline/1"
_NOT_A_TIMELINE = (
    LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError,
)  # fmt: skip
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
    """

    movie: Movie
    made_by: MadeBy
    shots: tuple[Shot, ...]
    scenes: tuple[Scene, ...] | None = None
    damaged: tuple[DamagedSpan, ...] = ()
    notes: tuple[str, ...] = ()

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

    def scene_of(self, shot_index: int) -> Scene | None:
        """Return the scene that holds a shot, or None when scenes were not found."""
        for scene in self.scenes or ():
            if scene.first_shot <= shot_index < scene.end_shot:
                return scene
        return None

    def to_json(self) -> str:
        """Return the timeline as JSON text that validates against the shipped schema."""
        return utf8_text(json.dumps(_timeline_to_json(self), indent=1, ensure_ascii=False) + "\n")

    @staticmethod
    def from_json(text: str, *, name: str = "timeline") -> "Timeline":
        """Return the timeline that `to_json` wrote; the round trip loses nothing.

        Raises:
            TimelineError: The text is not JSON, of another schema, or not a valid timeline.
        """
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise TimelineError(f"{name} is not valid JSON: {error}") from error
        if not isinstance(value, dict) or value.get("schema") != SCHEMA:
            found = value.get("schema") if isinstance(value, dict) else type(value).__name__
            raise TimelineError(f"{name} has schema {found!r}; this version reads {SCHEMA!r}")
        _refuse_unknown_keys(value, name)
        try:
            return _timeline_from_json(value)
        except _NOT_A_TIMELINE as error:
            raise TimelineError(
                f"{name} is not a valid timeline: {type(error).__name__} {error}"
            ) from error

    @staticmethod
    def load(path: str | Path) -> "Timeline":
        """Return the timeline in a file.

        Raises:
            TimelineError: The file cannot be read or does not hold a valid timeline.
        """
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TimelineError(f"timeline {path} cannot be read: {error}") from error
        return Timeline.from_json(text, name=str(path))


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


def _refuse_unknown_keys(value: Json, name: str) -> None:
    """Refuse what would be lost: keys, anywhere but in the free settings, that are not ours."""
    schema = timeline_schema()
    parts = [(value, schema["properties"]), (value.get("movie"), schema["properties"]["movie"])]
    for key, definition in (("shots", "shot"), ("scenes", "scene"), ("damaged", "damaged")):
        items = value.get(key)
        for item in items if isinstance(items, list) else []:
            parts.append((item, schema["$defs"][definition]))
    unknown: set[str] = set()
    for part, known in parts:
        if isinstance(part, dict):
            unknown |= set(part) - set(known.get("properties", known))
    if unknown:
        raise TimelineError(
            f"{name} holds {', '.join(map(repr, sorted(unknown)))}, unknown to this version; "
            "read it with the version that wrote it, so that nothing is lost"
        )


def _timeline_to_json(timeline: Timeline) -> Json:
    value: Json = {
        "schema": SCHEMA,
        "movie": _movie_to_json(timeline.movie),
        "made_by": {
            "version": timeline.made_by.version,
            "created": timeline.made_by.created,
            "steps": timeline.made_by.steps,
        },
        "shots": [_shot_to_json(shot) for shot in timeline.shots],
    }
    if timeline.scenes is not None:
        value["scenes"] = [_scene_to_json(scene) for scene in timeline.scenes]
    if timeline.damaged:
        value["damaged"] = [_damaged_to_json(span) for span in timeline.damaged]
    if timeline.notes:
        value["notes"] = list(timeline.notes)
    return value


def _timeline_from_json(value: Json) -> Timeline:
    movie = _movie_from_json(value["movie"])
    made_by = value["made_by"]
    shots = tuple(_shot_from_json(shot, movie.time_base) for shot in value["shots"])
    scenes = None
    if "scenes" in value:
        scenes = tuple(_scene_from_json(scene, shots) for scene in value["scenes"])
    return Timeline(
        movie=movie,
        made_by=MadeBy(
            _typed(str, made_by["version"]),
            _typed(str, made_by["created"]),
            _typed(dict, made_by["steps"]),
        ),
        shots=shots,
        scenes=scenes,
        damaged=tuple(_damaged_from_json(span, movie) for span in value.get("damaged", ())),
        notes=tuple(_typed(str, note) for note in value.get("notes", ())),
    )


def _movie_to_json(movie: Movie) -> Json:
    return {
        "id": movie.id,
        "path": movie.path,
        "content_hash": movie.content_hash,
        "duration_s": movie.duration_s,
        "frame_rate": _ratio_to_text(movie.frame_rate),
        "time_base": _ratio_to_text(movie.time_base),
        "start_pts": movie.start_pts,
        "end_pts": movie.end_pts,
        "num_frames": movie.num_frames,
        "width_px": movie.width_px,
        "height_px": movie.height_px,
        "sample_aspect_ratio": _ratio_to_text(movie.sample_aspect_ratio),
        "has_audio": movie.has_audio,
        "variable_frame_rate": movie.variable_frame_rate,
    }


def _movie_from_json(value: Json) -> Movie:
    fields = {key: item for key, item in value.items() if key != "duration_s"}
    for name, kind in get_type_hints(Movie).items():
        fields[name] = Fraction(value[name]) if kind is Fraction else _typed(kind, value[name])
    return Movie(**fields)


def _span_to_json(span: Span) -> Json:
    return {
        "first_frame": span.first_frame,
        "end_frame": span.end_frame,
        "start_pts": span.start_pts,
        "end_pts": span.end_pts,
        "start_s": span.start_s,
        "end_s": span.end_s,
    }


def _shot_to_json(shot: Shot) -> Json:
    value: Json = {"id": shot.id, **_span_to_json(shot.span)}
    value["transition_in"] = {
        "kind": shot.transition_in.kind,
        "start_frame": shot.transition_in.start_frame,
        "end_frame": shot.transition_in.end_frame,
    }
    if shot.labels is not None:
        value["labels"] = [_label_to_json(label) for label in shot.labels]
        value["kept"] = list(shot.kept)
        if shot.borrowed:
            value["borrowed"] = [_label_to_json(label) for label in shot.borrowed]
    if shot.thumb is not None:
        value["thumb"] = shot.thumb
    if shot.sampled_frames:
        value["sampled_frames"] = list(shot.sampled_frames)
    if shot.scale is not None:
        value["scale"] = dict(shot.scale)
    return value


def _shot_from_json(value: Json, time_base: Fraction) -> Shot:
    transition = value["transition_in"]
    return Shot(
        id=_typed(str, value["id"]),
        span=Span(
            _typed(int, value["first_frame"]),
            _typed(int, value["end_frame"]),
            _typed(int, value["start_pts"]),
            _typed(int, value["end_pts"]),
            time_base,
        ),
        transition_in=Transition(
            TRANSITION_KINDS[TRANSITION_KINDS.index(transition["kind"])],
            _typed(int, transition["start_frame"]),
            _typed(int, transition["end_frame"]),
        ),
        labels=_labels_from_json(value.get("labels")),
        kept=tuple(_typed(str, name) for name in value.get("kept", ())),
        borrowed=_labels_from_json(value.get("borrowed")) or (),
        thumb=_typed(str | None, value.get("thumb")),
        sampled_frames=tuple(_typed(int, frame) for frame in value.get("sampled_frames", ())),
        scale=_scale_from_json(value["scale"]) if "scale" in value else None,
    )


def _scale_from_json(value: Json) -> dict[str, float]:
    scale = {name: float(_typed(int | float, score)) for name, score in value.items()}
    if set(scale) != set(SCALES):
        raise ValueError(f"a shot's scale should score {', '.join(SCALES)}, not {list(scale)}")
    return scale


def _scene_to_json(scene: Scene) -> Json:
    value: Json = {
        "id": scene.id,
        "first_shot": scene.first_shot,
        "end_shot": scene.end_shot,
        "start_s": scene.span.start_s,
        "end_s": scene.span.end_s,
    }
    if scene.labels is not None:
        value["labels"] = [_label_to_json(label) for label in scene.labels]
    return value


def _scene_from_json(value: Json, shots: tuple[Shot, ...]) -> Scene:
    return Scene(
        id=_typed(str, value["id"]),
        first_shot=_typed(int, value["first_shot"]),
        end_shot=_typed(int, value["end_shot"]),
        span=span_of_shots(shots, value["first_shot"], value["end_shot"]),
        labels=_labels_from_json(value.get("labels")),
    )


def _damaged_to_json(span: DamagedSpan) -> Json:
    return {
        "start_pts": span.start_pts,
        "end_pts": span.end_pts,
        "start_s": span.start_s,
        "end_s": span.end_s,
        "frames_missing": span.frames_missing,
    }


def _damaged_from_json(value: Json, movie: Movie) -> DamagedSpan:
    return DamagedSpan(
        start_pts=_typed(int, value["start_pts"]),
        end_pts=_typed(int, value["end_pts"]),
        time_base=movie.time_base,
        frames_missing=_typed(int, value["frames_missing"]),
    )


def span_of_shots(shots: tuple[Shot, ...], first_shot: int, end_shot: int) -> Span:
    """Return the span from one shot's start to the end of the last shot before ``end_shot``."""
    first, last = shots[first_shot].span, shots[end_shot - 1].span
    return Span(first.first_frame, last.end_frame, first.start_pts, last.end_pts, first.time_base)


def _label_to_json(label: LabelScore) -> Json:
    return {"name": label.name, "score": label.score, "unsure": label.unsure}


def _labels_from_json(values: list[Json] | None) -> tuple[LabelScore, ...] | None:
    if values is None:
        return None
    return tuple(
        LabelScore(
            _typed(str, value["name"]),
            float(_typed(int | float, value["score"])),
            _typed(bool, value["unsure"]),
        )
        for value in values
    )


def _typed(kind: Any, value: Any) -> Any:
    """Return the value if it is of this kind, where True is not a number."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{value!r} should be {getattr(kind, '__name__', kind)}")
    return value


def _ratio_to_text(ratio: Fraction) -> str:
    return f"{ratio.numerator}/{ratio.denominator}"
