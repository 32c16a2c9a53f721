"""A script and its film: `evidence` says what shots and subtitles tell of the script's scenes.

`script` aligns the two, `differences` tells where they part, `keep` puts the result into the
film's folder.
"""
