"""The films of ``mastershot analyze --demo``: `films` copies the one that ships, or draws one."""
