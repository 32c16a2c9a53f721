"""Taxonomies (METHODS A1, A2): `build` one, look at what is missing (`viewing`), `relabel`."""
