"""A timeline as a table: one row a shot, for spreadsheets and data frames."""

import csv
from dataclasses import fields
from pathlib import Path

from mastershot.core.files import written_whole
from mastershot.core.labels import LabelScore
from mastershot.core.movie import People, Scene, Shot
from mastershot.core.time import format_clock
from mastershot.core.timeline import Timeline
from mastershot.evaluation.cutting import marks_over
from mastershot.exports.moderation import moderation_of_shots

_SPAN_COLUMNS = (
    "first_frame", "end_frame", "start_pts", "end_pts", "start_s", "end_s", "duration_s",
)  # fmt: skip
_PEOPLE_COLUMNS = tuple(part.name for part in fields(People))
_SOUND_COLUMNS = ("speech", "music", "silence", "loudness_db")


def write_shots_csv(timeline: Timeline, path: Path) -> None:
    """Write one row a shot, as RFC 4180 in UTF-8 under a header.

    ``index`` and ``scene_index`` count from 0, ranges are half-open, numbers read back to the
    same value. ``kept`` and ``borrowed`` join names with semicolons; ``scale`` is the likeliest,
    ``heading`` that of the scene. Heights of faces and persons are shares of the frame's;
    ``speech``, ``music`` and ``silence`` are shares of the shot's time. ``marks`` joins the kinds
    of marks in which at least half of the shot lies, ``moderation`` what a policy asks to be
    reviewed in it, and what was not looked or listened for. Where a step did not run its cells are
    empty. A text that a spreadsheet would run as a formula gets an apostrophe in front.

    Raises:
        OutputError: The file cannot be written; what was there before stays.
    """
    scene_of_shot = [
        (index, scene)
        for index, scene in enumerate(timeline.scenes or ())
        for _ in range(scene.first_shot, scene.end_shot)
    ]
    marks, moderation = marks_over(timeline), moderation_of_shots(timeline)
    rows = [
        _row(index, shot, *(scene_of_shot[index] if scene_of_shot else ("", None)))
        | {"marks": ";".join(marks[index]), "moderation": as_text(moderation[index])}
        for index, shot in enumerate(timeline.shots)
    ]
    with written_whole(path, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _row(index: int, shot: Shot, scene_index: int | str, scene: Scene | None) -> dict[str, object]:
    top = shot.labels[0] if shot.labels else None
    return {
        "index": index,
        "id": as_text(shot.id),
        **{name: getattr(shot.span, name) for name in _SPAN_COLUMNS},
        "start_clock": format_clock(shot.span.start_s),
        "transition": as_text(shot.transition_in.kind),
        "scene_index": scene_index,
        "top_label": as_text(top.name) if top else "",
        "score": top.score if top else "",
        "unsure": str(top.unsure).lower() if top else "",
        # Each name is guarded, not the whole: some spreadsheets split cells at semicolons.
        "kept": ";".join(map(as_text, shot.kept)),
        "borrowed": ";".join(as_text(label.name) for label in shot.borrowed),
        "scale": shot.likeliest_scale or "",
        "scale_by": shot.scale_by or "",
        **{name: getattr(shot.people, name, "") for name in _PEOPLE_COLUMNS},
        **{name: getattr(shot.sound, name, "") for name in _SOUND_COLUMNS},
        **_moment("setting", shot.setting),
        **_moment("time_of_day", shot.time_of_day),
        "heading": as_text(scene.heading) if scene is not None and scene.heading else "",
    }


def _moment(name: str, label: LabelScore | None) -> dict[str, object]:
    if label is None:
        return dict.fromkeys((name, f"{name}_score", f"{name}_unsure"), "")
    return {
        name: label.name,
        f"{name}_score": label.score,
        f"{name}_unsure": str(label.unsure).lower(),
    }


def as_text(text: str) -> str:
    """Return a cell that no spreadsheet runs as a formula."""
    # The characters are those of OWASP's page on CSV injection.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
