"""Released data sets, one reader a format; `tables` holds the formats of our own files."""
