"""What reports for people may hold, whatever the names of files are."""

from __future__ import annotations

import unicodedata


def is_plain(text):
    """Whether nothing in a text moves a cursor, or hides or reorders what is written."""
    return all(
        char == "\n" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in text
    )
