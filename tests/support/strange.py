"""Texts, tables and JSON with something strange in them; the same for the same generator of chance."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

#: What a key of JSON may be instead of what it is.
VALUES = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    255,
    2**31,
    2**53 + 1,
    2**63,
    2**64,
    -(2**63) - 1,
    10**400,
    0.5,
    -0.5,
    -0.0,
    1e-320,
    1e308,
    "",
    "x",
    "1",
    "-1",
    "0x10",
    "nan",
    "inf",
    "\x00",
    "\ud800",
    "ß\u202e\x1b[31m",
    "a" * 5000,
    [],
    [[]],
    [0],
    [1, 2, 3],
    [None],
    ["x"],
    [2**63],
    {},
    {"x": 1},
    {"1": {}},
    {"": None},
)
#: What a word of a text or an option may be.
WORDS = (
    "",
    " ",
    "0",
    "1",
    "-1",
    "2",
    "3",
    "255",
    "1.5",
    "-0",
    "1e400",
    "nan",
    "inf",
    "-inf",
    "1_0",
    "٣",
    "0x10",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "-9223372036854775809",
    "1" * 400,
    "1" * 5000,
    "1-3",
    "3-1",
    "0-99999999999",
    "1,2",
    ",",
    ",,",
    ";",
    "=",
    "1=2",
    "*=ignore",
    "a=b=c",
    "*",
    "**",
    "{case}",
    "{",
    "}{",
    "{case}{case}",
    "[",
    "dice[",
    "dice[]@",
    "@",
    "#",
    "#12345",
    "#ffffff",
    '"',
    '""',
    '"a',
    "'",
    "\\",
    "\t",
    "a\tb",
    "a\nb",
    "\r",
    "\x1b[31m",
    "ß",
    "e\u0301",
    "\u202e",
    "\ufeff",
    "\uffff",
    "\U0001f642",
    "😀" * 300,
    "-",
    "--",
    "---",
    ".",
    "/dev/null",
    "/proc/self/mem",
    "~",
    "file:///etc/passwd",
    "http://127.0.0.1:1/x",
    "/vsicurl/http://127.0.0.1:1/x",
    "none",
    "null",
    "true",
    "all",
    "ignore",
    "background",
    "liver",
    "a" * 300,
    "x" * 5000,
)


#: What a number in a text may be instead.
_NUMBERS = (
    *(
        "0",
        "-1",
        "00",
        "1.5",
        "1e400",
        "nan",
        "9223372036854775807",
        "9223372036854775808",
        "1_0",
        "\u0663",
        "²",
    ),
    *("1" * 30, "1" * 400, "1" * 5000, ""),
)


def value(chance: Random) -> Any:
    """Return a value of JSON."""
    return copy.deepcopy(chance.choice(VALUES))


def places(content: Any, path: tuple = ()) -> list[tuple]:
    """Return the path to every value of an object, the object's own left out."""
    if isinstance(content, dict):
        inner = [*content.items()]
    else:
        inner = [*enumerate(content)] if isinstance(content, list) else []
    found = []
    for key, each in inner:
        found += [(*path, key), *places(each, (*path, key))]
    return found


def at(content: Any, path: tuple) -> Any:
    """Return what stands at a path."""
    for key in path:
        content = content[key]
    return content


