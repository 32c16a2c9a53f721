"""Trailers with genres and the vectors that experts gave their clips.

`table` is our own format, which training reads, and `listing` is what is known of trailers before;
`mmx` and `trailers12k` read released lists, `vectors` what experts made of clips elsewhere.
`embeddings` is what a trained network makes of trailers.
"""
