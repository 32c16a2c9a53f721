"""How large the recognisers are at the papers' sizes, beside what their publishers say.

Operations are multiply-adds, counted by torch on networks without memory, for one clip.

    python bench/recognisers.py
"""

import sys
from importlib.util import find_spec
from pathlib import Path

from mastershot.models.recognisers.build import recogniser_row

sys.path.append(str(Path(__file__).parents[1]))
from tests.factories.published_sizes import ATTENTIVE, CONVOLUTIONAL, measure


def main() -> None:
    print(f"{'':24}{'clip':>11}{'parameters':>13}{'published':>13}", end="")
    print(f"{'GMAC':>9}{'published':>11}{'ratio':>7}  sources")
    for size in (*CONVOLUTIONAL, *ATTENTIVE):
        if find_spec(f"mastershot.models.recognisers.{recogniser_row(size.name).module}") is None:
            print(f"{size.name:24} not built yet")
            continue
        parameters, macs = measure(size)
        needed = size.giga_macs - size.giga_macs_left_out
        published = f"{size.parameters:.{size.decimals}f} M"
        print(
            f"{size.name:24}{f'{size.frames} × {size.size_px}²':>11}{parameters:13,}{published:>13}"
            f"{macs:9.2f}{needed:11.2f}{macs / needed:7.3f}  {size.parameters_from}"
            + (f"; {size.macs_from}" if size.macs_from != size.parameters_from else "")
            + (f"; less {size.giga_macs_left_out:.2f}" if size.giga_macs_left_out else "")
        )


if __name__ == "__main__":
    main()
