"""Settings of Movies2Scenes: of the shots, of the two encoders, of the other stages.

No tensor is imported here, so that recipes are checked in a moment.
"""
