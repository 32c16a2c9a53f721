"""A recogniser's features of a library's shots: `settings` of a recipe, `export` does it."""
