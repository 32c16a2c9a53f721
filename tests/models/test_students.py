import pytest
import torch

from mastershot.core.errors import SettingError
from mastershot.models.students import STUDENT_NETWORKS
from mastershot.models.vit import ViTStudent


@pytest.mark.parametrize("name", STUDENT_NETWORKS)
def test_what_is_shipped_computes_what_was_trained(name: str) -> None:
    kind, images = STUDENT_NETWORKS[name], torch.rand(2, 3, 32, 32) * 255
    torch.manual_seed(0)
    trained, shipped = kind.to_train(5, 32).eval(), kind.to_ship(5, 32).eval()
    shipped.load_state_dict(trained.shipped_weights())
    with torch.inference_mode():
        outputs = trained(images)
        assert outputs.shape == (2, 5)
        torch.testing.assert_close(shipped(images), outputs, rtol=1e-3, atol=1e-3)
        assert torch.equal(trained.maps(images).outputs, outputs)


@pytest.mark.parametrize("name", STUDENT_NETWORKS)
def test_a_network_has_maps_of_the_channels_it_promises_or_none(name: str) -> None:
    network = STUDENT_NETWORKS[name].to_train(5, 32)
    maps = network.maps(torch.zeros(2, 3, 32, 32))
    if network.map_channels is None:
        assert maps.middle is maps.last is None
    else:
        assert maps.middle is not None
        assert maps.last is not None
        assert (maps.middle.shape[1], maps.last.shape[1]) == network.map_channels


def test_patches_that_do_not_tile_the_frame_are_refused() -> None:
    with pytest.raises(SettingError, match="patches of 16 pixels do not tile a frame of 40"):
        ViTStudent(5, 40)
