import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mastershot.core.errors import OutputError
from mastershot.core.labels import Taxonomy
from mastershot.exports.pages.dataset import draw_histogram, write_dataset_page, write_rating_page
from mastershot.labelling.draws import Draw, ShownShot
from mastershot.labelling.figures import DatasetFigures, SplitSize
from mastershot.labelling.splits import SplitOverlap
from mastershot.labelling.statistics import CorpusStatistics, GalleryShot

FIGURES = DatasetFigures(
    taxonomy="places",
    corpus=CorpusStatistics(2, (1930, 1999), 3, 1200, 400.0, 3.54),
    label_counts=(("forest", 800), ("<b>bar</b>", 400), ("never", 0)),
    score_counts=(0,) * 7 + (700, 500) + (0,) * 11,
    min_best=0.4,
    num_sure=500,
    genres={"War": [("forest", 3), ("bar", 1)]},
    scales={"CS": (1, 4), "": (0, 2)},
)
JPEG = b"\xff\xd8\xff a picture"


def text_of(path: Path) -> str:
    parts: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            parts.append(data)

    page = path.read_text("utf-8")
    Reader().feed(page[page.index("</style>") :])
    return " ".join(" ".join(parts).split())


def test_a_page_says_what_the_figures_say_and_asks_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "stats.html"
    write_dataset_page(FIGURES, path, title="mine & yours", notes=["A note."])
    text = text_of(path)
    for words in ("mine & yours", "A note.", "1930–1999", "1,200", "3.54 s", "41.7 %",
                  "500 shots from 0.4 on", "2 of 3 labels occur", "forest 800", "<b>bar</b> 400",
                  "War", "close-up 4 0.3 % 25.0 %", "not known"):  # fmt: skip
        assert words in text, words
    assert "never" not in text
    page = path.read_text("utf-8")
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)[^\"]*\"|https?:|url\(", page)
    assert "<b>bar" not in page


def test_pictures_are_shown_once_and_the_most_frequent_label_first(tmp_path: Path) -> None:
    shots = [GalleryShot("v", f"v-Scene-00{n}.mp4", 1 - n / 10) for n in range(4)]
    galleries = {"<b>bar</b>": (shots[:1], shots[:1]), "forest": (shots[:2], [shots[3], shots[1]])}
    path = tmp_path / "stats.html"
    write_dataset_page(
        FIGURES, path, title="x", galleries=galleries,
        picture=lambda shot: JPEG if shot.file < "v-Scene-003" else None,
    )  # fmt: skip
    page = path.read_text("utf-8")
    walls = page[page.index("galleries-heading") :]
    assert walls.index("forest") < walls.index("bar")
    assert walls.count("v-Scene-001.mp4</bdi>") == 1
    assert walls.count("data:image/jpeg") == 3
    assert walls.count("no picture") == 1
    assert walls.count("least sure</p>") == 1


def test_splits_are_tables(tmp_path: Path) -> None:
    splits = (SplitSize("train", 900, 3, 2, 2, 0.384), SplitSize("test", 300, 1, 1, 1, 0.0))
    overlaps = (SplitOverlap(("train", "test"), 0, 1, (3, 1), (2, 1)),)
    figures = replace(
        FIGURES, splits=splits, overlaps=overlaps, score_counts=(),
        corpus=replace(FIGURES.corpus, mean_shot_s=None),
    )  # fmt: skip
    write_dataset_page(figures, tmp_path / "a.html", title="x")
    text = text_of(tmp_path / "a.html")
    assert "train 900 3 2 2 38.4 %" in text
    assert "train and test 0 of 3 and 1 1 of 2 and 1" in text
    assert "Mean shot" not in text
    unknown = replace(figures, corpus=replace(figures.corpus, num_movies=None, years=None))
    write_dataset_page(unknown, tmp_path / "a.html", title="x")
    assert "0 of 3 and 1 not known" in text_of(tmp_path / "a.html")


def test_bars_are_as_high_as_their_counts() -> None:
    drawn = draw_histogram([0, 10, 5, 8], threshold=0.5)
    assert [mark.text for mark in drawn.marks] == ["0", "5", "10"]
    assert drawn.threshold == 50
    assert re.findall(r"V([\d.]+)H", drawn.unsure) == ["100.00", "0.00"]
    assert re.findall(r"V([\d.]+)H", drawn.sure) == ["50.00", "20.00"]


def test_a_page_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_dataset_page(FIGURES, tmp_path / "gone" / "a.html", title="x")


DRAW = Draw(
    Taxonomy("places", ("<i>bar", "zoo")), "proportional", 0, 9,
    (
        ShownShot("v", "v-Scene-001.mp4", 61.0, 62.5, ("<i>bar", "zoo"), "<i>bar", 4.5),
        ShownShot("v", "v-Scene-002.mp4", 63.0, 64.0, ("zoo",), "zoo", 4.5),
    ),
)  # fmt: skip


def test_a_page_has_a_box_for_each_label_shown_and_no_score(tmp_path: Path) -> None:
    path = tmp_path / "draw.html"
    write_rating_page(
        DRAW, path, title="draw",
        picture=lambda shot: b"\xff\xd8\xff" if shot.start_s < 62 else None,
    )  # fmt: skip
    page = path.read_text("utf-8")
    body = page[page.index("<main>") : page.index("</main>")]
    assert re.findall(r'data-item="([^"]*)"', body) == ["v/v-Scene-001.mp4", "v/v-Scene-002.mp4"]
    assert re.findall(r'value="([^"]*)"', body) == ["&lt;i&gt;bar", "zoo", "zoo"]
    assert (body.count("data-none"), body.count("data:image/jpeg")) == (2, 1)
    assert "no picture" in body
    assert "0:01:01.000 – 0:01:02.500" in body
    assert "4.5" not in body
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)


def test_the_browser_runs_the_page_s_own_script_alone(tmp_path: Path) -> None:
    write_rating_page(DRAW, tmp_path / "a.html", title="draw", picture=lambda shot: None)
    page = (tmp_path / "a.html").read_text("utf-8")
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page


def test_two_draws_are_kept_apart_by_the_browser(tmp_path: Path) -> None:
    keys = []
    for shots in (DRAW.shots, DRAW.shots[:1]):
        draw = Draw(DRAW.taxonomy, "equal", 0, 9, shots)
        write_rating_page(draw, tmp_path / "a.html", title="x", picture=lambda shot: None)
        keys += re.findall(
            r'data-place="mastershot-verdicts-(\w+)"', (tmp_path / "a.html").read_text("utf-8")
        )
    assert len(set(keys)) == 2
