"""Shot scale: a classifier learns how close the camera is, from MovieShots (METHODS A6).

In order: `settings`; `features` of the frames are made once; the `module` learns from them; `train`
runs it all and writes the classifier.
"""
