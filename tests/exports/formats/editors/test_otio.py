import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from tests.exports.formats.editors.test_edits import export_of
from tests.factories.timelines import make_timeline

from mastershot.core.errors import EditsError
from mastershot.core.lanes import Lane
from mastershot.core.movie import Transition
from mastershot.exports.formats.editors.otio import read_otio, write_otio
from mastershot.store.frames import frame_times_of

FILM = make_timeline()
RATE = 24000 / 1001


def read(path: Path) -> dict[str, Lane]:
    return {lane.name: lane for lane in read_otio(path, FILM, frame_times_of(FILM))}


def frames(lane: Lane) -> list[tuple[int, int]]:
    return [(one.span.first_frame, one.span.end_frame) for one in lane.intervals]


def span(first: float, length: float, rate: float = RATE) -> otio.opentime.TimeRange:
    time = otio.opentime.RationalTime
    return otio.opentime.TimeRange(time(first, rate), time(length, rate))


def clip(name: str, first: float, length: float, url: str = "", rate: float = RATE) -> Any:
    media = otio.schema.ExternalReference(url) if url else otio.schema.MissingReference()
    return otio.schema.Clip(name, media, span(first, length, rate))


def saved(folder: Path, *items: Any, change: Callable[[Any], None] | None = None) -> Path:
    timeline = otio.schema.Timeline("cut")
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(otio.schema.Track("A1", kind=otio.schema.TrackKind.Audio))
    timeline.tracks.append(track)
    track.extend(items)
    if change is not None:
        change(timeline)
    path = folder / "cut.otio"
    path.write_text(timeline.to_json_string())
    return path


def test_clips_transitions_and_markers_carry_frames_scores_and_colours(tmp_path: Path) -> None:
    dissolve = replace(FILM.shots[1], transition_in=Transition("dissolve", 35, 44))
    timeline = replace(FILM, shots=(FILM.shots[0], dissolve, FILM.shots[2]))
    path = tmp_path / "film.otio"
    assert write_otio(export_of(timeline, "01:00:00:00", ["shots", "audio"]), path) == ()
    made = otio.adapters.read_from_file(str(path))
    (track,) = made.video_tracks()
    assert [type(item).__name__ for item in track] == ["Clip", "Transition", "Clip", "Clip"]
    assert (track[1].in_offset.value, track[1].out_offset.value) == (5, 4)
    assert track[1].transition_type == "SMPTE_Dissolve"
    assert list(track[2].metadata["mastershot"]["frames"]) == [40, 70]
    speech = made.tracks.markers[0]
    assert (speech.name, speech.color) == ("audio: Speech", "YELLOW")
    assert speech.metadata["mastershot"]["score"] == 0.9
    assert list(speech.metadata["mastershot"]["frames"]) == [9, 70]
    assert read(path)["audio"].intervals == tuple(
        replace(one) for one in export_of(timeline, "", ["audio"]).lanes[0].intervals
    )


def test_a_timeline_cut_elsewhere_lies_where_its_clips_are_of_the_film(tmp_path: Path) -> None:
    gap = otio.schema.Gap(duration=otio.opentime.RationalTime(10, RATE))
    fade = otio.schema.Transition(
        "Dip to White", "Custom_Transition",
        otio.opentime.RationalTime(3, RATE), otio.opentime.RationalTime(5, RATE),
    )  # fmt: skip
    url = "file:///films/film.mp4"
    second = clip("b", 60, 30, url)
    second.markers.append(otio.schema.Marker("look", span(70, 4)))
    path = saved(tmp_path, clip("a", 0, 40, url), gap, fade, second)
    lanes = read(path)
    assert frames(lanes["shots"]) == [(0, 40), (60, 90)]
    assert [one.text for one in lanes["shots"].intervals] == ["a", "b, fade through white 57-65"]
    assert frames(lanes["markers"]) == [(70, 74)]


