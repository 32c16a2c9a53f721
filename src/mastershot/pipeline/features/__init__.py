"""Features of a library's shots, by recipes whose `settings` are here.

`export` makes those of a recogniser, or of a `published` network of clips;
`scenes` takes those of encoders, with scenes people marked.
"""
