"""A weakly labelled data set (METHODS A4, A5): `build`, `select`, `stats`, `verify`."""
