"""BIDS ``*_dseg.tsv``: columns of index and name, perhaps of abbreviation, color and mapping, between tabs.

Source: BIDS specification, Imaging derivatives, common image-derived labels. Colours are ``#rrggbb``,
and n/a is nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dicecli.records.legends._entries import Entry, scheme_of
from dicecli.records.legends._written import wrong_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.records.labels import Colour, LabelScheme
    from dicecli.records.legends._written import Written

CALLED = "a dseg.tsv of BIDS"
_NOTHING = {"", "n/a"}
_RIGHT = {"index": "1", "name": "liver", "color": "#dd8265"}


def is_of(written: Written) -> bool:
    """Whether its first line has the two columns that are required."""
    return {"index", "name"} <= {*written.columns("\t")}


def read(written: Written) -> LabelScheme:
    """Read it; abbreviations and mappings are left."""
    return scheme_of(_entries(written), written)


def _entries(written: Written) -> Iterator[Entry]:
    right = "\t".join(_RIGHT.get(each, "n/a") for each in written.columns("\t"))
    for line, row in written.rows("\t", right):
        if not re.fullmatch(r"-?\d{1,19}", row["index"]) or row["name"] in _NOTHING:
            raise wrong_line(written, line, f"'{row['index']}' with '{row['name']}' is no label", right)
        yield Entry(int(row["index"]), row["name"], _colour(written, line, row.get("color", ""), right), line)


def _colour(written: Written, line: int, text: str, right: str) -> Colour | None:
    if text.lower() in _NOTHING:
        return None
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise wrong_line(written, line, f"'{text}' is no colour", right)
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue
