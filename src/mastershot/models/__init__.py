"""Networks in plain torch, what they compute and no more.

`transformer` is the trunk of `vit` and `scene_encoder`; `movie_encoder` compares films;
`recognisers/` classify shots; `fire_net` and `vit` are the `students`. `contrastive` holds losses
and the queue, `int8_linear` the fast layers, `loading` the strict fit of weights.
"""
