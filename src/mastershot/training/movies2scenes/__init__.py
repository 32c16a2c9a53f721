"""Movies2Scenes: an encoder of scenes trained on a library's metadata (METHODS B).

In order, as `pipeline` chains them: `shots` are gathered, as features or `keyframes`; a
`shot_encoder` is trained on neighbouring shots (B1); metadata gives the similar movies
(`similarity`, B2); a `movie_encoder` is trained to predict them from shots (B3); `scene_pairs` are
mined between similar movies (B4); a `scene_encoder` is trained on them (B5). Both encoders are
trained by `moco` on `batches` (`contrastive` is one such run, `networks` what is trained), measured
by a `knn_probe`, and saved as `checkpoints`.
"""
