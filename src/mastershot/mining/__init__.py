"""Similar movies by their metadata, and similar scenes of similar movies (METHODS B2, B4)."""
