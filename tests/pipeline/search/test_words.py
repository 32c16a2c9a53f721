"""Search: the shots nearest to words, as a plain loop over every vector finds them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.factories.films import drawn_film
from tests.factories.models import make_tiny_clip, require_precision
from tests.factories.timelines import make_space, make_timeline
from tests.pipeline.search.test_nearest import SPACE, STARTER, put, towards

import mastershot as ms
from mastershot.core.embeddings import Embeddings, EmbeddingSpace, FloatArray, ImageArray
from mastershot.core.errors import (
    EmbeddingSpaceError,
    EncoderError,
    EncoderUnavailableError,
    LibraryError,
    OutputError,
    SettingError,
)
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.search import words
from mastershot.pipeline.search.words import encode_words, write_hits_page
from mastershot.scenes.grouping import COLOR_SPACE


class ToyEncoder:
    """Knows as many words as its space is wide, each a unit vector of its own."""

    logit_scale, label_template = 1.0, "{label}"
    words = ("forest", "sea", "street", "kitchen", "car", "night")

    def __init__(self, space: EmbeddingSpace = SPACE) -> None:
        self.space, self.word_spaces = space, (space,)

    def encode_images(self, images: ImageArray | Sequence[ImageArray]) -> FloatArray:
        raise NotImplementedError

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        return np.stack([towards(self.space, self.words.index(text), 1.0) for text in texts])


@pytest.fixture
def library(tmp_path: Path) -> ms.Library:
    return ms.Library(tmp_path / "films.mastershot")


# Which space is searched


def loading(monkeypatch: pytest.MonkeyPatch, *spaces: EmbeddingSpace) -> list[tuple[str, bool]]:
    """Let these be the encoders that can be loaded by name; return what is asked for."""
    asked: list[tuple[str, bool]] = []

    def load(name: str | Path, *, download: bool = True) -> ToyEncoder:
        asked.append((str(name), download))
        for space in spaces:
            if name in (space.model, space.model.rpartition("/")[2]):
                return ToyEncoder(space)
        raise EncoderError(f"encoder {name!r} is unknown")

    monkeypatch.setattr(words, "load_encoder", load)
    return asked


def test_the_default_encoder_comes_first(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, make_timeline("one.mp4"), {0: 0.5}, space=SPACE)
    put(library, make_timeline("two.mp4"), {0: 0.5}, space=STARTER)
    asked = loading(monkeypatch, SPACE, STARTER)
    hits = library.search("forest")
    assert hits.space == STARTER
    assert hits.num_films_not_searched == 1
    assert [hit.path for hit in library.search("forest", encoder="toy")] == ["one.mp4"]
    assert asked == [("mastershot/starter", False), ("toy", True)]


def test_without_the_default_the_only_encoder_is_taken(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, make_timeline(), {0: 0.5})
    put(library, make_timeline(), {0: 0.5}, space=COLOR_SPACE)
    loading(monkeypatch, SPACE, STARTER)
    assert library.search("forest").space == SPACE


def test_a_space_whose_films_are_gone_is_not_chosen(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, make_timeline("one.mp4"), {0: 0.5}, space=STARTER)
    put(library, make_timeline("two.mp4"), {0: 0.5}, space=SPACE)
    library.remove("one.mp4")
    loading(monkeypatch, SPACE, STARTER)
    assert library.search("forest").space == SPACE


def test_of_two_encoders_one_must_be_named(library: ms.Library) -> None:
    put(library, make_timeline(), {0: 0.5})
    put(library, make_timeline(), {0: 0.5}, space=make_space(4, "another"))
    with pytest.raises(LibraryError, match="holds vectors of another, toy; say with --encoder"):
        library.search("forest")


@pytest.mark.parametrize("with_film", [False, True])
def test_a_library_without_vectors_of_words_says_how_to_add(
    library: ms.Library, with_film: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if with_film:
        put(library, make_timeline(), {0: 0.5}, space=COLOR_SPACE)
    asked = loading(monkeypatch, SPACE)
    sentence = (
        r"holds no film with vectors of an encoder .* `mastershot library add FILM --library .*"
    )
    for encoder in (None, "toy", ToyEncoder()):
        with pytest.raises(LibraryError, match=sentence):
            library.search("forest", encoder=encoder)
    assert asked == []


def test_colours_are_not_searched(library: ms.Library) -> None:
    put(library, make_timeline(), {0: 0.5})
    put(library, make_timeline(), {0: 0.5}, space=COLOR_SPACE)
    with pytest.raises(EmbeddingSpaceError, match="holds no vectors of hsv-histogram, but of toy"):
        library.search("forest", encoder=ToyEncoder(COLOR_SPACE))


def test_features_of_recognisers_are_not_searched(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, make_timeline(), {0: 0.5}, space=make_space(4, "recogniser:i3d"))
    with pytest.raises(LibraryError, match="holds no film with vectors of an encoder of words"):
        library.search("forest")
    put(library, make_timeline(), {0: 0.5})
    loading(monkeypatch, SPACE)
    assert library.search("forest").space == SPACE


def test_other_weights_of_the_same_name_are_refused(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, make_timeline(), {0: 0.5})
    newer = replace(SPACE, weights_hash="blake2b:newer")
    loading(monkeypatch, newer)
    for encoder in (None, "toy", ToyEncoder(newer)):
        with pytest.raises(
            EmbeddingSpaceError, match=r"vectors of toy in library .* other weights"
        ):
            library.search("forest", encoder=encoder)


def test_an_encoder_that_was_a_folder_is_to_be_named(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, make_timeline(), {0: 0.5})
    loading(monkeypatch)
    with pytest.raises(EncoderError, match=r"made with encoder 'toy', which .* --encoder FOLDER"):
        library.search("forest")


def test_weights_that_are_not_here_keep_their_error(
    library: ms.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> None:
        raise EncoderUnavailableError("the weights are not here")

    put(library, make_timeline(), {0: 0.5})
    monkeypatch.setattr(words, "load_encoder", load)
    with pytest.raises(EncoderUnavailableError, match=r"^the weights are not here$"):
        library.search("forest")


# What is asked


@pytest.mark.parametrize("words", ["", "  \t\n", "\u3000", "\u200b", "!!", "-", "\x00", "🎬"])
def test_no_words_are_one_sentence(library: ms.Library, words: str) -> None:
    put(library, make_timeline(), {0: 0.5})
    with pytest.raises(SettingError, match="there are no words to search for"):
        library.search(words, encoder=ToyEncoder())
    with pytest.raises(SettingError, match="there are no words to search for"):
        encode_words(words, ToyEncoder())


def test_words_that_are_not_text_are_one_sentence(library: ms.Library) -> None:
    with pytest.raises(SettingError, match=r"'sea\\udce9' are not UTF-8"):
        library.search("sea\udce9", encoder=ToyEncoder())


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(library: ms.Library, limit: int) -> None:
    with pytest.raises(SettingError, match=f"the limit is {limit}; it is 1 or more"):
        library.search("forest", limit=limit, encoder=ToyEncoder())


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"limit": "5"}, "limit is '5'; it is a whole number, 1 or more"),
        ({"limit": 2.0}, r"limit is 2\.0; it is a whole number"),
        ({"limit": float("nan")}, "limit is nan; it is a whole number"),
        ({"limit": True}, "limit is True; it is a whole number"),
        ({"limit": None}, "limit is None; it is a whole number"),
        ({"words": None}, "the words to search for are None; they are text"),
        ({"words": b"forest"}, "the words to search for are b'forest'; they are text"),
        ({"words": ["forest", "sea"]}, r"are \['forest', 'sea'\]; they are text"),
        ({"encoder": 7}, "7 is no encoder; give one, its name or its folder"),
        ({"encoder": ["clip"] * 99}, r"^\['clip', .{,60} is no encoder; give one"),
    ],
)
def test_what_is_asked_in_another_type_is_one_sentence(
    library: ms.Library, asked: dict[str, Any], sentence: str
) -> None:
    put(library, make_timeline(), {0: 0.5})
    with pytest.raises(SettingError, match=sentence):
        library.search(**({"words": "forest", "encoder": ToyEncoder()} | asked))


def test_words_without_a_finite_vector_are_refused() -> None:
    encoder = ToyEncoder()
    encoder.encode_texts = lambda _: np.full((1, 8), np.nan, np.float32)  # type: ignore[method-assign]
    with pytest.raises(EncoderError, match="toy gave 'forest' a vector that is not finite"):
        encode_words("forest", encoder)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_clip(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def real_library(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> ms.Library:
    """A library of two drawn films with vectors of a tiny CLIP."""
    folder = tmp_path_factory.mktemp("films")
    library = ms.Library(folder / "films.mastershot")
    loaded = prepare(Plan(encoder=str(clip)))
    for name in ("one.mp4", "two.mp4"):
        drawn_film(folder / name, num_scenes=2 if name == "one.mp4" else 3)
        library.add(folder / name, loaded=loaded)
    return library


@pytest.mark.parametrize(
    "words",
    ["forest", "' OR 1=1 --", "{{ 7*7 }}", "a\x00", "שלום 🎬 été", "word " * 5000, "%s \\"],
)
def test_any_words_rank_every_shot(real_library: ms.Library, clip: Path, words: str) -> None:
    encoder = ms.load_encoder(clip)
    hits = real_library.search(words, limit=100, encoder=clip)
    query = encode_words(words, encoder)
    assert len(hits) == sum(movie.num_shots for movie in real_library.movies())
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    for hit in hits:
        kept = real_library.features(hit.movie_id).get(query.space)
        of_shot = (kept.frames >= hit.first_frame) & (kept.frames < hit.end_frame)
        assert hit.score == pytest.approx((kept.vectors[of_shot] @ query.vector).max(), abs=1e-5)
    assert real_library.search(words, limit=100, encoder=clip) == hits


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_words_find_frames_of_every_precision(
    precision: str, clip: Path, library: ms.Library
) -> None:
    require_precision(precision)
    encoder = ms.load_encoder(clip, precision="float32")
    names = ("one.mp4", "two.mp4", "three.mp4")
    for name, space, cosine in zip(names, encoder.word_spaces, (0.25, 0.75, 0.5), strict=True):
        word = encoder.encode_texts(["forest"])[0]
        library.features(make_timeline(name).movie.id).put(
            Embeddings(space, np.array([5]), cosine * word[None])
        )
        library.put_timeline(make_timeline(name))
    hits = library.search("forest", encoder=ms.load_encoder(clip, precision=precision))
    assert [hit.path for hit in hits] == ["two.mp4", "three.mp4", "one.mp4"]
    assert hits.num_films_not_searched == 0


# The page


def test_the_page_shows_the_hits_with_their_pictures(library: ms.Library, tmp_path: Path) -> None:
    timeline = make_timeline("films/one.mp4")
    put(library, timeline, {5: 0.5, 50: 0.75})
    put(library, make_timeline("unseen.mp4"), {5: 0.5}, space=COLOR_SPACE)
    hits = library.search("forest", encoder=ToyEncoder())
    write_hits_page(library, hits, tmp_path / "page.html", words=" forest ")
    page = (tmp_path / "page.html").read_text()
    assert '<h1 dir="auto">forest</h1>' in page
    assert page.index("0.750") < page.index("0.500")
    assert page.count("data:image/jpeg;base64,") == 2
    assert "not searched: 1 of 2 films" in page
    assert "encoder toy" in page


def test_a_page_that_cannot_be_written_is_one_sentence(library: ms.Library, tmp_path: Path) -> None:
    put(library, make_timeline(), {5: 0.5})
    hits = library.search("forest", encoder=ToyEncoder())
    with pytest.raises(OutputError, match="cannot be written"):
        write_hits_page(library, hits, tmp_path / "no" / "page.html", words="forest")
