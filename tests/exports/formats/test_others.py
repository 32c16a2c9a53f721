"""Formats that are only written: Aegisub, FiftyOne, the page, clips."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.factories.exports import export_of
from tests.factories.films import encode_film
from tests.factories.timelines import make_timeline

from mastershot.core.errors import MediaError, SettingError
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Part, Reel
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.exports.formats.clips import write_clips
from mastershot.exports.formats.fiftyone import write_fiftyone
from mastershot.exports.formats.html import write_html
from mastershot.exports.formats.keyframes import write_keyframes
from mastershot.exports.formats.lanes import lanes_of
from mastershot.exports.formats.players.matroska import write_mkv_chapters
from mastershot.media.video import open_video
from mastershot.store.frames import frame_times_of


def noted(timeline: Timeline, times: FrameTimes) -> Timeline:
    notes = tuple(
        Interval(times.span(first, end), text)
        for first, end, text in ((30, 40, "<b>Look</b>"), (5, 9, "../../x/Été: \u202ea"))
    )
    return replace(timeline, lanes=(Lane("mine", "notes", "", notes),))


def test_aegisub_gets_the_first_frame_of_each_shot(tmp_path: Path) -> None:
    timeline, path = make_timeline(), tmp_path / "film.txt"
    times = frame_times_of(timeline)
    write_keyframes(export_of(timeline, times, lanes_of(timeline, times)), path)
    assert path.read_text() == "# keyframe format v1\nfps 0\n0\n40\n70\n"
    mine = lanes_of(noted(timeline, times), times, ["mine"])
    write_keyframes(export_of(timeline, times, mine), path)
    assert path.read_text() == "# keyframe format v1\nfps 0\n5\n30\n"
    with pytest.raises(SettingError, match="no lane to export"):
        write_keyframes(export_of(timeline, times, []), path)


def test_fiftyone_gets_supports_from_one_and_inclusive(tmp_path: Path) -> None:
    timeline, path = make_timeline("some/film.mp4"), tmp_path / "labels.json"
    times = frame_times_of(timeline)
    lanes = lanes_of(timeline, times, ["shots", "labels"])
    (note,) = write_fiftyone(export_of(timeline, times, lanes), path)
    assert "FiftyOneTemporalDetectionDataset" in note
    found = json.loads(path.read_text("utf-8"))
    # Its documentation: labels by the video's name without ending, a support of [first, last].
    assert list(found) == ["labels"]
    assert list(found["labels"]) == ["film"]
    detections = found["labels"]["film"]
    assert [one["support"] for one in detections[:3]] == [[1, 40], [41, 70], [71, 120]]
    assert detections[0] == {
        "label": "shot 0",
        "support": [1, 40],
        "attributes": {"lane": "shots", "role": "shots"},
    }
    kitchen = next(one for one in detections if one["label"] == "kitchen")
    assert kitchen["confidence"] == 0.7
    assert kitchen["attributes"]["lane"] == "labels"


def test_of_a_part_of_a_tape_frames_are_the_tapes_and_reels_are_no_one_video(
    tmp_path: Path,
) -> None:
    timeline, path = make_timeline(), tmp_path / "out"
    times = frame_times_of(timeline)
    movie = replace(timeline.movie, part=Part(2, 3, "", "", 1000, 0))
    export = export_of(replace(timeline, movie=movie), times, lanes_of(timeline, times, ["shots"]))
    assert write_keyframes(export, path) == ()
    assert path.read_text().splitlines()[2:] == ["1000", "1040", "1070"]
    write_fiftyone(export, path)
    (labels,) = json.loads(path.read_text("utf-8"))["labels"].values()
    assert labels[0]["support"] == [1001, 1040]
    reel = Reel("a.mp4", "", 0, 60, 0, 1, 0, times.time_base)
    reeled = replace(timeline, movie=replace(timeline.movie, reels=(reel, reel)))
    (note,) = write_keyframes(replace(export, timeline=reeled), path)
    assert note == "the film lies in 2 files; frames are those of all joined to one"
    with pytest.raises(MediaError, match="for FiftyOne can be had of films in one file only"):
        write_fiftyone(replace(export, timeline=reeled), path)
    with pytest.raises(MediaError, match="a copy with chapters can be had of films in one file"):
        write_mkv_chapters(replace(export, timeline=reeled), tmp_path / "film.mkv")


def test_the_page_shows_the_lanes_that_were_asked_for(tmp_path: Path) -> None:
    timeline, path = make_timeline(), tmp_path / "film.html"
    times = frame_times_of(timeline)
    timeline = noted(timeline, times)
    export = export_of(timeline, times, lanes_of(timeline, times, ["shots", "mine"]))
    write_html(replace(export, folder=tmp_path), path)
    page = path.read_text("utf-8")
    assert "<bdi>mine</bdi>: 2 intervals" in page
    assert "&lt;b&gt;Look&lt;/b&gt;" in page
    assert "<b>Look" not in page
    assert "<td>30–39</td>" in page
    assert "<bdi>audio</bdi>" not in page
    assert 'src="http' not in page


def test_clips_hold_their_frames_and_have_safe_names(tmp_path: Path) -> None:
    images = [np.full((48, 64, 3), 5 + 4 * number, np.uint8) for number in range(48)]
    film = encode_film(tmp_path / "film.mp4", images, options={"bf": "0", "g": "12", "qp": "4"})
    decoded = open_video(film)
    for _ in decoded.frames():
        pass
    times = FrameTimes(decoded.pts, decoded.file.time_base)
    timeline = make_timeline(str(film), shot_frames=(24, 24), scene_shots=None)
    spans = [times.span(0, 24), times.span(24, 48)]
    shots = tuple(
        replace(shot, span=span) for shot, span in zip(timeline.shots, spans, strict=True)
    )
    movie = replace(timeline.movie, time_base=times.time_base, frame_rate=Fraction(24))
    timeline = noted(replace(timeline, movie=movie, shots=shots), times)
    folder = tmp_path / "clips"
    export = export_of(timeline, times, lanes_of(timeline, times, ["mine"]))
    notes = write_clips(export, folder)
    assert notes[0].startswith("2 clips of lane mine: 0 copied, 2 compressed anew as H.264")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["00000_0000030_b-look-b.mp4", "00001_0000005_x-ete-a.mp4"]
    counts = [sum(1 for _ in open_video(folder / name).frames()) for name in names]
    assert counts == [10, 4]
    first = next(open_video(folder / names[1]).frames()).rgb().mean()
    assert round((float(first) - 5) / 4) == 5
    made = write_clips(export_of(timeline, times, lanes_of(timeline, times)), tmp_path / "shots")
    assert made[1:] == ("00000_0000000_shot-0.mp4: copied", "00001_0000024_shot-1.mp4: copied")
    reel = Reel("a.mp4", "", 0, 48, 0, 1, 0, times.time_base)
    reeled = replace(timeline, movie=replace(movie, reels=(reel, reel)))
    with pytest.raises(MediaError, match="clips can be had of films in one file only"):
        write_clips(replace(export, timeline=reeled), folder)
    guessed = replace(times, are_exact=False)
    with pytest.raises(MediaError, match=r"frames\.npz is not beside its timeline"):
        write_clips(replace(export, times=guessed), folder)
    gone = replace(export, film=tmp_path / "gone.mp4")
    with pytest.raises(MediaError, match=r"gone\.mp4 does not exist"):
        write_clips(gone, folder)
