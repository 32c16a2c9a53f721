"""Movies2Scenes: a library's metadata teaches an encoder of scenes (METHODS B).

In order, as `pipeline` chains them: `shots` are gathered, as features or `keyframes`; a
`shot_encoder` is trained on neighbouring shots (B1); metadata says which movies are similar
(`similarity`, B2); a `movie_encoder` learns it from shots (B3); `scene_pairs` are mined between
similar movies (B4); a `scene_encoder` is trained on them (B5). Both encoders learn by `moco` from
`batches` (`contrastive` is one such run, `networks` what is trained), are measured by a
`knn_probe`, and are kept as `checkpoints`.
"""
