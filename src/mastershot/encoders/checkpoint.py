"""Folders with weights: checking, reading and writing them.

Nothing in a folder is run as code: weights are safetensors or plain tensors, settings are JSON.
"""

import hashlib
import json
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar, get_origin, get_type_hints

from mastershot.core.errors import EncoderError, SettingError
from mastershot.core.text import utf8_text

if TYPE_CHECKING:
    from torch import Tensor, nn

Card = TypeVar("Card")
Network = TypeVar("Network", bound="nn.Module")
_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_PARTS = {
    "config.json": ("config.json",),
    _WEIGHTS: (_WEIGHTS, _INDEX),
    "tokenizer.json": ("tokenizer.json",),
    "preprocessor_config.json": ("preprocessor_config.json", "processor_config.json"),
}
# Where checkpoints of training runs hold their tensors: of MMAction2 and Places365, PyTorchVideo,
# VMZ, and many others.
_STATES = ("state_dict", "model_state", "model", "model_state_dict")
# What transformers and torch raise on damaged files, next to errors of their own.
_DAMAGED = (AttributeError, ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError)


def read_weights(path: Path) -> "dict[str, Tensor]":
    """Return the tensors in a file by name, on the CPU: safetensors, or a state_dict of torch.

    A state_dict may lie in a checkpoint of a training run, beside its epoch and settings.

    Raises:
        EncoderError: The file is missing, damaged, or holds anything but tensors.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings(action="ignore"):  # of pickles in other protocols
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except (*_DAMAGED, EOFError, SafetensorError, UnpicklingError) as error:
        if isinstance(error, UnpicklingError) and "Unsupported" in str(error):
            raise EncoderError(
                f"{path} cannot be loaded: it holds more than tensors, which can run code when read"
            ) from error
        raise EncoderError(f"{path} cannot be loaded ({one_line(error)})") from error
    inner = [weights[name] for name in _STATES if name in weights] if _is_dict(weights) else []
    for found in (weights, *inner):
        if _is_dict(found) and all(map(torch.is_tensor, found.values())):
            return {str(name): tensor for name, tensor in found.items()}
    raise EncoderError(f"{path} cannot be loaded: it holds more than tensors by name")


def require_weights(path: Path) -> None:
    """Check, without PyTorch, that a file of safetensors is there, and as long as it says.

    Raises:
        EncoderError: It is not.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy"):
            pass
    except (OSError, SafetensorError) as error:
        raise EncoderError(f"{path} cannot be loaded ({one_line(error)})") from error


def find_model_folder(path: str | Path, card: str, weights: str, run_folder: str) -> Path | None:
    """Return the folder of a model with that card: the path, that of its run, or of a file of it.

    None of these may hold one: then None.
    """
    path = Path(path)
    if path.name in (card, weights):
        path = path.parent
    folders = (path, path / run_folder)
    return next((folder for folder in folders if (folder / card).is_file()), None)


def _is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def file_digest(path: Path, algorithm: str = "blake2b") -> bytes:
    """Return the digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).digest()


def write_model(path: Path, metadata: Mapping[str, Any], weights: "Mapping[str, Tensor]") -> None:
    """Write what describes a model to a JSON file, and its weights to the safetensors beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tensors(path.with_suffix(".safetensors"), weights)
    path.write_text(json.dumps(metadata, indent=1, ensure_ascii=False) + "\n", "utf-8")


def write_tensors(path: Path, weights: "Mapping[str, Tensor]") -> None:
    """Write weights by name as safetensors."""
    from safetensors.torch import save

    tensors = {name: tensor.cpu().contiguous() for name, tensor in weights.items()}
    path.write_bytes(save(tensors))


def read_metadata(path: Path, known_format: str) -> dict[str, Any]:
    """Return the JSON object that describes a model.

    Raises:
        EncoderError: The file cannot be read, or is of another format.
    """
    metadata = read_json(path)
    if metadata.get("format") != known_format:
        raise EncoderError(
            f"{path} is of format {metadata.get('format')!r}; this version reads {known_format}"
        )
    return metadata


