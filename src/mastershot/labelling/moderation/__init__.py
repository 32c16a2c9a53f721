"""Moderation without networks: what policies ask for, and what scores and reviewers say.

`policy` reads thresholds and guidelines from YAML; `intervals` turns scores of frames and windows
of sound into intervals with their evidence; `words` has the prompts for encoders of words; `queue`
draws what people review, and `verdicts` keeps what they decided in a log that only grows.
"""
