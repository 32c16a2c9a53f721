import re
from typing import Any

import numpy as np
import pytest
import torch

from mastershot.core.errors import SettingError
from mastershot.models.recognisers.build import build_recogniser, normalise_clips, recogniser_row


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("resnet81", {}, "recogniser 'resnet81' is unknown; did you mean 'resnet18'?"),
        ("zzz", {}, "recogniser 'zzz' is unknown; known are lstm, i3d_r50, r2plus1d_r34, "),
        ("resnet18", {"num_classes": 0}, "num_classes is 0; it must be 1 or more"),
        ("vit_b16", {"frames": 2}, "frames is 2; vit_b16 reads one frame of a shot"),
        ("r3d_18", {"frames": -1}, "frames is -1; it must be 1 or more"),
        ("resnet18", {"width": 0.0}, "width is 0; it must be above 0 and at most 4"),
        ("resnet18", {"depth": 5.0}, "depth is 5; it must be above 0 and at most 4"),
        ("resnet18", {"width": float("nan")}, "width is nan; it must be above 0"),
    ],
)
def test_a_network_that_cannot_be_built_says_why(
    name: str, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SettingError, match=re.escape(sentence)):
        build_recogniser(name, **{"num_classes": 3, **changes})


def test_clips_are_normalised_as_their_network_takes_them() -> None:
    clips = torch.randint(0, 256, (2, 3, 8, 8, 3)).float()
    row = recogniser_row("video_swin_b")
    prepared = normalise_clips(clips, row)
    assert prepared.shape == (2, 3, 3, 8, 8)
    by_hand = (clips[1, 2, 4, 5].numpy() - np.array(row.pixel_mean)) / np.array(row.pixel_std)
    np.testing.assert_allclose(prepared[1, :, 2, 4, 5].numpy(), by_hand, rtol=1e-5)
