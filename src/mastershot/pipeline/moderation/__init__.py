"""Moderation of films: what `mastershot moderation` and the step of an analysis do.

`detectors` are what scores frames and sound, `models` those that users name; `scores` keeps what
they give beside the vectors of frames, and `cutting` cuts intervals out of it by a policy, also of
a film analysed before. `pictures` shows the evidence. `review` draws what people are to judge and
takes their verdicts, and `report` says what these amount to.
"""