def test_media_says_where_it_starts(tmp_path: Path) -> None:
    one = clip("a", 86410, 20, "film.mp4")
    one.media_reference.available_range = span(86400, 120)
    assert frames(read(saved(tmp_path, one))["shots"]) == [(10, 30)]


def test_other_rates_and_rounded_ones_are_converted(tmp_path: Path) -> None:
    for rate, length in ((23.98, 40), (24000 / 1001 * 2, 80)):
        path = saved(tmp_path, clip("a", 0, length, "film.mp4", rate))
        assert frames(read(path)["shots"]) == [(0, 40)]


def test_clips_of_many_sources_lie_where_they_are_in_the_track(tmp_path: Path) -> None:
    path = saved(tmp_path, clip("a", 900, 40, "a.mov"), clip("b", 10, 30, "b.mov"))
    assert frames(read(path)["shots"]) == [(0, 40), (40, 70)]
    path = saved(tmp_path, clip("a", 900, 40), clip("b", 10, 30))
    assert frames(read(path)["shots"]) == [(0, 40), (40, 70)]


def test_a_collection_gives_its_first_timeline(tmp_path: Path) -> None:
    path = saved(tmp_path, clip("a", 0, 40, "film.mp4"))
    inner = otio.adapters.read_from_file(str(path))
    path.write_text(otio.schema.SerializableCollection("all", [inner]).to_json_string())
    assert frames(read(path)["shots"]) == [(0, 40)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"OTIO_SCHEMA": "Timeline.99"}', "written by a newer OpenTimelineIO"),
        ('{"OTIO_SCHEMA": "Nothing.1"}', "holds a 'Nothing.1'; it should be a Timeline"),
        ('{"OTIO_SCHEMA": "Clip.2"}', "it should be a Timeline|no timeline that OpenTimelineIO"),
        ('{"OTIO_SCHEMA": "Timeline.1", "tracks": 3}', "is no timeline that OpenTimelineIO reads"),
        ('{"OTIO_SCHEMA": 1}', "is JSON, but no OpenTimelineIO file"),
        ("[]", "is JSON, but no OpenTimelineIO file"),
        ("{", "is no JSON, as OpenTimelineIO files are"),
        ("", "is empty"),
        ("\0", "is a binary file"),
        ('{"a":' * 600 + "1" + "}" * 600, "nested deeper than 500 levels"),
        ('{"a":' * 100_000, "is no JSON"),
    ],
)
def test_what_is_no_timeline_is_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.otio"
    path.write_text(text)
    with pytest.raises(EditsError, match=sentence) as refused:
        read(path)
    assert "\n" not in str(refused.value)


def test_a_timeline_without_a_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EditsError, match="has no event of picture and no marker"):
        read(saved(tmp_path))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("NaN", "a time that is no number"),
        ("Infinity", "a time that is no number"),
        ("1e300", "a time beyond any film"),
        ("-5", "clip 1 starts at .*, before the film's first frame"),
    ],
)
def test_times_that_mean_nothing_are_refused(value: str, sentence: str, tmp_path: Path) -> None:
    path = saved(tmp_path, clip("a", 77, 10, "film.mp4"))
    path.write_text(path.read_text().replace("77.0", value))
    with pytest.raises(EditsError, match=sentence):
        read(path)


def test_strange_metadata_is_passed_over(tmp_path: Path) -> None:
    one = clip("a", 0, 40, "film.mp4")
    one.metadata["mastershot"] = {"frames": "all"}
    one.markers.append(otio.schema.Marker("m", span(3, 2), metadata={"mastershot": [1]}))
    lanes = read(saved(tmp_path, one))
    assert frames(lanes["shots"]) == [(0, 40)]
    assert frames(lanes["markers"]) == [(3, 5)]
    assert json.loads((tmp_path / "cut.otio").read_text())["OTIO_SCHEMA"] == "Timeline.1"
