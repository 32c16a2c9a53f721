"""Where a film cuts: found in its frames (`content`), or read from `lists` made elsewhere."""
