"""The one place through which text from outside passes on its way to people's eyes."""

from __future__ import annotations

import unicodedata

#: Categories that move a cursor, hide or reorder text, or that XML forbids: control, format, surrogate,
#: private, unassigned, line separators.
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

_FORMULA = ("=", "+", "-", "@")


def of_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with an apostrophe before it, as they do."""
    shown = inert(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def inert(text: str) -> str:
    """Return a text with everything that is not plain to see written as an escape; the rest is unchanged.

    Terminal escapes, newlines, bidirectional controls and bytes that are no UTF-8 are shown, not acted on.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape", "surrogatepass").decode()
        if unicodedata.category(char) in _UNSAFE
        else char
        for char in text
    )
