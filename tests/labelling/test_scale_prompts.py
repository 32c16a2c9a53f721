from pathlib import Path

import numpy as np
import pytest
from tests.factories.models import make_tiny_clip

from mastershot.core.movie import SCALES
from mastershot.encoders.catalogue import load_encoder
from mastershot.labelling.scale_prompts import SCALE_PROMPTS, encode_scales


def test_a_scale_is_the_mean_of_its_prompts_at_unit_length(tmp_path: Path) -> None:
    encoder = load_encoder(make_tiny_clip(tmp_path / "clip"), precision="float32")
    vectors = encode_scales(encoder)
    assert vectors.shape == (5, 8)
    assert tuple(SCALE_PROMPTS) == SCALES
    for vector, scale in zip(vectors, SCALES, strict=True):
        prompts = [encoder.encode_texts([prompt])[0] for prompt in SCALE_PROMPTS[scale]]
        mean = sum(prompts) / len(prompts)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-5)


@pytest.mark.parametrize("scale", SCALES)
def test_no_two_scales_share_a_prompt(scale: str) -> None:
    others = {prompt for name in SCALES if name != scale for prompt in SCALE_PROMPTS[name]}
    assert not others & set(SCALE_PROMPTS[scale])
