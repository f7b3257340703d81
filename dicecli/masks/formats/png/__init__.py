"""PNG: palette, grey of 1 to 16 bits, and colours through a colour table."""

from dicecli.masks.formats.png.masks import SUFFIXES, open_mask

__all__ = ["SUFFIXES", "open_mask"]