@contextmanager
def parsing(path: Path, problem: str) -> Iterator[None]:
    """Turn what is wrong with values of a JSON file into one sentence: path, problem, reason."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise EncoderError(f"{path} {problem}: {reason}") from error


def card_of(values: Mapping[str, Any], card_type: type[Card]) -> Card:
    """Return a dataclass with a name and classes from the JSON object that describes a model.

    Raises:
        ValueError: A value is none of its field, or names and classes are not what they should be:
            text on one line, and each class once. It is for `parsing`, as are others.
    """
    classes = values["classes"]
    if not isinstance(classes, list):
        raise ValueError("classes should be a list")
    for text in (values["name"], *classes):
        is_name = isinstance(text, str) and text.strip() and utf8_text(text) == text
        if not is_name or len(text.splitlines()) != 1:
            raise ValueError(f"{text!a} should be a name on one line")
    if not classes or len(set(classes)) < len(classes):
        raise ValueError("classes should be one or more, each once")
    kinds = get_type_hints(card_type)
    return card_type(
        **{name: (get_origin(kind) or kind)(values[name]) for name, kind in kinds.items()}
    )


def read_card(
    path: Path,
    known_format: str,
    card_type: type[Card],
    *,
    what: str,
    check: Callable[[Card], None],
) -> Card:
    """Return what the JSON object in a model's folder describes, checked.

    ``what`` is what it should describe; ``check`` raises `ValueError` where values cannot be.

    Raises:
        EncoderError: The file is missing, damaged, of another version, or its values do not fit.
    """
    values = read_metadata(path, known_format)
    with parsing(path, f"does not describe {what}"):
        card = card_of(values, card_type)
        check(card)
    return card


def check_sizes(card: object, largest: Mapping[str, int], *, least: int = 1) -> None:
    """Raise `ValueError` where one of a card's sizes, by name, is too small or too large."""
    for name, most in largest.items():
        if not least <= getattr(card, name) <= most:
            raise ValueError(f"{name} is {getattr(card, name)}; it is from {least} to {most}")


def load_fitted(path: Path, build: Callable[[], Network]) -> Network:
    """Return what ``build`` returns with the weights in a file, ready to run on the CPU.

    Raises:
        EncoderError: The file is damaged, its weights are not those of the network or not finite,
            or there is no such network.
    """
    import torch

    from mastershot.models.loading import fit_weights

    weights = read_weights(path)
    # Without memory until its weights are known to fit: a file may claim any size.
    try:
        with torch.device("meta"):
            network = build()
    except SettingError as error:
        raise EncoderError(f"{path} cannot be loaded: {error}") from error
    types = {name: tensor.dtype for name, tensor in network.state_dict().items()}
    for name, tensor in weights.items():
        wanted = types.get(name, tensor.dtype)
        if tensor.dtype != wanted or not torch.isfinite(tensor).all():
            raise EncoderError(f"{path} holds {name} that is not finite numbers of {wanted}")
    fit_weights(network, weights, path)
    if any(buffer.is_meta for buffer in network.buffers()):  # What is computed, not saved.
        network = build()
        fit_weights(network, weights, path)
    return network.eval().requires_grad_(False)


def missing_parts(folder: Path) -> list[str]:
    """Return the files an encoder needs that the folder lacks; a ViT needs no tokenizer."""
    optional = "tokenizer.json" if is_vit(folder) else None
    return [
        part
        for part, names in _PARTS.items()
        if part != optional and not any((folder / name).is_file() for name in names)
    ]


def is_vit(folder: Path) -> bool:
    """Return True if a folder is described as a ViT's, whole or not.

    Raises:
        EncoderError: Its config.json cannot be read.
    """
    config = folder / "config.json"
    return config.is_file() and read_json(config).get("model_type") == "vit"


