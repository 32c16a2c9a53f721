"""The thresholds of marks, with what they mean."""

from dataclasses import dataclass

MARKS_REVISION = 2
"""Rises when other marks may be found with the same settings; older timelines are made anew."""


@dataclass(frozen=True)
class MarkSettings:
    """When a run of frames is marked. Light is a share of full light, lengths are in seconds.

    Attributes:
        dark: Light below which a point is dark.
        most_bright: Share of a black frame's points that may be brighter.
        black_contrast: Most that the mean light of two 16ths of a black frame may differ; more is
            a picture in a fade.
        black_s: Shortest black.
        silence_s: Shortest silence; its level is that of the rule of sounds.
        bars_saturation: Least mean saturation of colour bars, as the difference of the strongest
            and the weakest colour.
        bars_s: Shortest colour bars.
        letterbox_share: By how much of the frame's longer side black bars, at each of two edges,
            must differ from those that the film mostly has.
        letterbox_s: Shortest time for which they do.
        held_change: Most that a cell of 32 along the longer side may differ from where it was when
            the picture was last seen to change; that is more than codec noise.
        static_s: Shortest static picture.
        ground: Share of a frame that is of about one light if it is plain, as a slate is.
        ground_roughness: Most that the light of a ground without its letters differs from the mean
            around, itself a mean.
        text_contrast: By how much the light of letters differs from that of the plain ground.
        least_text: Least share of a frame that letters cover.
        most_text: Most of it.
        card_s: Shortest card of text.
        card_gap_s: Longest time between two cards of one run of credits.
        edge_s: Most of the programme that may lie before opening or after closing credits.
        edge_share: Most of it as a share of the film, where that is less.
        slate_lines: Least lines of text on a slate that no colour bars are beside.
    """

    dark: float = 0.08
    most_bright: float = 0.02
    black_contrast: float = 0.03
    black_s: float = 0.4
    silence_s: float = 0.5
    bars_saturation: float = 0.3
    bars_s: float = 0.5
    letterbox_share: float = 0.03
    letterbox_s: float = 1.0
    held_change: float = 0.04
    static_s: float = 2.0
    ground: float = 0.6
    ground_roughness: float = 0.009
    text_contrast: float = 0.19
    least_text: float = 0.002
    most_text: float = 0.35
    card_s: float = 1.0
    card_gap_s: float = 3.0
    edge_s: float = 30.0
    edge_share: float = 0.05
    slate_lines: int = 4
