"""The report: one page that holds every shot, asks for nothing and survives hostile text."""

import base64
import dataclasses
import hashlib
import re
import time
import tracemalloc
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mastershot.core.errors import OutputError
from mastershot.core.labels import (
    ExpertGate,
    GenreScore,
    LabelScore,
    NearestSubgenre,
    Relative,
)
from mastershot.core.lanes import Interval, Lane, Mark
from mastershot.core.movie import DamagedSpan, Movie, Scene, Shot, Transition
from mastershot.core.text import printable
from mastershot.core.time import Span
from mastershot.core.timeline import MadeBy, Timeline, span_of_shots
from mastershot.exports.pages.report import write_report

UNIT_S = Fraction(1, 24)
VOID = {"meta", "img", "input"}
INLINE = {"a", "b", "bdi", "data", "em", "i", "span"}
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 32
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}&amp;\u202eأ🎬"


class Page(HTMLParser):
    """A parsed page: its elements, its text, and whether every tag is closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text("utf-8")
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(self.source)
        self.close()
        assert self.open == []
        self.text = " ".join("".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()
        if tag not in INLINE:
            self.texts.append(" ")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    def values(self, name: str) -> list[str]:
        """Return every value of an attribute, in order."""
        return [value for _, attributes in self.elements if (value := attributes.get(name))]


def film_of(
    num_shots: int,
    *,
    shot_frames: int = 12,
    scene_length: int | None = None,
    path: str = "film.mp4",
) -> Timeline:
    """A film of shots of 12, 13 or 14 frames in turn, in scenes of equal numbers of shots."""
    shots, frame = [], 0
    for index in range(num_shots):
        end = frame + shot_frames + index % 3
        span = Span(frame, end, frame, end, UNIT_S)
        kind = "start" if index == 0 else "cut"
        thumb = f"thumbs/{index:05}.jpg"
        shots.append(Shot(f"s/{index:05}", span, Transition(kind, frame, frame), thumb=thumb))
        frame = end
    movie = Movie(
        "0" * 16, path, "blake2b:" + "0" * 32, 1 / UNIT_S, UNIT_S, 0, frame, frame, 640, 360,
        Fraction(1), True, False,
    )  # fmt: skip
    tiled = tuple(shots)
    scenes = None
    if scene_length is not None:
        ranges = [(a, min(a + scene_length, num_shots)) for a in range(0, num_shots, scene_length)]
        scenes = tuple(Scene("c", a, b, span_of_shots(tiled, a, b)) for a, b in ranges)
    return Timeline(movie, MadeBy("1.2.3", "2025-01-01T00:00:00Z"), tiled, scenes)


def with_shot(timeline: Timeline, index: int, **changes: object) -> Timeline:
    """The same timeline with one shot changed."""
    shots = list(timeline.shots)
    shots[index] = dataclasses.replace(shots[index], **changes)  # type: ignore[arg-type]
    return dataclasses.replace(timeline, shots=tuple(shots))


def with_movie(timeline: Timeline, **changes: object) -> Timeline:
    """The same timeline of a changed movie."""
    movie = dataclasses.replace(timeline.movie, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(timeline, movie=movie)


@pytest.fixture
def thumbs(tmp_path: Path) -> Path:
    """A folder with a picture for each of ten shots."""
    folder = tmp_path / "thumbs"
    folder.mkdir()
    for index in range(10):
        (folder / f"{index:05}.jpg").write_bytes(JPEG)
    return folder


def page_of(timeline: Timeline, thumbs: Path, notes: tuple[str, ...] = ()) -> Page:
    path = thumbs.parent / "report.html"
    write_report(timeline, path, thumbs=thumbs, notes=notes)
    return Page(path)


@pytest.mark.parametrize("scene_length", [None, 3])
def test_every_shot_stands_on_the_page_once_with_its_picture(
    scene_length: int | None, thumbs: Path
) -> None:
    page = page_of(film_of(10, scene_length=scene_length), thumbs)
    cards = [attrs for tag, attrs in page.elements if tag == "li" and "data-start" in attrs]
    assert [card["id"] for card in cards] == [f"shot-{index:05}" for index in range(10)]
    assert [float(card["data-start"] or "") for card in cards[:3]] == [0.0, 12 / 24, 25 / 24]
    pictures = [
        src for src in page.values("src") if base64.b64decode(src.partition(",")[2]) == JPEG
    ]
    assert len(pictures) == 10 + 20  # the cards, and the strip across the film
    assert len(set(page.values("id"))) == len(page.values("id"))


def test_a_card_gives_time_code_length_and_frames(thumbs: Path) -> None:
    text = page_of(film_of(10), thumbs).text
    assert "0:00:01.042 00002 0.58 s, frames 25–38" in text


def test_the_page_asks_for_nothing_outside_itself(thumbs: Path) -> None:
    page = page_of(film_of(10, scene_length=3), thumbs)
    assert all(src.startswith("data:image/jpeg;base64,") for src in page.values("src"))
    assert all(href.startswith("#") for href in page.values("href"))
    assert not re.search(r"https?:|@import|url\(", page.source)
    assert not {"link", "iframe", "object", "base"} & {tag for tag, _ in page.elements}
    policy = next(value for value in page.values("content") if "default-src" in value)
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_every_link_of_the_page_leads_to_a_part_of_it(thumbs: Path) -> None:
    page = page_of(film_of(10, scene_length=3), thumbs)
    assert len(page.values("href")) == 20 + 4 + 10
    assert {href[1:] for href in page.values("href")} <= set(page.values("id"))


def test_only_the_pages_own_script_may_run(thumbs: Path) -> None:
    source = page_of(film_of(2), thumbs).source
    (script,) = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in source


def test_hostile_text_is_shown_and_never_run(thumbs: Path) -> None:
    timeline = film_of(4, scene_length=2, path=f"/films/{HOSTILE.replace('/', '')}.mp4")
    label = LabelScore(HOSTILE, 0.9)
    timeline = with_shot(
        timeline, 1, labels=(label, LabelScore(HOSTILE + "2", 0.1, unsure=True)), kept=(HOSTILE,)
    )
    timeline = with_shot(timeline, 2, labels=(LabelScore("x", 0.1, True),), borrowed=(label,))
    scenes = tuple(dataclasses.replace(s, labels=(label,)) for s in timeline.scenes or ())
    made_by = dataclasses.replace(timeline.made_by, steps={HOSTILE: {HOSTILE: [HOSTILE]}})
    page = page_of(
        dataclasses.replace(timeline, scenes=scenes, made_by=made_by), thumbs, notes=(HOSTILE,)
    )
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert page.values("onerror") == []
    assert "<img src=x" not in page.source
    assert page.text.count(HOSTILE) >= 8
    assert printable(HOSTILE.replace("/", "")) in page.text


def test_what_cannot_be_seen_of_a_file_name_is_written_out(thumbs: Path) -> None:
    page = page_of(film_of(1, path="Z\udcfcrich\x1b[31m.mp4"), thumbs)
    assert "Z\\xfcrich\\x1b[31m.mp4" in page.text
    assert "\x1b" not in page.source


def test_a_film_of_one_frame_has_a_report_without_charts(thumbs: Path) -> None:
    page = page_of(film_of(1, shot_frames=1), thumbs)
    assert "0.04 s 1 shot 640 × 360 24 fps sound" in page.text
    assert "frame 0" in page.text
    assert "svg" not in [tag for tag, _ in page.elements]


def test_a_film_without_a_known_duration_has_a_report(thumbs: Path) -> None:
    timeline = film_of(2)
    for index in (0, 1):
        span = dataclasses.replace(timeline.shots[index].span, start_pts=0, end_pts=0)
        timeline = with_shot(timeline, index, span=span)
    page = page_of(with_movie(timeline, end_pts=0), thumbs)
    assert page.text.count("0.00 s, frames") == 2


def test_unsure_and_borrowed_labels_are_marked(thumbs: Path) -> None:
    timeline = film_of(2, scene_length=2)
    timeline = with_shot(
        timeline,
        0,
        labels=(LabelScore("kitchen", 0.71), LabelScore("bar", 0.04, unsure=True)),
        kept=("kitchen",),
    )
    timeline = with_shot(
        timeline,
        1,
        labels=(LabelScore("room", 0.12, unsure=True),),
        borrowed=(LabelScore("kitchen", 0.6), LabelScore("house", 0.5)),
    )
    page = page_of(timeline, thumbs)
    assert "kitchen 0.71 less likely: bar 0.04" in page.text
    assert "room unsure 0.12 from the scene: kitchen, house" in page.text
    assert page.values("class").count("unsure") == 1
    alts = [alt for alt in page.values("alt") if alt.startswith("Picture")]
    assert alts == ["Picture of shot 00000: kitchen", "Picture of shot 00001: room (unsure)"]


def test_a_scale_is_named_in_words_where_it_is_known(thumbs: Path) -> None:
    scale = {"ECS": 0.8, "CS": 0.1, "MS": 0.1, "FS": 0.0, "LS": 0.0}
    page = page_of(with_shot(film_of(2), 0, scale=scale), thumbs)
    assert page.text.count("extreme close-up 0.80") == 1


def test_a_scene_gives_its_range_its_labels_and_its_number_of_shots(thumbs: Path) -> None:
    timeline = film_of(5, scene_length=3)
    assert timeline.scenes is not None
    labels = (LabelScore("forest", 0.5), LabelScore("park", 0.2, unsure=True))
    scenes = (dataclasses.replace(timeline.scenes[0], labels=labels), timeline.scenes[1])
    page = page_of(dataclasses.replace(timeline, scenes=scenes), thumbs)
    assert (
        "Scene 0000 0:00:00.000–0:00:01.625 1.62 s, 3 shots forest 0.50 less likely: park 0.20"
        in page.text
    )
    assert "Scene 0001 0:00:01.625–0:00:02.667 1.04 s, 2 shots" in page.text
    bands = [attrs for _, attrs in page.elements if (attrs.get("href") or "").startswith("#scene")]
    assert "left:60.938%;width:39.062%" in (bands[1]["style"] or "")  # 39 and 25 of 64 frames


def test_without_scenes_the_shots_stand_in_one_grid(thumbs: Path) -> None:
    page = page_of(film_of(5), thumbs)
    headings = [tag for tag, _ in page.elements if tag in ("h1", "h2", "h3")]
    assert headings == ["h1", "h2", "h2"]
    assert "Scene" not in page.text


def test_missing_labels_are_explained_by_the_callers_notes_or_by_the_page(thumbs: Path) -> None:
    assert "The shots have no labels" in page_of(film_of(2), thumbs).text
    page = page_of(film_of(2), thumbs, notes=("No encoder is here; get one.", "Second."))
    assert "No encoder is here; get one. Second." in page.text
    assert "The shots have no labels" not in page.text


def test_pictures_that_are_missing_or_not_jpeg_leave_a_blank(thumbs: Path) -> None:
    (thumbs / "00001.jpg").unlink()
    (thumbs / "00002.jpg").write_text("<svg onload=alert(1)>")
    page = page_of(with_shot(film_of(5), 3, thumb="\0"), thumbs)
    assert page.text.count("no picture") == 3
    assert "2 of 5 pictures are not in their folder." in page.text


def test_a_timeline_without_pictures_has_no_blanks(thumbs: Path) -> None:
    page = page_of(with_shot(film_of(1), 0, thumb=None), thumbs)
    assert "no picture" not in page.text
    assert page.values("src") == []


def test_a_picture_is_never_taken_from_outside_the_folder(thumbs: Path) -> None:
    (thumbs.parent / "secret.jpg").write_bytes(JPEG + b"secret")
    page = page_of(with_shot(film_of(1), 0, thumb="../secret.jpg"), thumbs)
    assert page.values("src") == []


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"frame_rate": Fraction(24000, 1001)}, "23.976 fps (24000/1001)"),
        ({"variable_frame_rate": True}, "variable frame rate, 24 fps on average"),
        ({"has_audio": False}, "no sound"),
        ({"sample_aspect_ratio": Fraction(4, 3)}, "640 × 360, shown 853 px wide"),
        ({"start_pts": 36}, "starts at 0:00:01.500 on the file’s clock"),
        ({"end_pts": 24 * 600}, "10 min 2 shots"),
        ({"end_pts": 24 * 3725}, "1 h 2 min 2 shots"),
    ],
)
def test_the_facts_say_what_the_file_is(
    changes: dict[str, object], fact: str, thumbs: Path
) -> None:
    assert fact in page_of(with_movie(film_of(2), **changes), thumbs).text


def test_how_it_was_made_is_on_the_page(thumbs: Path) -> None:
    steps = {
        "labels": {"model": "clip", "taxonomy_fingerprint": "ab12", "sampling": ["uniform", 8]}
    }
    made_by = MadeBy("1.2.3", "2025-01-01T00:00:00Z", steps)
    text = page_of(dataclasses.replace(film_of(2), made_by=made_by), thumbs).text
    assert "Mastershot 1.2.3, 2025-01-01T00:00:00Z" in text
    assert 'labels model clip taxonomy_fingerprint ab12 sampling ["uniform", 8]' in text


def test_statistics_are_on_the_page(thumbs: Path) -> None:
    text = page_of(film_of(6, scene_length=3), thumbs).text  # 12, 13, 14 frames, twice
    assert "Shots 6 Average shot 0.54 s Median shot 0.54 s Shortest 0.50 s Longest 0.58 s" in text
    assert "Cuts a minute 92.3 Average scene 1.62 s" in text  # 5 cuts in 78 / 24 s


def test_bars_stand_on_the_median_and_are_as_wide_as_their_shots(thumbs: Path) -> None:
    page = page_of(film_of(3), thumbs)  # 12, 13 and 14 of 39 frames
    (path,) = [path for path in page.values("d") if path.endswith("Z")]
    bars = [[float(n) for n in re.findall(r"[\d.]+", bar)] for bar in path.split("Z") if bar]
    edges = [(left, right) for left, _, _, right, _ in bars]
    assert edges == [(0.0, 30.769), (30.769, 64.103), (64.103, 100.0)]
    tops_and_bases = [(top, base) for _, base, top, _, _ in bars]
    (low, base), (middle, _), (high, _) = tops_and_bases
    assert high < base == middle < low  # SVG counts downwards


def test_the_time_axis_is_marked_in_round_steps_within_the_film(thumbs: Path) -> None:
    text = page_of(film_of(240), thumbs).text  # 130 s
    assert "0:00:00 0:00:15 0:00:30" in text
    assert "0:01:45 0:02:00 Each bar" in text


def labelled(timeline: Timeline) -> Timeline:
    """The same timeline with five labels a shot, and the ten pictures used again and again."""
    labels = tuple(LabelScore(f"label {rank}", 0.5, unsure=rank > 0) for rank in range(5))
    shots = tuple(
        dataclasses.replace(shot, labels=labels, kept=("label 0",), thumb=f"{index % 10:05}.jpg")
        for index, shot in enumerate(timeline.shots)
    )
    return dataclasses.replace(timeline, shots=shots)


def test_two_thousand_shots_are_written_fast_and_small(thumbs: Path) -> None:
    timeline = labelled(film_of(2000, scene_length=16))
    path = thumbs.parent / "report.html"
    begin_s = time.process_time()
    write_report(timeline, path, thumbs=thumbs)
    assert time.process_time() - begin_s < 3
    picture_bytes = (2000 + 20) * (len(base64.b64encode(JPEG)) + len("data:image/jpeg;base64,"))
    assert path.stat().st_size - picture_bytes < 2000 * 1000


@pytest.mark.parametrize("scene_length", [None, 75])
def test_the_pictures_are_never_all_in_memory(scene_length: int | None, thumbs: Path) -> None:
    for path in thumbs.iterdir():
        path.write_bytes(JPEG * 8)
    timeline = labelled(film_of(150, scene_length=scene_length))
    path = thumbs.parent / "report.html"
    write_report(timeline, path, thumbs=thumbs)
    tracemalloc.start()
    write_report(timeline, path, thumbs=thumbs)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < path.stat().st_size / 3


def test_a_page_that_cannot_be_written_is_one_sentence(thumbs: Path) -> None:
    with pytest.raises(OutputError, match=r"report\.html cannot be written: No such file"):
        write_report(film_of(2), thumbs / "missing" / "report.html", thumbs=thumbs)


def test_missing_spans_are_listed_drawn_and_left_out_of_the_statistics(tmp_path: Path) -> None:
    film = film_of(4)
    start = film.shots[1].span.start_pts
    spans = tuple(DamagedSpan(start + i, start + i + 1, UNIT_S, 1) for i in range(0, 6, 2))
    damaged = dataclasses.replace(film, damaged=spans, notes=("it is damaged: 3 frames",))
    write_report(damaged, tmp_path / "report.html", thumbs=tmp_path)
    page = Page(tmp_path / "report.html")
    assert "It is damaged: 3 frames." in page.text
    assert "2 shots beside or around such a span are left out of the lengths above." in page.text
    assert "Frames missing" in page.text
    assert page.values("class").count("track damaged") == 1
    write_report(film, tmp_path / "report.html", thumbs=tmp_path)
    assert "Frames missing" not in Page(tmp_path / "report.html").text


def test_a_film_s_copyright_is_shown_line_by_line_and_cannot_add_to_the_page(thumbs: Path) -> None:
    plain = page_of(film_of(2), thumbs)
    page = page_of(with_movie(film_of(2), copyright=f"Ann, CC BY 4.0\n{HOSTILE}"), thumbs)
    assert "Copyright" not in plain.text
    assert "Copyright, as the file states it Ann, CC BY 4.0 " + printable(HOSTILE) in page.text
    assert page.values("href") == plain.values("href")
    assert len(page.elements) == len(plain.elements) + 6


def test_a_timeline_s_own_lanes_are_drawn_and_listed(thumbs: Path) -> None:
    film = film_of(4)
    first, last = film.shots[0].span, film.shots[3].span
    lanes = (
        Lane("my script", "script", "", (Interval(first, "INT. BAR", 0.25), Interval(last, "B"))),
        Lane("parted", "notes", "", (Interval(last, HOSTILE, 0.75),)),
    )
    page = page_of(dataclasses.replace(film, lanes=lanes), thumbs)
    pieces = {found["title"]: found for _, found in page.elements if "title" in found}
    assert pieces["INT. BAR (0.25)"]["class"] == "tint unsure"
    assert pieces["INT. BAR (0.25)"]["href"] == "#shot-00000"
    assert pieces["B"]["class"] == "tint"
    assert f"{printable(HOSTILE)} 0.75" in page.text
    write_report(dataclasses.replace(film, lanes=lanes), thumbs / "none.html", thumbs=thumbs,
                 lanes=())  # fmt: skip
    assert "INT. BAR" not in Page(thumbs / "none.html").text


def test_marks_are_drawn_along_the_film_and_what_they_leave_out_is_said(thumbs: Path) -> None:
    film = film_of(4)
    spans = [shot.span for shot in film.shots]
    marks = (Mark("black", spans[0]), Mark("silence", spans[1]), Mark("static", spans[3]))
    page = page_of(dataclasses.replace(film, marks=marks), thumbs)
    pieces = {found["title"].split(",")[0]: found for _, found in page.elements if "title" in found}
    assert pieces["black"]["href"] == "#shot-00000"
    assert pieces["silence"]["href"] == "#shot-00001"
    assert pieces["static"]["class"] == "tint"
    said = "2 shots do not count in lengths and cuts a minute: 1 in black, 1 in a static picture."
    assert said in page.text
    assert "Marks: 2 intervals" in page.text
    assert "Silence: 1 interval" in page.text
    plain = page_of(film, thumbs)
    assert "Marks" not in plain.text
    assert "do not count" not in plain.text


def test_lanes_that_are_chosen_are_all_that_is_drawn(thumbs: Path, tmp_path: Path) -> None:
    film = film_of(2)
    marked = dataclasses.replace(film, marks=(Mark("black", film.shots[0].span),))
    lane = Lane("mine", "notes", "", (Interval(film.shots[0].span, "here"),))
    write_report(marked, tmp_path / "page.html", thumbs=thumbs, lanes=(lane,))
    assert "Marks:" not in Page(tmp_path / "page.html").text


def test_genres_have_bars_with_thresholds_relatives_and_experts(thumbs: Path) -> None:
    plain = film_of(3)
    assert "genres-heading" not in page_of(plain, thumbs).values("id")
    timeline = dataclasses.replace(
        plain,
        genres=(GenreScore("Horror", 0.8, 0.4, True), GenreScore("<b>Drama", 0.3, 0.55, False)),
        subgenre=NearestSubgenre("ghost, attic, night", 0.42, 0.51),
        relatives=(Relative("tt1", "The Attic", 0.91), Relative("tt2", "", 0.5)),
        drivers=(ExpertGate("audio", 0.7, 0.5), ExpertGate("text", 0.0, 0.45)),
    )
    page = page_of(timeline, thumbs)
    assert "genres-heading" in page.values("id")
    styles = [style for style in page.values("style") if "--threshold" in style]
    assert styles == ["--score:0.8000;--threshold:0.4000", "--score:0.3000;--threshold:0.5500"]
    for words in ("<b>Drama", "ghost, attic, night", "0.42", "The Attic", "0.910", "tt2",
                  "0.700", "nothing to say"):  # fmt: skip
        assert words in page.text
    none = dataclasses.replace(plain, genres=(GenreScore("Horror", 0.2, 0.4, False),))
    assert "No genre reaches its threshold." in page_of(none, thumbs).text
