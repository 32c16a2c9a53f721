"""The encoders by name: their table, and how one is found, fetched and loaded.

Another checkpoint of CLIP or SigLIP needs a row in the table; an encoder of another kind needs a
row and a branch in `load_encoder`.
"""

import re
from concurrent.futures import Future, wait
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from threading import Thread

from mastershot.core.errors import EncoderError, EncoderUnavailableError
from mastershot.core.protocols import Encoder, ImageTextEncoder
from mastershot.encoders.checkpoint import is_vit, missing_parts, one_line, quiet
from mastershot.encoders.frame_network import FrameNetworkEncoder, is_frame_network
from mastershot.encoders.image_text import VIT_ALIAS, VIT_NAME, TransformersEncoder, VisionEncoder
from mastershot.encoders.starter import (
    STARTER_FOLDER,
    STARTER_NAME,
    STUDENT_SETTINGS,
    StudentEncoder,
    StudentSettings,
)
from mastershot.encoders.text import SentenceEncoder

HUB_ANSWERS_WITHIN_S = 6.0
_PATTERNS = ["*.json", "model*.safetensors"]


@dataclass(frozen=True, kw_only=True)
class KnownEncoder:
    """One row of the table.

    Attributes:
        alias: What a user types.
        name: Where its weights are on the Hugging Face hub, unless they are packaged.
        revision: The commit to take; None is the newest.
        kind: Network and edge of its frames.
        size_bytes: Of its weights.
        licence: Licence its makers give it.
        source: Where it was published.
        speed_fps: Frames a second on the two cores of docs/speed.md; None where not measured.
        packaged: True if its weights come with this package.
    """

    alias: str
    name: str
    revision: str | None = None
    kind: str
    size_bytes: int
    licence: str
    source: str
    speed_fps: float | None = None
    packaged: bool = False


_openai_clip = partial(KnownEncoder, licence="MIT", source="Radford et al. 2021, arXiv:2103.00020")
# OpenAI's base models are pickles on the main branch; these commits, pull requests 66 and 17 of the
# two repositories, hold the same weights as safetensors.
ENCODERS = (
    KnownEncoder(
        alias="starter",
        name=STARTER_NAME,
        kind="distilled FireNet + MiniLM, 128 pixels",
        size_bytes=4_873_396,
        licence="evaluation and research",
        source="docs/starter.md",
        speed_fps=341,
        packaged=True,
    ),
    _openai_clip(
        alias="clip",
        name="openai/clip-vit-base-patch32",
        revision="c237dc49a33fc61debc9276459120b7eac67e7ef",
        kind="CLIP ViT-B/32, 224 pixels",
        size_bytes=605_109_252,
        speed_fps=21,
    ),
    _openai_clip(
        alias="clip-b16",
        name="openai/clip-vit-base-patch16",
        revision="5ef227a78de3f75873f373246dac80def63b0003",
        kind="CLIP ViT-B/16, 224 pixels",
        size_bytes=598_482_948,
    ),
    _openai_clip(
        alias="clip-l14",
        name="openai/clip-vit-large-patch14",
        kind="CLIP ViT-L/14, 224 pixels",
        size_bytes=1_710_466_052,
    ),
    KnownEncoder(
        alias="siglip",
        name="google/siglip-base-patch16-224",
        kind="SigLIP ViT-B/16, 224 pixels",
        size_bytes=812_623_880,
        licence="Apache-2.0",
        source="Zhai et al. 2023, arXiv:2303.15343",
    ),
)

DEFAULT_ENCODER = "starter"
"""The alias of the encoder that is tried when the user names none."""


@dataclass(frozen=True)
class EncoderAvailability:
    """Whether an encoder of the table can be used here without a network.

    Attributes:
        encoder: Its row.
        folder: Where all of it is on this machine, or None.
    """

    encoder: KnownEncoder
    folder: Path | None


