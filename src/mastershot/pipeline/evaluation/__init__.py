"""How good a trained model is: `tasks` lists what can be evaluated, each in a file of its own.

`tagging` reads scores, `truth` other labels for them. Room is kept for the tasks of LVU and
MovieNet, and for shots against a list of them.
"""
