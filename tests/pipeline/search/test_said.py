"""Search by what is said: which lines have the words, and the shots in which they start."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.factories.timelines import make_thumbs, make_timeline
from tests.pipeline.search.test_nearest import put
from tests.pipeline.search.test_words import ToyEncoder

import mastershot as ms
from mastershot.core.lanes import Interval, Lane
from mastershot.core.timeline import Timeline
from mastershot.pipeline.search.said import said_shots
from mastershot.pipeline.search.words import search_words, write_hits_page
from mastershot.store.frames import frame_times_of


def with_lines(name: str, *lines: tuple[int, str]) -> Timeline:
    timeline = make_timeline(name)
    times = frame_times_of(timeline)
    intervals = tuple(Interval(times.span(first, first + 5), text) for first, text in lines)
    lanes = (Lane("subtitles", "subtitles", "x.srt", intervals),)
    return replace(timeline, lanes=(*lanes, Lane("mine", "notes", "", intervals)))


@pytest.fixture
def library(tmp_path: Path) -> ms.Library:
    library = ms.Library(tmp_path / "films.mastershot")
    for timeline in (
        with_lines("a.mp4", (38, "We go to the SEA at dawn."), (50, "The sea? Don't!")),
        with_lines(
            "b.mp4", (5, "Over the dark sea, to the ends of it"), (80, "seaside, 100%_off Straße")
        ),
    ):
        library.put_timeline(timeline, make_thumbs(timeline))
    return library


def found(library: ms.Library, words: str) -> list[tuple[str, int, float, str | None]]:
    hits = said_shots(library, words, limit=10)
    return [(Path(hit.path).stem, hit.frame, hit.score, hit.said) for hit in hits]


def test_lines_come_by_how_well_they_fit_then_by_film_and_time(library: ms.Library) -> None:
    assert found(library, "sea") == [
        ("a", 38, 1.0, "We go to the SEA at dawn."),
        ("a", 50, 1.0, "The sea? Don't!"),
        ("b", 5, 1.0, "Over the dark sea, to the ends of it"),
    ]
    assert [row[:3] for row in found(library, "to the sea")] == [
        ("a", 38, 1.0), ("a", 50, 0.5), ("b", 5, 0.5),
    ]  # fmt: skip
    assert found(library, "dawn sea") == [("a", 38, 0.5, "We go to the SEA at dawn.")]
    assert [row[1] for row in found(library, "don't")] == [50]
    assert [row[1] for row in found(library, "to the ends of it")] == [5]
    assert [row[1] for row in found(library, "STRAßE")] == [80]


@pytest.mark.parametrize("words", ["se", "ocean", "?!", "sea%", "_", "x' OR 1 = 1 --"])
def test_what_nobody_says_is_not_found(library: ms.Library, words: str) -> None:
    expected = 3 if words == "sea%" else 0
    assert len(found(library, words)) == expected


def test_a_hit_has_the_shot_and_the_time_of_its_line(library: ms.Library) -> None:
    (hit,) = said_shots(library, "dawn", limit=10)
    # Frame 38 lies in the first shot, which ends before frame 40.
    assert (hit.first_frame, hit.end_frame) == (0, 40)
    assert hit.said_s == pytest.approx((2002 + 38 * 1001) / 24000)
    assert len(said_shots(library, "sea", limit=2)) == 2


def test_what_is_said_and_what_is_seen_alternate(library: ms.Library, tmp_path: Path) -> None:
    hits = search_words(library, "dawn", limit=5)  # No film has vectors.
    assert [hit.said for hit in hits] == ["We go to the SEA at dawn."]
    put(library, make_timeline("c.mp4"), {0: 0.9, 60: 0.8})
    hits = search_words(library, "sea", limit=4, encoder=ToyEncoder())
    assert [hit.said is not None for hit in hits] == [True, False, True, False]
    page = tmp_path / "hits.html"
    write_hits_page(library, hits, page, words="sea")
    assert "said: <b><bdi>We go to the SEA at dawn.</bdi></b>" in page.read_text("utf-8")


def test_lines_go_with_the_film_and_a_library_that_lacks_them_gets_them(
    library: ms.Library, tmp_path: Path
) -> None:
    library.remove("a.mp4")
    assert [row[0] for row in found(library, "sea")] == ["b"]
    timeline = replace(library.timeline(library.movie("b.mp4").id), lanes=())
    library.put_timeline(timeline, make_thumbs(timeline))
    assert found(library, "sea") == []
    assert {one.kind for one in library.verify()} <= {"file"}
    shutil.rmtree(library.path / "subtitles.lance")
    again = ms.Library(library.path)
    put_back = with_lines("b.mp4", (5, "The sea"))
    again.put_timeline(put_back, make_thumbs(put_back))
    assert [row[1] for row in found(again, "sea")] == [5]
