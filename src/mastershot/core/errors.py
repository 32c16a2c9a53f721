"""What an input can cause to fail: one clear sentence each, never a traceback."""


class MastershotError(Exception):
    """Base of every error a user can cause; its text is the sentence the user reads."""


class MediaError(MastershotError):
    """A film cannot be read: missing, empty, not a video, truncated, or without a picture."""


class OutputError(MastershotError):
    """A result cannot be written: no permission, no space, or something is in its place."""


class SettingError(MastershotError):
    """A setting has a value that means nothing, such as a sampling of ``uniform:0``."""


class TaxonomyError(MastershotError):
    """A taxonomy is unknown, unreadable, empty, or names a label twice."""


class TimelineError(MastershotError):
    """A timeline file is unreadable, of another schema, or contradicts itself."""


class ShotListError(MastershotError):
    """A list of shots made elsewhere cannot be read or does not fit its film."""


class EditsError(MastershotError):
    """A file from an editor, annotator or player cannot be read or does not fit its film."""


class EncoderError(MastershotError):
    """An encoder is unknown, or its folder does not hold what it needs."""


class EncoderUnavailableError(EncoderError):
    """An encoder is known but its weights are missing; the text says how to get them."""


class EmbeddingSpaceError(MastershotError):
    """Embeddings of two different spaces were compared or mixed."""


class LibraryError(MastershotError):
    """A library is missing, unreadable, damaged, or does not hold what was asked for."""


class DatasetError(MastershotError):
    """A file of a data set is missing, unreadable, or not what its release has in its place."""


class ScriptError(MastershotError):
    """A film script is missing, unreadable, not a script, or without a scene heading."""


class MiningError(MastershotError):
    """Features or metadata do not allow similar movies or scenes to be found."""


class ShortMovieError(MiningError):
    """A movie has fewer shots than one scene."""


class GenresError(MastershotError):
    """Embeddings of trailers do not allow sub-genres, a map or a comparison to be made."""


def sentence(error: Exception) -> str:
    """Return what a user reads of an error."""
    if isinstance(error, MastershotError):
        return str(error)
    return f"an unforeseen {type(error).__name__}: {error}; --debug shows where"
