"""Similar movies by their metadata, and similar scenes of similar movies (METHODS B2, B4).

`co_watch` rests on `watch_events`, sorted on disk, and `watch_counts`; `similarity` has the other
measures. `pairs` mines two movies, `library_pairs` a library. `layout` places vectors on a map.
"""
