import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from mastershot.exports.pages.templates import (
    duration_text,
    environment,
    file_name,
    jpeg_source,
    write_page,
)


def test_a_path_that_is_only_a_folder_still_has_a_name() -> None:
    assert file_name("/") == "/"
    assert file_name("films/one.mp4") == "one.mp4"


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [
        (0, "0 s"), (0.004, "0 s"), (1.5, "1.5 s"), (10, "10 s"), (59.99, "59.99 s"),
        (60, "1 min"), (119.6, "2 min"), (3599.4, "59 min 59 s"), (3599.6, "1 h 0 min"),
        (7325, "2 h 2 min"), (360_000, "100 h 0 min"),
    ],
)  # fmt: skip
def test_a_duration_is_words_and_rounding_carries_over(duration_s: float, words: str) -> None:
    assert duration_text(duration_s) == words


def rendered(template: str, **values: object) -> str:
    return environment().from_string(template).render(values)


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("{{ x|number }}", 1234567, "1,234,567"),
        ("{{ x|number }}", 1234.5, "1,234.50"),
        ("{{ x|number }}", None, "None"),
        ("{{ x|percent }}", 0.1256, "12.6 %"),
        ("{{ x|seconds }}", 7, "7.00 s"),
        ("{{ x|seconds }}", 61, "1 min 1 s"),
        ("{{ x|count('shot') }}", 0, "0 shots"),
        ("{{ x|count('shot') }}", 1, "1 shot"),
        ("{{ x|count('shot') }}", 1200, "1,200 shots"),
        ("{{ x|file_name }}", "a/<b>\n\udce9.mp4", r"&lt;b&gt;\n\xe9.mp4"),
        ("{{ x }}", "'\"><script>", "&#39;&#34;&gt;&lt;script&gt;"),
    ],
)
def test_a_template_shows_a_value_as_people_write_it(
    template: str, value: object, text: str
) -> None:
    assert rendered(template, x=value) == text


def test_what_a_page_was_not_given_is_an_error_and_leaves_the_page_before(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError, match="'y' is undefined"):
        rendered("{{ y }}")
    (tmp_path / "sources.svg").write_text("before")
    with pytest.raises(UndefinedError, match="'shares' is undefined"):
        write_page("sources.svg", tmp_path / "sources.svg")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


@given(st.binary())
def test_a_jpeg_is_whole_in_its_address_and_anything_else_has_none(data: bytes) -> None:
    start, picture = "data:image/jpeg;base64,", b"\xff\xd8\xff" + data
    source = jpeg_source(picture)
    assert source is not None
    assert base64.b64decode(source.removeprefix(start), validate=True) == picture
    assert jpeg_source(b"\x89" + picture) is None
