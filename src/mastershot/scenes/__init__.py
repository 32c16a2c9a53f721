"""Which consecutive shots belong together."""
