from pathlib import Path

import pytest

from mastershot.core.errors import TaxonomyError
from mastershot.core.labels import Taxonomy, load_taxonomy, shipped_taxonomies


def test_the_published_taxonomies_ship_with_the_package() -> None:
    assert shipped_taxonomies() == ["movieclip", "movieclip-150"]
    whole, subset = load_taxonomy("movieclip"), load_taxonomy("movieclip-150")
    assert (len(whole), len(subset)) == (179, 150)
    assert set(subset.labels) < set(whole.labels)
    assert subset.labels[:3] == ("courtroom", "police station", "mountain")


def test_a_fingerprint_changes_with_any_label_and_with_the_order() -> None:
    base = Taxonomy("t", ("a", "b")).fingerprint
    assert Taxonomy("other name", ("a", "b")).fingerprint == base
    others = [("b", "a"), ("a",), ("a", "b", "c"), ("a", "c"), ("ab",)]
    assert base not in {Taxonomy("t", labels).fingerprint for labels in others}


@pytest.mark.parametrize(
    ("name", "content", "labels"),
    [
        ("mine.txt", "# places\nkitchen\n\n  harbour \n", ("kitchen", "harbour")),
        ("mine.txt", "\ufeffkitchen\r\nharbour\r\n", ("kitchen", "harbour")),
        ("mine.json", '["kitchen", "harbour"]', ("kitchen", "harbour")),
    ],
)
def test_a_taxonomy_is_read_from_a_file(
    tmp_path: Path, name: str, content: str, labels: tuple[str, ...]
) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    assert load_taxonomy(path) == Taxonomy("mine", labels)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("mine.txt", b"", "holds no label"),
        ("mine.txt", b"a\nb\na\n", "names 'a' twice"),
        ("mine.txt", b"\xff\xfe\x00", "cannot be read as UTF-8"),
        ("mine.json", b"{}", "must be a JSON list of non-empty strings"),
        ("mine.json", b'["a", ""]', "must be a JSON list of non-empty strings"),
        ("mine.json", b"[", "is not valid JSON"),
    ],
)
def test_a_taxonomy_that_cannot_be_used_says_why(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TaxonomyError, match=sentence):
        load_taxonomy(path)


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(TaxonomyError, match=r"one of movieclip, .* did you mean 'movieclip'\?"):
        load_taxonomy("movieclp")


def test_a_folder_is_no_taxonomy(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match="cannot be read"):
        load_taxonomy(tmp_path)


def test_the_shipped_taxonomy_is_the_released_one(real_data: Path) -> None:
    released = (real_data / "movieclip/MovieCLIP_taxonomy_split.txt").read_text().split("\n")
    assert list(load_taxonomy("movieclip").labels) == [line for line in released if line]
