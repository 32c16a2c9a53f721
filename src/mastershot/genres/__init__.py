"""Sub-genres: what trailers' embeddings tell beyond coarse genres (METHODS C4).

`trailers` is what is known of them. `clustering` groups embeddings, `words` finds what a group's
texts say more than the rest, `subgenres` describes the groups by both. `neighbours` are the nearest
trailers, `measures` say how far groups and neighbours can be trusted, `maps` draw embeddings on a
plane. `analysis` chains all of it. `relatives` says where a new film lies among them.
"""
