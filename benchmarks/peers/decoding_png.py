"""Pillow: decode every PNG of two folders, and do nothing with them.

Usage: decoding_png.py PREDICTIONS REFERENCES
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(*folders: str) -> None:
    """Decode one file after the other."""
    from PIL import Image

    for folder in folders:
        for path in sorted(Path(folder).glob("*.png")):
            with Image.open(path) as image:
                image.load()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
