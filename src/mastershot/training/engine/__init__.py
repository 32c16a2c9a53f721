"""What every story's training shares; it knows none of them.

A run directory is opened (`run_directory`), by one process or by several (`distributed`); batches
come in an order that the seed and the step settle (`samplers`), pictures as augmented views
(`augmentations`); the `trainer` takes the steps, saves checkpoints and resumes from the last one;
the `metrics_log` keeps the figures. `settings` holds the checks that all settings use.
"""