def check_folder(folder: Path, kinds: tuple[str, ...]) -> str:
    """Return which of these kinds a complete encoder folder is of.

    Raises:
        EncoderError: A file is missing, the weights are a pickle, or the model is of another kind.
    """
    missing = missing_parts(folder)
    pickles = sorted(path.name for path in folder.glob("*.bin"))
    if _WEIGHTS in missing and pickles:
        raise EncoderError(
            f"encoder folder {folder} holds its weights as a pickle ({pickles[0]}), which can run "
            f"code when it is read; take a version of the checkpoint with {_WEIGHTS}"
        )
    if missing:
        raise EncoderError(
            f"encoder folder {folder} lacks {', '.join(missing)}; "
            "copy what is missing from where the checkpoint came from"
        )
    kind = read_json(folder / "config.json").get("model_type")
    if kind not in kinds:
        raise EncoderError(
            f"encoder folder {folder} holds a model of type {kind!r}; "
            f"{' and '.join(kinds)} are known"
        )
    return str(kind)


def weight_files(folder: Path) -> list[Path]:
    """Return the files of the weights that transformers reads, in order.

    Raises:
        EncoderError: The index of weights in several files does not name files beside it.
    """
    if (folder / _WEIGHTS).is_file():
        return [folder / _WEIGHTS]
    weight_map = read_json(folder / _INDEX).get("weight_map")
    names = set(weight_map.values()) if isinstance(weight_map, dict) else set()
    beside = sorted(path for path in folder.iterdir() if path.name in names)
    if not names or len(beside) != len(names):
        raise EncoderError(f"{folder / _INDEX} does not name files beside it that hold weights")
    return beside


def load_network(folder: Path, kind: str) -> Any:
    """Return the network of a complete folder, in float32 on the CPU, ready to run.

    Raises:
        EncoderError: The weights are damaged or belong to another network.
    """
    import torch
    from transformers import ASTModel, BertModel, CLIPModel, SiglipModel, ViTModel

    kinds = {"bert": BertModel, "clip": CLIPModel, "siglip": SiglipModel, "vit": ViTModel}
    kinds["ast"] = ASTModel
    with _loading(folder):
        model, report = kinds[kind].from_pretrained(
            folder,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # reported, and refused below
            output_loading_info=True,
            **({"add_pooling_layer": False} if kind in ("bert", "vit") else {}),
        )
    absent = sorted({*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])})
    if absent:
        raise EncoderError(
            f"the weights in {folder} are not those of the network in its config.json: "
            f"{len(absent)} are missing or of another shape, such as {absent[0]}"
        )
    return model.eval().requires_grad_(False)


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer that a complete folder's tokenizer.json describes.

    Not AutoTokenizer: for SigLIP that one depends on whether sentencepiece is installed.

    Raises:
        EncoderError: The tokenizer is damaged, or names no padding token.
    """
    from transformers import PreTrainedTokenizerFast

    with _loading(folder):
        tokenizer = PreTrainedTokenizerFast.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    if tokenizer.pad_token is None:
        raise EncoderError(f"encoder folder {folder} names no pad_token in tokenizer_config.json")
    return tokenizer


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a checkpoint's file.

    Raises:
        EncoderError: The file cannot be read or does not hold a JSON object.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EncoderError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise EncoderError(f"{path} must hold a JSON object; found {type(value).__name__}")
    return value


def one_line(error: Exception) -> str:
    """Return an error's class and message on one line of at most 200 characters."""
    return textwrap.shorten(f"{type(error).__name__}: {error}", 200, placeholder=" …")


@contextmanager
def _loading(folder: Path) -> Iterator[None]:
    """Keep transformers quiet, and turn what it raises on a damaged folder into one sentence."""
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    try:
        with quiet():
            yield
    except (*_DAMAGED, SafetensorError, StrictDataclassError) as error:
        message = f"encoder folder {folder} cannot be loaded ({one_line(error)})"
        raise EncoderError(message) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from writing to the terminal, and leave its settings as they were."""
    from transformers.utils import logging

    verbosity, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if had_bars:
            logging.enable_progress_bar()
