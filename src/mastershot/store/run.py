"""One analysis of a film, as the rows that a library keeps of it."""

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from mastershot.core.errors import TimelineError
from mastershot.core.labels import LabelScore
from mastershot.core.movie import movie_id, scene_id, shot_id
from mastershot.core.text import utf8_text
from mastershot.core.time import Span
from mastershot.core.timeline import Timeline, lines_said
from mastershot.store.tables import TABLES_OF_A_RUN, Row, stored_path, table_of

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Run:
    """A film's timeline and its pictures.

    Attributes:
        timeline: The timeline.
        pictures: The shots' pictures as JPEG, by shot id.
    """

    timeline: Timeline
    pictures: Mapping[str, bytes]

    @cached_property
    def id(self) -> str:
        """Names the film's content, how it was analysed and the result; see `run_id`."""
        return run_id(self._undated_json, self.pictures)

    def movie_row(self, *, file: str, size_bytes: int | None) -> "pa.Table":
        """Return the one row of ``movies`` that makes the film and this run exist."""
        movie, scenes = self.timeline.movie, self.timeline.scenes
        row = {
            name: f"{value.numerator}/{value.denominator}" if isinstance(value, Fraction) else value
            for name, value in asdict(movie).items()
        } | {
            "path": stored_path(movie.path),
            "duration_s": movie.duration_s,
            "num_shots": len(self.timeline.shots),
            "num_scenes": None if scenes is None else len(scenes),
            "run_id": self.id,
            "file": stored_path(file),
            "size_bytes": size_bytes,
        }
        return table_of("movies", [row])

    def rows(self) -> "dict[str, pa.Table]":
        """Return the rows of each of `TABLES_OF_A_RUN`, in the order of the film."""
        timeline, made_by = self.timeline, self.timeline.made_by
        made = {
            "version": made_by.version,
            "created": made_by.created,
            "steps": utf8_text(json.dumps(made_by.steps, sort_keys=True, ensure_ascii=False)),
            "timeline": zlib.compress(self._undated_json.encode()),
        }
        rows = {
            "runs": [made],
            "shots": list(_shot_rows(timeline, self.pictures)),
            "scenes": [
                {"index": index, "id": scene.id, **_span_row(scene.span)}
                | {"first_shot": scene.first_shot, "end_shot": scene.end_shot}
                for index, scene in enumerate(timeline.scenes or ())
            ],
            "labels": list(_label_rows(timeline)),
            "sounds": [asdict(event) for event in timeline.audio or ()],
            "subtitles": [
                {"text": utf8_text(line.text), **_span_row(line.span)}
                for line in lines_said(timeline)
            ],
            "traits": list(_trait_rows(timeline)),
            "genres": [
                {"name": one.name, "score": one.score, "chosen": one.chosen}
                for one in timeline.genres or ()
            ],
        }
        key = {"movie_id": timeline.movie.id, "run_id": self.id}
        return {name: table_of(name, [key | row for row in rows[name]]) for name in TABLES_OF_A_RUN}

    @cached_property
    def _undated_json(self) -> str:
        undated = replace(self.timeline.made_by, created="")
        return replace(self.timeline, made_by=undated).to_json()


def traits_of(timeline: Timeline, run: str) -> "pa.Table":
    """Return what a film's shots are searched by beside words, as rows of that run."""
    key = {"movie_id": timeline.movie.id, "run_id": run}
    return table_of("traits", [key | row for row in _trait_rows(timeline)])


def run_id(undated_json: str, pictures: Mapping[str, bytes]) -> str:
    """Return sixteen hex digits that change with the timeline or a picture.

    The date is left out: the same analysis of the same file has the same id at any time.
    """
    digest = hashlib.sha256(undated_json.encode())
    for shot, picture in sorted(pictures.items()):
        digest.update(f"\n{shot} {len(picture)}\n".encode() + picture)
    return digest.hexdigest()[:16]


def undated_json_of(row: Row, *, name: str) -> str:
    """Return the timeline that a row of ``runs`` holds, as JSON without its date.

    Raises:
        TimelineError: The row does not hold what was kept.
    """
    try:
        return zlib.decompress(row["timeline"]).decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise TimelineError(f"{name} is damaged: {error}") from error


def timeline_of(row: Row, *, name: str) -> Timeline:
    """Return the timeline that a row of ``runs`` holds.

    Raises:
        TimelineError: The row does not hold what was kept.
    """
    timeline = Timeline.from_json(undated_json_of(row, name=name), name=name)
    return replace(timeline, made_by=replace(timeline.made_by, created=row["created"]))


def wrong_id(timeline: Timeline) -> str | None:
    """Return what is wrong with the first id that is not the derived one, or None."""
    movie, scenes = timeline.movie, timeline.scenes or ()
    ids = [(movie.id, movie_id(movie.content_hash))]
    ids += [(shot.id, shot_id(movie.id, index)) for index, shot in enumerate(timeline.shots)]
    ids += [(scene.id, scene_id(movie.id, index)) for index, scene in enumerate(scenes)]
    for found, derived in ids:
        if found != derived:
            return f"id {found!r} should be {derived!r}"
    return None


def _shot_rows(timeline: Timeline, pictures: Mapping[str, bytes]) -> Iterator[Row]:
    scene_of_shot = [
        index
        for index, scene in enumerate(timeline.scenes or ())
        for _ in range(scene.first_shot, scene.end_shot)
    ]
    for index, shot in enumerate(timeline.shots):
        yield _span_row(shot.span) | {
            "index": index,
            "id": shot.id,
            "transition": shot.transition_in.kind,
            "transition_start_frame": shot.transition_in.start_frame,
            "transition_end_frame": shot.transition_in.end_frame,
            "scene_index": scene_of_shot[index] if scene_of_shot else None,
            "kept": list(shot.kept),
            "thumb": pictures.get(shot.id),
        }


def _trait_rows(timeline: Timeline) -> Iterator[Row]:
    """Yield of each shot what is sure, None where nothing is; every shot has a row."""
    headings: list[str | None] = [None] * len(timeline.shots)
    for scene in timeline.scenes or ():
        headings[scene.first_shot : scene.end_shot] = [scene.heading] * (
            scene.end_shot - scene.first_shot
        )
    for index, (shot, heading) in enumerate(zip(timeline.shots, headings, strict=True)):
        people = shot.people
        yield {
            "index": index,
            "setting": _sure(shot.setting),
            "time_of_day": _sure(shot.time_of_day),
            "heading": heading,
            "scale": shot.likeliest_scale,
            "people": None if people is None else max(people.faces, people.persons),
        }


def _sure(label: LabelScore | None) -> str | None:
    return None if label is None or label.unsure else label.name


def _span_row(span: Span) -> Row:
    names = ("first_frame", "end_frame", "start_pts", "end_pts", "start_s", "end_s")
    return {name: getattr(span, name) for name in names}


def _label_rows(timeline: Timeline) -> Iterator[Row]:
    shots, scenes = timeline.shots, timeline.scenes or ()
    items = [("shot", shot.id, False, shot.labels or ()) for shot in shots]
    items += [("shot", shot.id, True, shot.borrowed) for shot in shots]
    items += [("scene", scene.id, False, scene.labels or ()) for scene in scenes]
    for level, item_id, borrowed, labels in items:
        for rank, label in enumerate(labels):
            item = {"level": level, "item_id": item_id, "borrowed": borrowed, "rank": rank}
            yield item | {"name": label.name, "score": label.score, "unsure": label.unsure}
