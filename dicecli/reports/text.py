"""The one place through which text from outside passes on its way to people's eyes."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Categories that move a cursor, hide or reorder text, or that XML forbids: control, format, surrogate,
#: private, unassigned, line separators.
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
#: What is drawn as nothing, though of other categories: a joiner, fillers of Hangul and of Khmer, separators
#: of Mongolian.
_UNSEEN = {*"\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"}
#: Marks that are drawn over what stands before them; more of them on one letter cover other lines.
_MARKS, _MOST_MARKS = {"Mn", "Me"}, 4
#: What a line of a log does in a CI service: ``::word`` at its start, which folding may bring about, and
#: ``##[word`` anywhere (GitHub, Azure: actions/runner, ActionCommand.cs); ``##vso[``, ``##teamcity[``.
_COMMAND = re.compile(r"(?<=:):(?=[^\W\d_])|(?<=#)#(?=\w*\[)")
_COMMAND_IN_JSON = re.compile(r"(?<=#)#(?=\w*\[)")

#: Where a reader begins a cell, whatever it takes for the separator, with quotes and spaces that it skips;
#: and what begins a formula there, also in full width.
_BEGIN = "(^|[,;|])([ '\"]*)"
_FORMULA = "(?=([=+@\uff1d\uff0b\uff0d\uff20-]))"
_WOULD_ACT, _GUARDED = re.compile(_BEGIN + _FORMULA), re.compile(f"{_BEGIN}'{_FORMULA}")
#: A number with its sign is none, behind a separator: places and ranges are written so.
_NUMBER = re.compile(r"[+-][0-9.]+(?:[eE][+-]?[0-9]+)?(?:\s*[,;|]|[)\]}]+\s*(?:[,;|]|$))")

#: What follows a sign in prose, behind a separator and a space: nothing, a word, an option or a number.
_PROSE = re.compile(r"[+-]{1,2}(?:[^\W\d_][\w-]*|[0-9.]+)?(?=[\s,;.:)\]}'\"]|$)")


def of_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, whatever it takes for the separator of cells.

    Before what would begin a formula stands an apostrophe, as spreadsheets have it: at the start, and behind
    each comma, semicolon and bar. :func:`out_of_cell` takes these away again.
    """
    return _WOULD_ACT.sub(lambda found: f"{found[0]}'" if _acts(found) else found[0], inert(text))


def out_of_cell(text: str) -> str:
    """Return a text without the apostrophes of :func:`of_cell`."""
    return _GUARDED.sub(lambda found: found[1] + found[2] if _acts(found) else found[0], text)


def _acts(found: re.Match[str]) -> bool:
    """Tell whether what begins as a formula may be one: behind a separator prose has signs, too."""
    separator, between, sign = found.groups()
    if not separator or sign not in "+-":
        return True
    if _NUMBER.match(found.string, found.end()):
        return False
    return " " not in between or _PROSE.match(found.string, found.end()) is None


def of_json(text: str) -> str:
    """Return JSON that says the same, in which nothing acts on a terminal or in the log of a CI service."""
    if not text.isascii() or "\x7f" in text:
        import json

        text = "".join(
            char if is_seen or char == "\n" else json.dumps(char)[1:-1] for char, is_seen in _looked_at(text)
        )
    return _COMMAND_IN_JSON.sub(r"\\u0023", text) if "##" in text else text


def inert(text: str) -> str:
    """Return a text with everything that is not plain to see written as an escape; the rest is unchanged.

    Terminal escapes, newlines, bidirectional controls, floods of marks, commands to CI services and bytes
    that are no UTF-8 are shown, not acted on.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(char if is_seen else _escape(char) for char, is_seen in _looked_at(text))
    if "::" in text or "##" in text:
        return _COMMAND.sub(lambda found: _escape(found[0]), text)
    return text


def _looked_at(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each character, and whether it is seen where it stands, and changes nothing around it."""
    marks, can_bear = 0, False
    for char in text:
        category = unicodedata.category(char)
        if category in _MARKS:
            marks += 1
            yield char, can_bear and marks <= _MOST_MARKS and char not in _UNSEEN
            continue
        # A mark on a quote or a space, or on what stands before the text, is one on what is not of the name.
        marks, can_bear = (
            0,
            category[0] in "LN" or char in "#*" or (category[0] == "S" and not char.isascii()),
        )
        yield char, category not in _UNSAFE and char not in _UNSEEN


def _escape(char: str) -> str:
    """Return the escape of a character, also of one that needs none by itself."""
    if " " <= char <= "~":
        return f"\\x{ord(char):02x}"
    return char.encode("unicode_escape", "surrogatepass").decode()
