"""Genres from several experts: `netvlad` and `gating` make clip vectors, `network` a trailer's.

In order: `netvlad.NetVLAD` sums up what an expert says in pieces; `gating` weighs experts against
each other; `network` joins clips to sequences and sequences to trailers (METHODS C1-C4).
`sequences` makes its input of the clips of trailers.
Beside them stands `vggish`, an expert of sound.
"""
