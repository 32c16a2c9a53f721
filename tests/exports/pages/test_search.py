"""The contact sheet: one page that asks for nothing, whatever the films are called."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.exports.pages.test_report import HOSTILE, JPEG, Page

from mastershot.core.errors import OutputError
from mastershot.exports.pages.search import Card, write_sheet


def card(number: int = 0, **changes: object) -> Card:
    fields: dict[str, object] = {
        "shot_id": f"0123456789abcdef/{number:05}",
        "film": "films/one.mp4",
        "start_s": 61.5 + number,
        "end_s": 63.25 + number,
        "score": 0.31234,
        "labels": ("forest", "river"),
        "picture": JPEG,
    }
    return Card(**(fields | changes))  # type: ignore[arg-type]


def sheet(path: Path, *cards: Card, title: str = "forest", **rest: tuple[str, ...]) -> Page:
    write_sheet(cards, path / "sheet.html", title=title, **rest)
    return Page(path / "sheet.html")


def test_each_shot_has_its_rank_score_film_time_and_labels(tmp_path: Path) -> None:
    page = sheet(tmp_path, card(0), card(1, score=0.25), facts=("a fact",), notes=("a note",))
    assert "a fact a note" in page.text
    assert (
        "1 0.312 one.mp4 0:01:01.500 – 0:01:03.250 0123456789abcdef/00000 forest, river"
    ) in page.text
    assert "2 0.250 one.mp4" in page.text
    assert page.values("title") == ["films/one.mp4"] * 2
    sources = page.values("src")
    assert len(sources) == 2
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)


def test_the_page_asks_for_nothing(tmp_path: Path) -> None:
    page = sheet(tmp_path, card())
    assert page.values("href") == []
    assert "script" not in {name for name, _ in page.elements}
    [policy] = [content for content in page.values("content") if "default-src" in content]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert "url(" not in page.source


def test_hostile_words_and_names_stay_text(tmp_path: Path) -> None:
    page = sheet(
        tmp_path,
        card(film=HOSTILE, labels=(HOSTILE,), shot_id=HOSTILE),
        title=HOSTILE,
        facts=(HOSTILE,),
        notes=(HOSTILE,),
    )
    plain = sheet(tmp_path, card(labels=("x",)), title="x", facts=("x",), notes=("x",))
    assert [name for name, _ in page.elements] == [name for name, _ in plain.elements]
    assert "{{ 7 * 7 }}" in page.text


@pytest.mark.parametrize("picture", [None, b"", b"GIF89a", b"<svg onload=alert(1)>"])
def test_only_a_jpeg_is_shown(tmp_path: Path, picture: bytes | None) -> None:
    page = sheet(tmp_path, card(picture=picture))
    assert page.values("src") == []
    assert "no picture" in page.text


def test_a_sheet_of_nothing_says_so(tmp_path: Path) -> None:
    assert "No shot was found." in sheet(tmp_path).text


def test_pictures_are_not_all_in_memory_at_once(tmp_path: Path) -> None:
    def many() -> Iterator[Card]:
        for number in range(60):
            yield card(number, picture=JPEG + bytes(500_000))

    write_sheet([card()], tmp_path / "warm.html", title="warm")
    tracemalloc.start()
    write_sheet(many(), tmp_path / "sheet.html", title="forest")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "sheet.html").stat().st_size > 60 * 500_000
    assert peak_bytes < 10_000_000


def test_a_sheet_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    def failing() -> Iterator[Card]:
        yield card()
        raise OSError(28, "No space left on device")

    (tmp_path / "sheet.html").write_text("before")
    with pytest.raises(OutputError, match=r"sheet.html cannot be written: No space"):
        write_sheet(failing(), tmp_path / "sheet.html", title="forest")
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.html"]
    assert (tmp_path / "sheet.html").read_text() == "before"
