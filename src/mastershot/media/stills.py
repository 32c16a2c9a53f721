"""Pictures on disk: photographs, posters, saved frames."""

from io import BytesIO
from pathlib import Path

import av
import numpy as np

from mastershot.core.embeddings import ImageArray
from mastershot.core.errors import MediaError

STILL_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


def read_still(path: Path, content: bytes | None = None) -> ImageArray:
    """Return the picture in a file, RGB (H, W, 3).

    Args:
        content: The file's content, where it was read before; the path then only names it.

    Raises:
        MediaError: The file cannot be opened, or holds no picture.
    """
    try:
        with av.open(str(path) if content is None else BytesIO(content), "r") as container:
            for frame in container.decode(video=0):
                return frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    except (av.FFmpegError, OSError, IndexError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{path} is not a picture that can be read: {reason}") from error
    raise MediaError(f"{path} is not a picture that can be read: no frame in it")
