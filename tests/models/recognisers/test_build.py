"""The table of recognisers."""

import numpy as np
import torch

from mastershot.models.recognisers.build import normalise_clips, recogniser_row


def test_clips_are_normalised_as_their_network_takes_them() -> None:
    clips = torch.randint(0, 256, (2, 3, 8, 8, 3)).float()
    row = recogniser_row("video_swin_b")
    prepared = normalise_clips(clips, row)
    assert prepared.shape == (2, 3, 3, 8, 8)
    by_hand = (clips[1, 2, 4, 5].numpy() - np.array(row.pixel_mean)) / np.array(row.pixel_std)
    np.testing.assert_allclose(prepared[1, :, 2, 4, 5].numpy(), by_hand, rtol=1e-5)
