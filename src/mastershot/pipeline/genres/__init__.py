"""From trailers to a data set of genres.

In order: `experts` is the table of what sees a trailer (`watching`, `hearing` and `reading` are its
kinds), `decode` gives each what it needs in one decoding pass, `parts` keeps what came out, `films`
finds films that stand there twice, `build` makes the data set. `convert` brings in what was
computed elsewhere. `subgenres` goes from a trained network's embeddings to a page.
"""
