"""Queries to a library: by words (`words`, `nearest`), by scenes (`similar`), as a `scene_map`.

`vectors` turns a library's scenes into vectors; `similar_page` shows why scenes are alike.
"""
