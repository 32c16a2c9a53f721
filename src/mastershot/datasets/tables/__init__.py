"""Our own tables: scored shots, similar movies, scene pairs, viewing logs.

Written by `arrow` and `records` whole or not at all, and read in pieces, however long they are.
"""
