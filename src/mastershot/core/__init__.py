"""Values that every other part uses, in numpy and the standard library alone.

A `movie` has shots and scenes in exact `time`, with `labels` and `embeddings`; the `timeline` is
their JSON. `protocols` are what detectors, encoders and stores must do. `names` says which film a
name means, `text` how it is shown; `settings` check themselves; `files` are written whole or not at
all; `errors` are sentences.
"""
