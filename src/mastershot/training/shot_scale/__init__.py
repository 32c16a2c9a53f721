"""Shot scale: a classifier of how close the camera is, trained on MovieShots (METHODS A6).

In order: `settings`; `features` of the frames are computed once; `train` runs it all and writes the
classifier.
"""
