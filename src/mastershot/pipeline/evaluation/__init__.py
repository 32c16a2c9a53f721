"""How good a trained model is, and how well shots were found.

`tasks` lists what can be evaluated of models, each in a file of its own: `tagging` reads scores,
`truth` other labels for them. Room is kept for the tasks of LVU and MovieNet. `shots` compares
timelines with true lists, which `shot_truth` brings to the same frames, and sweeps a detector's
threshold over the scores that `shot_scores` finds.
"""
