"""What training shares, whatever is trained.

A run directory is opened (`run_directory`) by one process or by several (`distributed`); the seed
and the step determine which items a batch has (`samplers`) and how its views are drawn
(`augmentations`); the `trainer` takes the steps, saves checkpoints and resumes from the last one;
`best_epoch` keeps the best weights, the `metrics_log` the figures. `settings` holds the checks that
all settings use.
"""
