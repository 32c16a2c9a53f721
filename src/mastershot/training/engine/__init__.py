"""What training shares, whatever is trained.

A run directory is opened (`run_directory`) by one process or by several (`distributed`); the seed
and the step determine which items a batch has (`samplers`) and how its views are drawn
(`augmentations`); the `trainer` takes the steps, saves checkpoints and resumes from the last one;
`epochs` trains by epochs and keeps the best; the `metrics_log` keeps the figures. `settings` holds
the checks that all settings use.
"""
