"""Learning: from a teacher, from metadata, from labels."""
