import base64
import hashlib
import re
from pathlib import Path

from mastershot.core.labels import Taxonomy
from mastershot.exports.pages.rating import write_rating_page
from mastershot.labelling.draws import Draw, ShownShot

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
    assert re.findall(r'data-shot="([^"]*)"', body) == ["v/v-Scene-001.mp4", "v/v-Scene-002.mp4"]
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
        keys += re.findall(r'data-draw="(\w+)"', (tmp_path / "a.html").read_text("utf-8"))
    assert len(set(keys)) == 2
