import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.core.errors import TimelineError
from mastershot.core.labels import LabelScore
from mastershot.core.movie import (
    SCALES,
    DamagedSpan,
    Movie,
    Scene,
    Shot,
    Transition,
    scene_id,
    shot_id,
)
from mastershot.core.time import Span
from mastershot.core.timeline import MadeBy, Timeline, span_of_shots, timeline_schema

GOLDEN = Path(__file__).parents[1] / "golden" / "timeline.json"
MOVIE_ID = "0123456789abcdef"


def timeline_of(lengths: list[int], *, offset_pts: int = 0) -> Timeline:
    """Return a timeline at 24000/1001 whose shots have these lengths in frames."""
    time_base, step = Fraction(1, 24000), 1001
    starts = [sum(lengths[:i]) for i in range(len(lengths) + 1)]
    shots = tuple(
        Shot(
            id=shot_id(MOVIE_ID, i),
            span=Span(a, b, offset_pts + a * step, offset_pts + b * step, time_base),
            transition_in=Transition("cut" if i else "start", a, a),
            labels=(LabelScore("kitchen", 0.625), LabelScore("café “ü”", 0.125, unsure=True)),
            kept=("kitchen",),
            borrowed=(LabelScore("house", 0.5),) if i % 2 else (),
            thumb=f"thumbs/{i:05}.jpg",
            sampled_frames=(a, b - 1),
        )
        for i, (a, b) in enumerate(pairwise(starts))
    )
    movie = Movie(
        id=MOVIE_ID,
        path="films/ä film.mp4",
        content_hash="blake2b:0123456789abcdef0123456789abcdef",
        frame_rate=Fraction(24000, 1001),
        time_base=time_base,
        start_pts=offset_pts,
        end_pts=offset_pts + starts[-1] * step,
        num_frames=starts[-1],
        width_px=1920,
        height_px=800,
        sample_aspect_ratio=Fraction(1),
        has_audio=True,
        variable_frame_rate=False,
    )
    scene = Scene(
        scene_id(MOVIE_ID, 0), 0, len(shots), span_of_shots(shots, 0, len(shots)),
        labels=(LabelScore("kitchen", 0.75),),
    )  # fmt: skip
    made_by = MadeBy("0.1.0", "2026-01-01T00:00:00+00:00", {"shots": {"detector": "content"}})
    return Timeline(movie, made_by, shots, (scene,))


def test_a_copyright_is_kept_and_is_absent_without_one() -> None:
    plain = timeline_of([3, 4])
    assert "copyright" not in json.loads(plain.to_json())["movie"]
    marked = replace(plain, movie=replace(plain.movie, copyright="© Ann\nCC BY 4.0"))
    jsonschema.validate(json.loads(marked.to_json()), timeline_schema())
    assert Timeline.from_json(marked.to_json()) == marked


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=8), st.integers(-5000, 5000))
def test_the_round_trip_loses_nothing_and_validates(lengths: list[int], offset: int) -> None:
    timeline = timeline_of(lengths, offset_pts=offset)
    text = timeline.to_json()
    assert Timeline.from_json(text) == timeline
    assert Timeline.from_json(text).to_json() == text
    jsonschema.validate(json.loads(text), timeline_schema())


def test_the_golden_timeline_stays_the_same_to_the_byte() -> None:
    assert timeline_of([24, 48, 7], offset_pts=2002).to_json() == GOLDEN.read_text("utf-8")


def test_damaged_spans_and_notes_come_back_and_are_absent_where_there_are_none() -> None:
    whole = timeline_of([24, 48])
    assert not {"damaged", "notes"} & set(json.loads(whole.to_json()))
    span = DamagedSpan(1001, 5005, whole.movie.time_base, 4)
    damaged = replace(whole, damaged=(span,), notes=("it is damaged",))
    value = json.loads(damaged.to_json())
    jsonschema.validate(value, timeline_schema())
    assert value["damaged"] == [
        {
            "start_pts": 1001, "end_pts": 5005, "start_s": span.start_s, "end_s": span.end_s,
            "frames_missing": 4,
        }
    ]  # fmt: skip
    assert Timeline.from_json(damaged.to_json()) == damaged
    value["damaged"][0]["why"] = "?"
    with pytest.raises(TimelineError, match="'why', unknown to this version"):
        Timeline.from_json(json.dumps(value))


def test_absent_steps_are_absent_keys() -> None:
    timeline = timeline_of([24])
    bare = replace(timeline.shots[0], labels=None, kept=(), borrowed=(), thumb=None)
    bare = replace(bare, sampled_frames=())
    value = json.loads(replace(timeline, shots=(bare,), scenes=None).to_json())
    assert "scenes" not in value
    optional = {"labels", "kept", "borrowed", "thumb", "sampled_frames", "scale"}
    assert not optional & set(value["shots"][0])
    jsonschema.validate(value, timeline_schema())


