"""Labels for shots and scenes, from frames and words in one space."""