def load_encoder(
    name_or_folder: str | Path,
    *,
    device: str | None = None,
    precision: str | None = None,
    download: bool = True,
) -> ImageTextEncoder:
    """Return the encoder of this name, ready to encode.

    Args:
        name_or_folder: An alias of `ENCODERS`, a folder that holds a checkpoint, or the name of a
            CLIP or SigLIP checkpoint on the Hugging Face hub, whose weights are cached.
        device: Such as ``cpu`` or ``cuda:1``; a GPU if there is one.
        precision: What frames are encoded in: ``float32``, ``bfloat16`` or ``int8``. None takes
            bfloat16 where the processor has it, else float32. Vectors of frames do not mix.
        download: False never asks the hub: weights that are not cached are unavailable.

    Raises:
        EncoderUnavailableError: The weights are not here and the hub does not answer; the text
            explains how to get them.
        EncoderError: The name is unknown, or what it names is not a usable encoder.
    """
    name, folder = _find(str(name_or_folder), download=download)
    return _load(folder, name, device=device, precision=precision, download=download)


def load_frame_encoder(
    name_or_folder: str | Path, *, precision: str | None = None, download: bool = True
) -> Encoder:
    """Return an encoder of frames alone.

    It is ``vit-b16``, the folder of a ViT, a network that classifies frames (a recogniser's folder,
    or the file of a ResNet's checkpoint), or an encoder as `load_encoder` takes it.

    Raises:
        EncoderUnavailableError: The weights are not here and the hub does not answer.
        EncoderError: The name is unknown, or what it names is not a usable encoder.
    """
    if str(name_or_folder) in (VIT_ALIAS, VIT_NAME):
        folder = _hub_folder(VIT_NAME, None, download)
        return VisionEncoder(folder, name=VIT_NAME, precision=precision)
    folder = Path(name_or_folder)
    if is_frame_network(folder):
        return FrameNetworkEncoder(folder, precision=precision)
    if is_vit(folder):
        return VisionEncoder(folder, name=folder.resolve().name, precision=precision)
    return load_encoder(name_or_folder, precision=precision, download=download)


def known_name(name: str) -> str | None:
    """Return the machine-independent name of an encoder, given its alias or that name itself."""
    names = {VIT_ALIAS: VIT_NAME} | {row.alias: row.name for row in ENCODERS}
    return name if name in names.values() else names.get(name)


def fetch_encoder(name: str, *, download: bool = True) -> Path:
    """Return the folder of an encoder's weights on this machine, fetched now if need be.

    Names are those of `load_encoder`, and ``vit-b16``; a folder is its own.

    Raises:
        EncoderUnavailableError: The weights are not here and the hub does not answer.
        EncoderError: The name is neither in the table nor one of the hub.
    """
    return _find(VIT_NAME if name == VIT_ALIAS else name, download=download)[1]


def known_encoder(name: str) -> KnownEncoder | None:
    """Return the row of the table with this alias or name, if there is one."""
    return next((row for row in ENCODERS if name in (row.alias, row.name)), None)


def available_encoders() -> tuple[EncoderAvailability, ...]:
    """Return, for each row of the table, whether it is here; loads nothing, asks no network."""
    return tuple(
        EncoderAvailability(
            row, STARTER_FOLDER if row.packaged else _cached(row.name, row.revision)
        )
        for row in ENCODERS
    )


