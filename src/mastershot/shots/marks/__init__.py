"""Runs of frames that are technical or static, found in the decoding pass.

In the order in which they act: `settings` holds the thresholds, `measures` measures each frame,
with `bars` for colour bars and `text` for cards and rolling text, `rules` turns the measures of a
whole film into marks, with `letterbox` for bars around the picture and `cards` for slates and
credits. Silence is found in the film's sound, by `mastershot.labelling.perception`.
"""
