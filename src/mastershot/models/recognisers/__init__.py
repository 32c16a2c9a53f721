"""The scene recognisers of MovieCLIP (METHODS A7) and the networks they are compared with.

`build` is the table from a name to a network; `published` loads checkpoints that were published
elsewhere. One network a file: `residual3d` holds the 3-D residual block of `i3d`, `slowfast`,
`r2plus1d` and `r3d`; beside them stand `inception_i3d`, `timesformer`, `video_swin`, for vectors
`frame_lstm`, and for single frames `resnet`, `senet` and `vit_b16`.
"""
