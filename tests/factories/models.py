"""Small random checkpoints, CLIP, SigLIP, ViT and students, written as the real ones are."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    CLIPConfig,
    CLIPModel,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipModel,
    ViTConfig,
    ViTModel,
)

from mastershot.core.movie import SCALES
from mastershot.encoders.catalogue import load_encoder
from mastershot.encoders.frame_classifier import ClassifierSettings, write_classifier
from mastershot.encoders.precision import computes_in_int8
from mastershot.encoders.recogniser import RecogniserCard, build_network, write_recogniser
from mastershot.encoders.starter import write_student
from mastershot.encoders.text import SentenceEncoder
from mastershot.models.fire_net import FireNet
from mastershot.models.recognisers.frame_lstm import FrameLSTM

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
PAD, START, END = range(256, 259)  # after the bytes, as in CLIP, which reads out at the highest id
CLIPS = {"frames": 4, "size_px": 32}
TINY_TOWER = {
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
TINY_VISION = {**TINY_TOWER, "image_size": 32, "patch_size": 16}
VOCABULARY = {
    "vocab_size": 259,
    "pad_token_id": PAD,
    "bos_token_id": START,
    "eos_token_id": END,
}


def make_tiny_clip(folder: Path, *, seed: int = 0) -> Path:
    """Write a random CLIP, eight wide, that takes frames of 32 pixels; return its folder."""
    config = CLIPConfig(
        projection_dim=8,
        text_config={**TINY_TOWER, **VOCABULARY, "max_position_embeddings": 77},
        vision_config=TINY_VISION,
    )
    return make_clip(folder, config, seed=seed)


def make_clip(folder: Path, config: CLIPConfig, *, seed: int = 0) -> Path:
    """Write a random CLIP of any shape; return its folder."""
    size_px = config.vision_config.image_size
    preparation = {
        "crop_size": {"height": size_px, "width": size_px},
        "do_center_crop": True,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_processor_type": "CLIPImageProcessor",
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "resample": 3,
        "size": {"shortest_edge": size_px},
    }
    torch.manual_seed(seed)
    model = CLIPModel(config)
    with torch.no_grad():
        model.logit_scale.fill_(torch.tensor(100.0).log())
    return _write(folder, model, preparation)


def make_tiny_siglip(folder: Path, *, seed: int = 0) -> Path:
    """Write a random SigLIP, eight wide, that takes frames of 32 pixels; return its folder."""
    config = SiglipConfig(
        text_config={**TINY_TOWER, **VOCABULARY, "max_position_embeddings": 64},
        vision_config=TINY_VISION,
    )
    preparation = {
        "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "SiglipImageProcessor",
        "image_std": [0.5, 0.5, 0.5],
        "resample": 3,
        "size": {"height": 32, "width": 32},
    }
    torch.manual_seed(seed)
    model = SiglipModel(config)
    with torch.no_grad():
        model.logit_scale.fill_(torch.tensor(110.0).log())
        model.logit_bias.fill_(-12.0)
    return _write(folder, model, preparation)


def make_tiny_vit(folder: Path, *, seed: int = 0) -> Path:
    """Write a random ViT, eight wide, that takes frames of 32 pixels; return its folder."""
    preparation = {
        "do_normalize": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "ViTImageProcessor",
        "image_std": [0.5, 0.5, 0.5],
        "resample": 2,
        "size": {"height": 32, "width": 32},
    }
    torch.manual_seed(seed)
    return _write(folder, ViTModel(ViTConfig(**TINY_VISION)), preparation, words=False)


def _write(folder: Path, model: Any, preparation: dict[str, Any], *, words: bool = True) -> Path:
    # Weights drawn small all give nearly one vector; larger ones keep frames and words distinct.
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1:
                weights.normal_(0.0, 0.7 if "embedding" in name else weights.shape[-1] ** -0.5)
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    if words:
        _tokenizer().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(preparation))
    return folder


def _tokenizer() -> PreTrainedTokenizerFast:
    """Return a lower-casing tokenizer whose tokens are single bytes."""
    special = {"<pad>": PAD, "<start>": START, "<end>": END}
    vocabulary = {piece: token for token, piece in enumerate(BYTES)} | special
    tokenizer = Tokenizer(models.BPE(vocabulary, merges=[]))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", START), ("<end>", END)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<start>", eos_token="<end>"
    )


def make_student(folder: Path, *, seed: int = 0) -> Path:
    """Write a student with random weights that names concepts of two teachers."""
    write_student(folder, *_student(seed))
    return folder


@cache
def _student(seed: int) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    groups = [["forest", "kitchen", "street", "beach"], ["dog", "teapot"]]
    torch.manual_seed(seed)
    network = FireNet(6).eval()
    with torch.no_grad():  # Random features hardly differ: spread what little there is.
        features = network.maps(255 * torch.rand(32, 3, 64, 64)).last.mean((2, 3))
        spread = features.std(0).clamp_min(float(features.std(0).mean()))
        network.head.weight.copy_(torch.randn(6, features.shape[1]) / spread / 60)
        network.head.bias.copy_(-network.head.weight @ features.mean(0))
    vectors = torch.from_numpy(SentenceEncoder().encode_texts([*groups[0], *groups[1]]))
    metadata = {
        "kind": "concepts",
        "image_px": 64,
        "width": 384,
        "concepts": groups,
        "conse": {"temperature": 1.5, "num_concepts": 4, "group_weights": [0.75, 0.25]},
        "logit_scale": 25.0,
        "label_template": "{label}",
    }
    return metadata, {**network.shipped_weights(), "concept_vectors": vectors}


def make_space_student(folder: Path, *, seed: int = 0) -> Path:
    """Write a student with random weights for a tiny CLIP in the folder beside as its teacher."""
    teacher = make_tiny_clip(folder.with_name(f"{folder.name}-teacher"), seed=seed)
    torch.manual_seed(seed)
    text = {
        "encoder": str(teacher),
        "width": 8,
        "logit_scale": 100.0,
        "label_template": "A photo of a {label}",
        "weights_hash": load_encoder(teacher).space.weights_hash,
    }
    metadata = {"kind": "space", "image_px": 64, "text": text}
    write_student(folder, metadata, FireNet(8).eval().shipped_weights())
    return folder


def make_scale_classifier(
    folder: Path, *, encoder: str, width: int, encoder_hash: str = "", seed: int = 0
) -> Path:
    """Write a random classifier of shot scales over an encoder's vectors; return its folder."""
    torch.manual_seed(seed)
    network = FrameLSTM(width, len(SCALES), hidden=8, layers=2)
    with torch.no_grad():  # Random weights hardly distinguish two shots: make them larger.
        network.head.weight.mul_(20)
    settings = ClassifierSettings(
        name="tiny",
        task="shot_scale",
        classes=SCALES,
        encoder=encoder,
        encoder_hash=encoder_hash,
        width=width,
        hidden=8,
        layers=2,
        rate_hz=4.0,
        max_steps=20,
    )
    write_classifier(folder, settings, network, figures={})
    return folder


