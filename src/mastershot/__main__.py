"""``python -m mastershot`` is the command ``mastershot``."""

from mastershot.apps.cli import main

main()
