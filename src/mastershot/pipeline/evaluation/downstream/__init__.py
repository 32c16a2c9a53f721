"""The downstream tasks of Movies2Scenes, from labels and features to a report.

In order: `labels` reads a task's labelled items; `vectors` are those of a row, from a file, a
library or an encoder of scenes; `join` keeps the items that all rows have; `evaluate` measures and
reports, with `pictures` of items that a library holds. `boundaries` does so for scene tables,
which `tables` reads, and `all_tasks` for whatever is given.
"""
