"""How good a trained model is, and how well shots were found.

`tasks` lists what can be evaluated of models: `tagging` reads scores, `truth` other labels for
them; `downstream` measures what vectors tell about clips and scenes. `shots` compares timelines
with true lists, which `shot_truth` brings to the same frames, and sweeps a detector's threshold
over the scores that `shot_scores` finds.
"""
