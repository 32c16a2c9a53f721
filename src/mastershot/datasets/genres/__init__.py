"""Trailers with genres and the vectors that experts gave their clips.

`table` is our own format, which training reads; the other files bring released formats into it.
"""
