"""Networks eight wide, for tests."""

from mastershot.models.scene_encoder import FeatureSceneSettings
from mastershot.models.vit import ViTSettings

TINY_VIT = ViTSettings(width=8, depth=2, heads=2, mlp_ratio=2, image_px=32)
TINY_FEATURES = FeatureSceneSettings(
    width=8, depth=2, heads=2, mlp_ratio=2, num_inputs=5, num_positions=4
)
