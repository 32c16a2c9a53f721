"""Training, one room a story: `distillation`, `movies2scenes`, `shot_scale`; all use `engine`.

Stories do not import each other. Room is kept for `tagging` (scene recognisers) and `genres`.
"""