def _find(name: str, *, download: bool) -> tuple[str, Path]:
    """Return an encoder's name and the folder of its weights on this machine."""
    row, folder = known_encoder(name), Path(name)
    if row is not None:
        kept = STARTER_FOLDER if row.packaged else _hub_folder(row.name, row.revision, download)
        return row.name, kept
    if name and folder.is_dir():
        return folder.resolve().name, folder
    if re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name):
        return name, _hub_folder(name, None, download)
    aliases = [row.alias for row in ENCODERS]
    close = get_close_matches(name, aliases, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise EncoderError(
        f"encoder {name!r} is neither a folder, nor a name on the hub such as "
        f"openai/clip-vit-base-patch32, nor one of {', '.join(aliases)}{hint}"
    )


def _load(
    folder: Path,
    name: str,
    *,
    device: str | None = None,
    precision: str | None = None,
    download: bool,
    chain: tuple[Path, ...] = (),
) -> TransformersEncoder | StudentEncoder:
    """Return the encoder in a folder; ``chain`` are the folders of students it is a teacher of."""
    if not (folder / STUDENT_SETTINGS).is_file():
        return TransformersEncoder(folder, name=name, device=device, precision=precision)
    if precision not in (None, "float32"):
        raise EncoderError(f"encoder {name} computes only in float32, not in {precision!r}")
    load_text = partial(_load_text, chain=(*chain, folder.resolve()), download=download)
    return StudentEncoder(folder, name=name, load_text=load_text, device=device)


def _load_text(
    settings: StudentSettings, chain: tuple[Path, ...], download: bool
) -> SentenceEncoder | ImageTextEncoder:
    """Return what encodes a student's words: the packaged encoder, or its teacher."""
    if not settings.text_encoder:
        return SentenceEncoder()
    name, folder = _find(settings.text_encoder, download=download)
    if folder.resolve() in chain:
        raise EncoderError(f"student {chain[0]} names itself as the encoder of its words")
    teacher = _load(folder, name, chain=chain, download=download)
    trained_with = (settings.text_hash, settings.width)
    if trained_with not in {(space.weights_hash, space.width) for space in teacher.word_spaces}:
        raise EncoderError(
            f"encoder {name} has other weights here than when the student was trained, so words "
            "and frames cannot be compared; restore the old weights, or distil again"
        )
    return teacher


def _cached(name: str, revision: str | None) -> Path | None:
    """Return the folder of a whole checkpoint in the hub's cache, or None."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = snapshot_download(
            name, revision=revision, allow_patterns=_PATTERNS, local_files_only=True
        )
    except LocalEntryNotFoundError:
        return None
    return None if missing_parts(Path(found)) else Path(found)


def _hub_folder(name: str, revision: str | None, download: bool) -> Path:
    """Return the folder of a checkpoint of the hub: the cached one, else downloaded now."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
    from huggingface_hub.errors import HTTPError as ClientError  # type: ignore[attr-defined]

    try:
        cached = _cached(name, revision)
        if cached is not None:
            return cached
        if not download:
            raise EncoderUnavailableError(_how_to_get(name, revision, None))
        _ask_hub(name, revision)
        with quiet():
            return Path(snapshot_download(name, revision=revision, allow_patterns=_PATTERNS))
    except (HFValidationError, RepositoryNotFoundError) as error:
        raise EncoderError(
            f"the hub has no checkpoint {name!r} that can be read from here, and there is no such "
            "folder; check the name"
        ) from error
    except (ClientError, OSError, ValueError) as error:
        raise EncoderUnavailableError(_how_to_get(name, revision, error)) from error


def _how_to_get(name: str, revision: str | None, error: Exception | None) -> str:
    here = f"the weights of encoder {name} are not on this machine"
    if error is None:
        return (
            f"{here}; with a network `--encoder {name}` fetches them once, without one "
            "`--encoder FOLDER` takes a checkpoint brought from elsewhere"
        )
    at = f" --revision {revision}" if revision else ""
    return (
        f"{here} and the hub gave none ({one_line(error)}); with a network `hf download {name}{at} "
        "--include '*.json' --include 'model*.safetensors' --local-dir FOLDER` fetches them, "
        "for `--encoder FOLDER` on any machine"
    )


def _ask_hub(name: str, revision: str | None) -> None:
    """Raise what stands in the way of the hub, or TimeoutError when it does not answer in time.

    In a thread of its own: no timeout of the client covers a name server that never answers.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HTTPError as ClientError  # type: ignore[attr-defined]

    answer: Future[None] = Future()

    def ask() -> None:
        try:
            # This limit only ends the thread, later than the one below ends the waiting.
            HfApi().model_info(name, revision=revision, timeout=5 * HUB_ANSWERS_WITHIN_S)
            answer.set_result(None)
        except (ClientError, OSError, ValueError) as error:
            answer.set_exception(error)

    Thread(target=ask, daemon=True).start()
    if not wait([answer], HUB_ANSWERS_WITHIN_S).done:
        raise TimeoutError(f"no answer within {HUB_ANSWERS_WITHIN_S:g} s")
    answer.result()
