"""What players show: chapters, cues and subtitles, on the clock that players count by.

`clock` converts between frames and a player's clock, `texts` reads text files of any encoding,
`chapters` makes the chapters that `ffmetadata`, `matroska` and `webvtt` write; `subtitles` reads
SubRip, WebVTT and a film's own subtitle tracks.
"""
