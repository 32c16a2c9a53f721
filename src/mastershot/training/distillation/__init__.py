"""Distillation: a small network is trained on the outputs of larger ones, on unlabelled frames.

In order: `settings`; `frames` are gathered once into a pool; `teachers` give `teacher_targets` for
augmented views; the `module` is the loss, and `train` the run; `held_out` measures agreement on
frames not trained on; `calibration` turns logits into scores; `export` writes a folder for
`load_encoder`.
"""
