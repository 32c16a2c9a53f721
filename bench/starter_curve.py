"""Draw how a student came to agree with its teachers, from the log of its run, as SVG.

python bench/starter_curve.py docs/starter_log.jsonl docs/starter_curve.svg
"""

import argparse
import json
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP = 720, 360, 48, 16
COLOURS = ("#2a6f97", "#bb3e03", "#588157", "#9b5de5", "#e09f3e")
NAMES = {"squeezenet": "places", "mobilenet": "things", "labels": "labels"}
UNLABELLED = ("labels", "posters128")
SOURCES = {"photographs-0[0-5].parquet": "photographs", "posters128": "posters"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("svg", type=Path)
    options = parser.parse_args()
    lines = options.log.read_text("utf-8").splitlines()
    entries = [entry for entry in map(json.loads, lines) if "agreement" in entry]
    options.svg.write_text(draw(entries), "utf-8")


def draw(entries: list[dict]) -> str:
    curves: dict[str, list[tuple[int, float]]] = {}
    for entry in entries:
        for one in entry["agreement"]:
            # Posters have no label, but the probe's opinion.
            if one["source"] in SOURCES and (one["teacher"], one["source"]) != UNLABELLED:
                name = f"{NAMES[one['teacher'].partition('_')[0]]}, {SOURCES[one['source']]}"
                curves.setdefault(name, []).append((entry["step"], one["top5"]))
    last = max(entry["step"] for entry in entries)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#444">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for tenth in range(0, 11, 2):
        y = at_y(tenth / 10)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 150}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tenth * 10} %</text>'
        )
    for step in range(0, last + 1, 2000):
        x = at_x(step, last)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 22}" text-anchor="middle">{step:,}</text>')
    parts.append(
        f'<text x="{LEFT}" y="{HEIGHT - 5}">steps; share of held-out frames where the teacher’s '
        "first is among the student’s first five</text>"
    )
    label_y = 0.0
    highest_first = sorted(curves.items(), key=lambda curve: -curve[1][-1][1])
    for colour, (name, points) in zip(COLOURS, highest_first, strict=True):
        path = " ".join(f"{at_x(step, last):.1f},{at_y(share):.1f}" for step, share in points)
        label_y = max(at_y(points[-1][1]) + 4, label_y + 15)  # Names do not overlap.
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{WIDTH - 142}" y="{label_y:.1f}" fill="{colour}">{name}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def at_x(step: int, last: int) -> float:
    return LEFT + (WIDTH - 150 - LEFT) * step / last


def at_y(share: float) -> float:
    return TOP + (HEIGHT - 60 - TOP) * (1 - share)


if __name__ == "__main__":
    main()
