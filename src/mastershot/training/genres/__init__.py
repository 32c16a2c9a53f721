"""Genres of trailers, coarse and fine (METHODS C).

In order: `settings`; `inputs` makes batches of a data set; `train` runs the coarse stage, and
`fine` the fine one after it; `results` writes the model, its scores and the trailers' embeddings.
`comparison` trains several networks and sets them beside each other.
"""
