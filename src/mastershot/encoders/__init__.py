"""Frames and texts to vectors.

The `catalogue` finds an encoder by name: the `starter` in the package, or a `checkpoint` that
`image_text` runs. `images` prepares frames, `precision` decides where and in which numbers networks
run, `text` encodes sentences. A `frame_classifier` takes the vectors of a shot's frames,
a `scene_head` those of a film's shots. In `detectors` are networks that find one thing each.
"""