def disturbed_json(content: Any, chance: Random, paths: list[tuple] | None = None) -> str:
    """Return the text of some JSON with one to three changes: of values, of keys, or of the text."""
    content = copy.deepcopy(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        path = chance.choice(paths or places(content) or [()])
        try:
            holder = at(content, path[:-1])
            _change(holder, path[-1], content, chance)
        except (LookupError, TypeError, AttributeError):  # an earlier change took the place away
            continue
    text = json.dumps(content)
    return _disturbed_json_text(text, content, chance) if chance.random() < 0.15 else text


def _change(holder: Any, key: Any, content: Any, chance: Random) -> None:
    """Change what a list or an object has under a key."""
    kind = chance.choice(("put", "put", "put", "delete", "twice", "other", "rename", "near", "near", "swap"))
    if kind == "delete":
        del holder[key]
    elif kind == "twice" and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif kind == "other":
        holder[key] = copy.deepcopy(at(content, chance.choice(places(content))))
    elif kind == "rename" and isinstance(holder, dict):
        holder[str(chance.choice(WORDS))] = holder.pop(key)
    elif kind == "near" and isinstance(holder[key], (int, float)) and abs(holder[key]) < 1e300:
        holder[key] += chance.choice((-1, 1, 0.5, 1000))
    elif kind == "swap" and isinstance(holder, dict):
        other = chance.choice([*holder])
        holder[key], holder[other] = holder[other], holder[key]
    else:
        holder[key] = value(chance)


def _disturbed_json_text(text: str, content: Any, chance: Random) -> str:
    """Return JSON that no value has: a key twice, NaN, brackets without end, or a text that is cut."""
    kind = chance.choice(("twice", "nan", "deep", "cut", "text"))
    if kind == "twice" and isinstance(content, dict) and content:
        key = json.dumps(chance.choice([*content]))
        return f"{text[:-1]}, {key}: {json.dumps(value(chance))}}}"
    if kind == "nan":
        spots = [n for n, each in enumerate(text) if each in "0123456789"]
        spot = chance.choice(spots or [0])
        return text[:spot] + chance.choice(("NaN", "Infinity", "-Infinity", "1e999", "00")) + text[spot + 1 :]
    if kind == "deep":
        spot = text.find(":", chance.randrange(len(text) + 1)) + 1
        return text[:spot] + "[" * 100_000 + "]" * 100_000 + "," + text[spot:]
    return text[: chance.randrange(len(text) + 1)] if kind == "cut" else disturbed_text(text, chance)


def disturbed_text(text: str, chance: Random) -> str:
    """Return a text with one to four changes: of words, of lines, of single characters, of its end."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        kind = chance.choice(("word", "word", "word", "line", "drop", "character", "cut", "join", "swap"))
        lines = text.split("\n")
        row = chance.randrange(len(lines))
        if kind == "word":
            lines[row] = _word_changed(lines[row], chance)
        elif kind == "line":
            lines.insert(row, chance.choice((lines[row], "", ",,,,,,,,", chance.choice(WORDS))))
        elif kind == "drop":
            del lines[row]
        elif kind == "join":
            lines[row : row + 2] = [chance.choice((",", "\t", "\r", " ", "")).join(lines[row : row + 2])]
        elif kind == "swap":
            other = chance.randrange(len(lines))
            lines[row], lines[other] = lines[other], lines[row]
        text = "\n".join(lines)
        if kind == "character" and text:
            spot = chance.randrange(len(text))
            text = text[:spot] + chance.choice("\x00\r\t \",;:#'{}[]()-+=.0x\xff\u2028") + text[spot + 1 :]
        elif kind == "cut":
            text = text[: chance.randrange(len(text) + 1)]
    return text


def _word_changed(line: str, chance: Random) -> str:
    """Return a line of which one cell, at commas, tabs, blanks or colons, is another word."""
    mark = chance.choice([each for each in ",\t :=;" if each in line] or [","])
    cells = line.split(mark)
    cells[chance.randrange(len(cells))] = chance.choice(WORDS)
    return mark.join(cells)


def disturbed_word(word: str, chance: Random) -> str:
    """Return a word of an option with one change: of a number in it, of a part, or of a character."""
    parts = re.split(r"(\d+|\W)", word)
    spot = chance.randrange(len(parts))
    digits = [n for n, part in enumerate(parts) if part.isdigit()]
    if digits and chance.random() < 0.5:
        spot = chance.choice(digits)
        parts[spot] = chance.choice(_NUMBERS)
    else:
        parts[spot] = chance.choice(
            (chance.choice(WORDS), parts[spot] * 2, "", chance.choice("-+.,=@[]:*'\""))
        )
    return "".join(parts)


def as_bytes(text: str, chance: Random) -> bytes:
    """Return a text as a file has it: nearly always UTF-8; else in another encoding, or with bytes that are none."""
    kind = chance.random()
    if kind < 0.97:
        return text.encode("utf-8", "surrogatepass")
    if kind < 0.99:
        return text.encode(chance.choice(("utf-16", "utf-8-sig", "latin-1", "utf-32")), "replace")
    content = bytearray(text.encode("utf-8", "replace"))
    for _ in range(3):
        content.insert(chance.randrange(len(content) + 1), chance.randrange(256))
    return bytes(content)
