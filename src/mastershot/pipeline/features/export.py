"""A network's features of a library's shots: into the library, and as a table.

A film that has them already is not decoded, so a run that was stopped goes on where it was.
"""
# S shots of a film, D width of a feature

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mastershot import __version__
from mastershot.core.embeddings import Embeddings, EmbeddingSpace
from mastershot.core.errors import DatasetError, LibraryError, MediaError, sentence
from mastershot.core.movie import require_one_file
from mastershot.core.protocols import FeatureStore
from mastershot.core.text import utf8_text
from mastershot.core.time import Span
from mastershot.core.timeline import Timeline
from mastershot.datasets.tables.feature_table import writing_features
from mastershot.encoders.recogniser import CARD_FILE, WEIGHTS_FILE
from mastershot.media.probe import probe
from mastershot.media.video import READING_REVISION, Film
from mastershot.pipeline.analysis.recognise import ShotRecogniser, load_shot_recogniser
from mastershot.pipeline.analysis.stored import has_vectors, middle_frames
from mastershot.pipeline.experts.vectors import ClipVectors
from mastershot.pipeline.features.published import (
    MiddleClips,
    PublishedRecogniser,
    load_published_shots,
)
from mastershot.pipeline.features.settings import FeaturesRecipe
from mastershot.store.library import Library, LibraryMovie

FEATURES = "features"
"""The part of a run directory that holds the table."""
OnProgress = Callable[[str, int, int | None, Mapping[str, float]], None]
"""Called with progress: stage, how much of it is done, how much there is, figures."""


@dataclass(frozen=True)
class FeatureExport:
    """What a run made.

    Attributes:
        table: Folder of the table: an item a film, a row a shot.
        num_films: Films in it.
        num_shots: Shots of these.
        failures: Why other films are not, a sentence each, by path.
        num_spaces: Spaces of the features; more than one where films' shots were found in several
            ways.
    """

    table: Path
    num_films: int
    num_shots: int
    failures: Mapping[str, str]
    num_spaces: int


def export_features(recipe: FeaturesRecipe, out: Path, on_progress: OnProgress) -> FeatureExport:
    """Return the features of all shots of a library, after making those that it lacks.

    Films that fail are listed, and the others are still done.

    Raises:
        SettingError: The folder does not hold a recogniser.
        EncoderError: The recogniser or its encoder cannot be loaded, or the file is no published
            checkpoint of a network of clips.
        LibraryError: The library cannot be read.
        DatasetError: No film has features.
        OutputError: The table cannot be written.
    """
    recogniser = _load(recipe.path(recipe.recogniser))
    exporter = _Exporter(Library(recipe.path(recipe.library)), recogniser)
    films, kept = exporter.library.movies(), out / FEATURES
    made: dict[str, tuple[LibraryMovie, EmbeddingSpace]] = {}
    for done, film in enumerate(films):
        name = film.id if recipe.names == "id" else utf8_text(Path(film.path).stem)
        try:
            if name in made:
                raise DatasetError(
                    f"{film.path} has the name of {made[name][0].path}; set names to id"
                )
            made[name] = (film, exporter.gather(film))
        except Exception as error:  # noqa: BLE001  One film must not stop the rest.
            exporter.failures[utf8_text(film.path)] = utf8_text(sentence(error))
        on_progress("features", done + 1, len(films), {"failed": float(len(exporter.failures))})
    if not made:
        reasons = [*exporter.failures.values(), "it holds no film"]
        raise DatasetError(f"library {exporter.library.path} gave no features: {reasons[0]}")
    shutil.rmtree(kept, ignore_errors=True)  # Of an earlier run; the library has all of it.
    about = {"version": __version__, **recogniser.made(), "space": asdict(recogniser.trained.space)}
    width, num_shots = recogniser.trained.space.width, 0
    with writing_features(kept, width=width, dtype="float32", made_by=about) as add:
        for name, rows in exporter.rows(made):
            add(name, rows.vectors)
            num_shots += len(rows)
    num_spaces = len({space for _, space in made.values()})
    return FeatureExport(kept, len(made), num_shots, exporter.failures, num_spaces)


def _load(path: Path) -> ShotRecogniser | PublishedRecogniser:
    """Return the recogniser of a folder or of a file in it, or a published checkpoint's network."""
    if path.is_file() and path.name not in (CARD_FILE, WEIGHTS_FILE):
        return load_published_shots(path)
    return load_shot_recogniser(path)


class _Exporter:
    def __init__(self, library: Library, recogniser: ShotRecogniser | PublishedRecogniser) -> None:
        self.library, self._recogniser = library, recogniser
        self.failures: dict[str, str] = {}

    def gather(self, movie: LibraryMovie) -> EmbeddingSpace:
        """Return the space of a film's features once the library holds that of every shot."""
        timeline = self.library.timeline(movie.id)
        store, space = self.library.features(movie.id), self._recogniser.space(timeline.made_by)
        frames = middle_frames(timeline.shots)
        if not len(store.missing(space, frames)):
            return space
        recogniser = self._recogniser
        if isinstance(recogniser, PublishedRecogniser) or recogniser.encoder is None:
            self._decode(movie, timeline, space)
            return space
        encoder = recogniser.encoder
        if not has_vectors(timeline.shots, [encoder.space], store):
            raise LibraryError(
                f"library {self.library.path} holds no vectors of {encoder.space.model} for "
                f"{movie.path}; add the film again with --recogniser"
            )
        features = recogniser.features(timeline.shots, timeline.made_by, store)
        store.put(Embeddings(space, frames, features))
        return space

    def rows(
        self, films: Mapping[str, tuple[LibraryMovie, EmbeddingSpace]]
    ) -> Iterator[tuple[str, Embeddings]]:
        """Yield each film's name with the features of its shots, (S, D)."""
        for name, (movie, space) in films.items():
            frames = middle_frames(self.library.timeline(movie.id).shots)
            yield name, self.library.features(movie.id).get(space, frames)

    def _decode(self, movie: LibraryMovie, timeline: Timeline, space: EmbeddingSpace) -> None:
        """Make the features of a film's shots in one pass over its frames."""
        reading = timeline.made_by.steps.get("reading", {})
        if reading.get("revision") != READING_REVISION:
            raise LibraryError(f"{movie.path} was read otherwise than now; add the film again")
        require_one_file(timeline.movie, "features of its shots")
        file = probe(movie.file, stream=reading.get("stream"))
        if file.id != movie.id:
            raise MediaError(f"{movie.file} is another file than was added; add the film again")
        spans = [shot.span for shot in timeline.shots]
        clips, closed = self._clips(space, self.library.features(movie.id), spans), 0
        for frame in Film(file).frames():
            clips.add(frame)
            if closed < len(spans) and frame.index + 1 == spans[closed].end_frame:
                clips.end_shot(spans[closed].first_frame, spans[closed].end_frame)
                closed += 1
        if closed < len(spans):
            raise MediaError(f"{movie.file} has fewer frames than its shots; add the film again")
        clips.finish()

    def _clips(
        self, space: EmbeddingSpace, store: FeatureStore, spans: Sequence[Span]
    ) -> ClipVectors | MiddleClips:
        recogniser = self._recogniser
        if isinstance(recogniser, PublishedRecogniser):
            return MiddleClips(space, recogniser.trained, store, spans)
        return ClipVectors(space, recogniser.trained, store)
