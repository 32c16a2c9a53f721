"""Readers of labels that representations are evaluated on: `movienet`, `moderation`.

LVU's is `datasets/lvu.py`, which pre-training reads too, to leave its films out.
"""
