"""Recipes: training runs as YAML files, some of which ship with the package."""
