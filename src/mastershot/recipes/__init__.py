"""Recipes: training runs as YAML files, some of which ship with the package.

`load` reads plain YAML and overrides and lets `build` make the settings of a kind, a row of the
table in `schema`, which also runs it; `stage_notes` sums up a run.
"""
