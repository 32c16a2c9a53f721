"""A film that lies in several files, its reels, read as one.

`facts` joins what the containers state, or says why they are not one film; `film` decodes reel
after reel, on one clock.
"""
