"""Our own tables, written whole or not at all and read in pieces, however long they are.

`records` are scored shots, in a `score_table` or whatever `scored` opens; `similarity_table` and
`pair_table` are what Movies2Scenes mines, from a `watch_log`. `arrow` reads and writes all of
these. A `feature_table` is a folder, whose vectors are mapped from their file; `tag_scores` hold a
score of every class and the truth, as NumPy arrays; a `scene_table` has films' shots and scenes.
"""