def make_recogniser(
    folder: Path, network: str = "lstm", *, classes: tuple[str, ...] = ("kitchen", "forest"),
    seed: int = 0, figures: dict[str, Any] | None = None, **card: Any,
) -> Path:  # fmt: skip
    """Write a random recogniser, a sixteenth of the published width; return its folder.

    ``card`` sets fields of its description; a network of clips reads 4 frames of 32 pixels.
    """
    reads = {"encoder": "toy", "input_width": 8, "rate_hz": 4.0, "max_steps": 20}
    sizes = {"frames": 0, "size_px": 0} | reads if network == "lstm" else CLIPS
    described = RecogniserCard(
        **{"name": f"tiny-{network}", "network": network, "classes": classes, "width": 1 / 16,
           "depth": 0.1, **sizes, **card},
    )  # fmt: skip
    torch.manual_seed(seed)
    built = build_network(described)
    with torch.no_grad():  # Random features hardly differ: make what is made of them larger.
        built.head.weight.mul_(20)
    write_recogniser(folder, described, built, figures=figures or {})
    return folder


def require_precision(precision: str) -> None:
    """Skip the test where this processor does not compute in a precision."""
    if precision == "int8" and not computes_in_int8(torch.device("cpu")):
        pytest.skip("this processor has no VNNI instructions")
