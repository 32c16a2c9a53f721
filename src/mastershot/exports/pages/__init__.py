"""HTML pages that need no other file, on one base template; `templates` writes them.

`report` is a film's, `items` shows what was answered beside
the truth, `search` has those of libraries (shots, similar scenes, maps), `dataset` those
of data sets and raters, `subgenres` that of trailers.
"""
