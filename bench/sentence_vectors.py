"""Encodes packaged labels and places as the starter does: the vectors that ship.

python bench/sentence_vectors.py [--out FILE]
"""

import argparse
from pathlib import Path

from mastershot.core.labels import load_taxonomy, shipped_taxonomies
from mastershot.encoders.starter import STARTER_FOLDER, read_student
from mastershot.encoders.text import SHIPPED_VECTORS, write_shipped_vectors
from mastershot.labelling.perception.setting import load_places


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=SHIPPED_VECTORS)
    options = parser.parse_args()
    texts = shipped_texts()
    write_shipped_vectors(options.out, texts)
    print(f"{len(texts)} vectors, {options.out.stat().st_size:,} bytes → {options.out}")


def shipped_texts() -> list[str]:
    """Return each label and each place in the starter's prompt, once."""
    template = read_student(STARTER_FOLDER).label_template
    labels = [label for name in shipped_taxonomies() for label in load_taxonomy(name).labels]
    labels += load_places().names
    return [template.replace("{label}", label) for label in dict.fromkeys(labels)]


if __name__ == "__main__":
    main()
