"""From trailers to a data set of genres.

In order: the experts of the room beside this one see each trailer in one decoding pass, `parts`
keeps what came out, `films` finds films that stand there twice, `build` makes the data set with its
`card` and its `words`. `convert` brings in what was computed elsewhere. `subgenres` goes from a
trained network's embeddings to a page. A film's genres are found by `analysis.genres`.
"""