def test_a_scale_is_kept_and_the_likeliest_is_known() -> None:
    timeline = timeline_of([24, 48])
    scale = dict(zip(SCALES, (0.125, 0.25, 0.5, 0.125, 0.0), strict=True))
    shots = (replace(timeline.shots[0], scale=scale), timeline.shots[1])
    timeline = replace(timeline, shots=shots)
    value = json.loads(timeline.to_json())
    assert value["shots"][0]["scale"] == scale
    assert "scale" not in value["shots"][1]
    jsonschema.validate(value, timeline_schema())
    assert Timeline.from_json(timeline.to_json()) == timeline
    assert [shot.likeliest_scale for shot in timeline.shots] == ["MS", None]


@pytest.mark.parametrize(
    ("first", "end", "sentence"),
    [
        (1, 24, "a part starts at frame 1 where frame 0 was due"),
        (0, 23, "ends at frame 23 of 24"),
    ],
)
def test_shots_that_do_not_tile_the_film_are_refused(first: int, end: int, sentence: str) -> None:
    timeline = timeline_of([24])
    span = Span(first, end, 0, 1, Fraction(1, 24))
    with pytest.raises(TimelineError, match=sentence):
        replace(timeline, shots=(replace(timeline.shots[0], span=span),))


def test_scenes_that_do_not_tile_the_shots_are_refused() -> None:
    timeline = timeline_of([24, 24])
    assert timeline.scenes is not None
    with pytest.raises(TimelineError, match="ends at shot 1 of 2"):
        replace(timeline, scenes=(replace(timeline.scenes[0], end_shot=1),))


def change(path: list[Any], new: Any) -> str:
    value = json.loads(timeline_of([24, 24]).to_json())
    inner = value
    for key in path[:-1]:
        inner = inner[key]
    if new is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return json.dumps(value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("[]", "has schema 'list'"),
        (change(["shots", 0, "labels", 0, "score"], float("nan")), "JSON: NaN is no number"),
        (change(["schema"], "mastershot/timeline/9"), "has schema 'mastershot/timeline/9'"),
        (change(["moods"], []), "holds 'moods', unknown to this version"),
        (change(["shots", 0, "camera"], "on a crane"), "holds 'camera', unknown to this version"),
        (change(["made_by", "camera"], "?"), "holds 'camera', unknown to this version"),
        (change(["shots", 0, "kept"], "CS"), r"shots\[0\]\.kept: 'CS' should be list"),
        (
            change(["shots", 0, "scale"], {"CS": 1}),
            r"shots\[0\]\.scale should score ECS, CS, MS, FS, LS",
        ),
        (change(["shots", 0, "scale"], "CS"), r"shots\[0\]\.scale: 'CS' should be dict"),
        (change(["shots", 0, "scale"], dict.fromkeys(SCALES, "high")), "'high' should be"),
        (change(["movie", "id"], None), "is not a valid timeline: movie.id is missing"),
        (change(["movie", "width_px"], "wide"), "movie.width_px: 'wide' should be int"),
        (change(["movie", "has_audio"], 1), "1 should be bool"),
        (change(["movie", "time_base"], "1/0"), "movie.time_base: '1/0' should be a ratio"),
        (change(["shots", 0, "end_frame"], 0), r"shots\[0\]: \(0, 0\) is no span"),
        (change(["shots", 0, "first_frame"], True), "True should be int"),
        (
            change(["shots", 0, "labels", 0, "score"], "high"),
            r"labels\[0\]\.score: 'high' should be",
        ),
        (
            change(["shots", 0, "transition_in", "kind"], "magic"),
            "kind: 'magic' should be one of start",
        ),
        (change(["shots", 1], None), r"scenes\[0\]: 0 to 2 should be a run of the 1 shots"),
        (change(["scenes", 0, "end_shot"], 7), r"scenes\[0\]: 0 to 7 should be a run"),
    ],
)
def test_what_is_no_timeline_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(TimelineError, match=sentence) as caught:
        Timeline.from_json(text)
    assert "\n" not in str(caught.value)


def test_a_timeline_that_cannot_be_read_says_where(tmp_path: Path) -> None:
    with pytest.raises(TimelineError, match=r"gone\.json cannot be read: No such file"):
        Timeline.load(tmp_path / "gone.json")


def test_the_scene_of_a_shot_is_found() -> None:
    timeline = timeline_of([24, 24])
    assert timeline.scenes is not None
    assert timeline.scene_of(1) == timeline.scenes[0]
    assert replace(timeline, scenes=None).scene_of(1) is None
