"""Encoders: frames and words into one space."""
