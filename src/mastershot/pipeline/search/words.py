"""Search by words: the shots of a library that words describe best, and the page of hits."""

from collections.abc import Sequence
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

from mastershot.core.errors import EncoderError, EncoderUnavailableError, LibraryError, SettingError
from mastershot.core.protocols import ImageTextEncoder
from mastershot.encoders.catalogue import DEFAULT_ENCODER, ENCODERS, load_encoder
from mastershot.exports.pages.search import Card, write_sheet
from mastershot.pipeline.search.filters import ShotFilter, choose_shots
from mastershot.pipeline.search.nearest import (
    Hit,
    Hits,
    Query,
    held_word_spaces,
    nearest_shots,
    require_limit,
    word_spaces,
)
from mastershot.pipeline.search.said import said_shots
from mastershot.pipeline.search.sounds import heard_shots
from mastershot.store.library import Library as FilmStore


def search_words(
    store: FilmStore,
    words: str,
    *,
    limit: int = 10,
    encoder: str | Path | ImageTextEncoder | None = None,
    only: ShotFilter | None = None,
) -> Hits:
    """Return the shots of a library that words describe best, ranked as by `nearest_shots`.

    Shots in which the words are said (`said_shots`), those in which a sound is heard that they name
    (`sounds_named`), and those found by their frames alternate: their scores do not compare.

    It is ``Library.search``, too. Words are encoded as they are, in no prompt, by an encoder or
    the one of that name or folder; None takes the default one if the library holds vectors of it,
    else the only one whose vectors it holds. With ``only``, no other shots are found. ``notes`` of
    the hits say what was not searched.

    Raises:
        SettingError: There are no words, the limit is below 1, or one of the three is of another
            type.
        EncoderError: The encoder is unknown, unusable or not on this machine.
        EmbeddingSpaceError: The library holds no vectors of the encoder, or of other weights.
        LibraryError: It holds no vectors of any, or those of several and none is named, none of
            its films can be asked for what is wanted, or it cannot be read.
    """
    _require_words(words)
    require_limit(limit)
    if not (
        encoder is None or isinstance(encoder, (str, Path)) or hasattr(encoder, "encode_texts")
    ):
        raise SettingError(f"{encoder!r:.60} is no encoder; give one, its name or its folder")
    said = said_shots(store, words, limit=limit, only=only)
    heard = heard_shots(store, words, limit=limit, only=only)
    if (said or heard) and not held_word_spaces(store):
        notes = () if only is None else choose_shots(store, store.movies(), only).notes
        return Hits(_alternating(said, heard)[:limit], None, 0, notes)
    models = sorted({space.model for space in word_spaces(store)})
    if encoder is None:
        encoder = _encoder_of(store, models)
    elif isinstance(encoder, (str, Path)):
        encoder = load_encoder(encoder)
    seen = nearest_shots(store, encode_words(words, encoder), limit=limit, only=only)
    best = _alternating(said, heard, seen)[:limit]
    return Hits(best, seen.space, seen.num_films_not_searched, seen.notes)


def _alternating(*found: Sequence[Hit]) -> list[Hit]:
    """Return all hits, each shot once, one of each list by turns as long as it lasts."""
    turns = zip_longest(*found)
    hits: dict[str, Hit] = {}
    for hit in chain.from_iterable(turns):
        if hit is not None:
            hits.setdefault(hit.id, hit)
    return list(hits.values())


def encode_words(words: str, encoder: ImageTextEncoder) -> Query:
    """Return words as a query.

    Raises:
        SettingError: There are no words, or they are no text.
        EncoderError: The encoder gives no finite vector.
    """
    _require_words(words)
    vector = encoder.encode_texts([words])[0]
    if not np.isfinite(vector).all():
        raise EncoderError(
            f"{encoder.space.model} gave {words!r} a vector that is not finite; its weights are "
            "damaged or overflow in this precision"
        )
    return Query(encoder.space, vector, encoder.word_spaces[1:])


def write_hits_page(store: FilmStore, hits: Hits, path: Path, *, words: str) -> None:
    """Write hits as a contact sheet: one HTML page with their pictures inside.

    Raises:
        OutputError: The page cannot be written.
        LibraryError: A picture cannot be read.
    """
    cards = (
        Card(
            hit.id, hit.path, hit.start_s, hit.end_s, hit.score, hit.kept, store.thumb(hit.id),
            hit.heard, hit.said,
        )
        for hit in hits
    )  # fmt: skip
    by = "found by sound" if any(hit.heard for hit in hits) else "found by subtitles"
    if hits.space is not None:
        by = f"encoder {hits.space.model}"
    facts = (f"library {store.path.name}", by)
    write_sheet(cards, path, title=words.strip(), facts=facts, notes=hits.notes)


def _require_words(words: str) -> None:
    if not isinstance(words, str):
        raise SettingError(f"the words to search for are {words!r:.60}; they are text")
    if not any(letter.isalnum() for letter in words):
        raise SettingError('there are no words to search for; say what to find, as in "forest"')
    try:
        words.encode()
    except UnicodeEncodeError as error:
        raise SettingError(f"the words {words!a} are not UTF-8 text") from error


def _encoder_of(store: FilmStore, models: list[str]) -> ImageTextEncoder:
    """Return the default encoder if the library holds its vectors, else the one it was made with.

    Only an encoder that a user names may be downloaded.
    """
    default = next(row.name for row in ENCODERS if row.alias == DEFAULT_ENCODER)
    if default not in models and len(models) > 1:
        raise LibraryError(
            f"library {store.path} holds vectors of {', '.join(models)}; "
            "say with --encoder which of them to search by"
        )
    model = default if default in models else models[0]
    try:
        return load_encoder(model, download=False)
    except EncoderUnavailableError:
        raise
    except EncoderError as error:
        raise EncoderError(
            f"library {store.path} was made with encoder {model!r}, which cannot be "
            f"loaded by that name ({error}); if it was a folder, name it with --encoder FOLDER"
        ) from error
