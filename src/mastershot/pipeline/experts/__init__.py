"""What sees, hears and reads a film in its decoding pass, and gives shots vectors.

`vectors` makes vectors of single frames, and of clips of whole shots. The rest are the experts of
genres: `catalogue` is the table of them (`watching`, `clips`, `hearing` and `reading` are their
kinds), and `decode` gives each what it needs of a film, shot by shot.
"""
