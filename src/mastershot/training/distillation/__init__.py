"""Distillation: a small network is trained on the outputs of larger ones, on unlabelled frames.

In order: `settings`; `frames` are gathered once into a pool; `teachers` give targets for augmented
views; the `module` is the batches and the loss; `held_out` measures agreement on frames not trained
on; `calibration` turns logits into scores; `train` runs it all and writes a folder for
`load_encoder`.
"""
