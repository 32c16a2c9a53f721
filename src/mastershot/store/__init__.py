"""Where results are kept: a library of films in embedded tables, and the vectors of frames."""
