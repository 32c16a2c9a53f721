"""Taxonomies (METHODS A1, A2): `build` one, find what it lacks (`viewing`), `relabel` a library."""
