"""HTML pages that need nothing else, one file a page; `templates` is what they share."""
