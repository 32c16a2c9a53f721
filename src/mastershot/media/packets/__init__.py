"""A film's packets put to use: copied with chapters, cut into pieces, read as subtitles.

Pictures are decoded only where a piece cannot be cut out exactly otherwise.
"""
