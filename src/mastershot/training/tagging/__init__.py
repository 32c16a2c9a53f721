"""Tagging: scene recognisers of several labels a shot, trained on weak labels (METHODS A7).

In order: `settings`; `shots` finds out which shots a run has and where their films are; `clips`
and `vectors` are what networks read of them, `batches` what a step takes; `module` is the loss and
the optimiser, `scoring` what networks say of whole splits; `train` runs it all and writes the
recogniser and its scores.
"""
