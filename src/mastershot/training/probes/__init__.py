"""Downstream probes: classes of videos from features of their shots (METHODS A8).

In order: `settings`; `data` joins the labels of a released data set with features; `train` runs it
all and writes the probe and its scores; `fusion` joins the scores of several runs. `video_splits`
hands the same data sets to recognisers of frames. `fit` trains the small probes of Movies2Scenes'
downstream tasks for `mastershot evaluate`.
"""
