"""MViTv2: the `network`, and checkpoints of it that were `published` elsewhere."""
