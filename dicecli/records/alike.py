"""Names that are one in two forms, and names that only look it: macOS writes é as two characters."""

from __future__ import annotations

import os
import shlex
import unicodedata
from collections import Counter
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path

from dicecli.words import near

#: Letters that look like those of ASCII: Greek and Cyrillic ones, and the dotless i.
_LOOKS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u0261\u03bf\u03c1\u03bd\u0131"
    "\u0432\u043a\u043c\u043d\u0442\u03b1\u03b9\u03ba\u03c4\u03c5\u03c7",
    "aeopcyxijsdlgopvibkmhtaiktux",
)
_SHOWN = 3
#: So many names of a folder are compared with one that is not there.
_LOOKED_AT = 1000


def one_form(name: str) -> str:
    """Return a name in the one form by which names are compared (NFC); most are in it."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def spelt_as(name: str, text: str) -> str:
    """Return a text in the form in which a name is written: with letters taken apart (NFD), or not."""
    is_apart = not name.isascii() and unicodedata.is_normalized("NFD", name)
    return unicodedata.normalize("NFD", text) if is_apart else one_form(text)


def on_disk(path: str) -> str:
    """Return a path as the disk has it, where it has it in another form alone; else as it is."""
    if path.isascii() or os.path.lexists(path):
        return path
    whole = Path(path)
    found = whole.anchor
    for part in whole.parts[bool(found) :]:
        there = os.path.join(found, part)  # noqa: PTH118 - these are strings throughout
        forms = (part,) if os.path.lexists(there) else _in_one_form(found or os.curdir, part)
        if len(forms) != 1:
            return path
        found = os.path.join(found, forms[0])  # noqa: PTH118 - as above
    return found


def did_you_mean_file(path: str | os.PathLike[str]) -> str:
    """Ask whether a file or folder that looks alike, or has a near name, was meant, where none is there."""
    return alike_there(path) or near_there(path)


def alike_there(path: str | os.PathLike[str]) -> str:
    """Ask, for a hint, whether the one file or folder was meant that looks like a path that is not there.

    It says by what they differ: typed paths are bytes, and none is opened in the place of another.
    """
    text = os.fspath(path)
    there = _looking_like(text)
    if there is None:
        return ""
    return f"Did you mean {_quoted(there)}? It differs {difference(text, there)}. "


def near_there(path: str | os.PathLike[str]) -> str:
    """Ask, for a hint, whether a file with a near name was meant; not where one looks alike, or it is there.

    The first thousand names beside it are looked at.
    """
    folder = Path(path).parent
    with suppress(OSError, ValueError):
        if not Path(path).exists() and _looking_like(os.fspath(path)) is None:
            beside = [each.name for each in islice(folder.iterdir(), _LOOKED_AT)]
            return "".join(
                f"Did you mean {_quoted(str(folder / each))}? " for each in near(Path(path).name, beside, 1)
            )
    return ""


def _quoted(path: str) -> str:
    """Return a path as a shell takes it, where it has white space; else as it is."""
    return shlex.quote(path) if any(map(str.isspace, path)) else path


def _looking_like(path: str) -> str | None:
    """Return the one path that is there and looks like one that is not; else None."""
    if not path or "\0" in path or os.path.lexists(path):
        return None
    whole = Path(path)
    found = whole.anchor
    for part in whole.parts[bool(found) :]:
        there = os.path.join(found, part)  # noqa: PTH118 - these are strings throughout
        if not os.path.lexists(there):
            names = _beside(found or os.curdir).get(look(part.strip()), ())
            if len(names) != 1:
                return None
            there = os.path.join(found, names[0])  # noqa: PTH118 - as above
        found = there
    return found or None


def _in_one_form(folder: str, name: str) -> tuple[str, ...]:
    """Return the names in a folder that are one with a name."""
    form = one_form(name)
    return tuple(each for each in _beside(folder).get(look(name), ()) if one_form(each) == form)


def _beside(folder: str) -> dict[str, tuple[str, ...]]:
    """Return the names in a folder by what they look like; none where it cannot be read."""
    try:
        return _listed(folder, os.stat(folder).st_mtime_ns)  # noqa: PTH116 - as above
    except (OSError, ValueError):
        return {}


@lru_cache(16)
def _listed(folder: str, _changed: int) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for each in os.listdir(folder):  # noqa: PTH208 - as above
        found[look(each)] = (*found.get(look(each), ()), each)
    return found


def look(name: str) -> str:
    """Return what a name looks like: names for which it is equal are easily taken for each other.

    Case does not matter in it, nor do spaces, characters that nobody sees, ligatures and wide forms; letters
    that look like others are these.
    """
    if name.isascii():
        return name.lower().replace(" ", "")
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_LOOKS)
    return "".join(each for each in plain if unicodedata.category(each) not in {"Cf", "Zs", "Cc"})


def difference(one: str, other: str) -> str:
    """Say what tells two names apart that look the same: their case, or characters by their code points."""
    forms = [one_form(each) for each in (one, other)]
    if forms[0] == forms[1]:
        return f"by the form of their letters alone: {one!a} against {other!a}"
    if forms[0].lower() == forms[1].lower():
        return "by case alone"
    counts = [Counter(each) for each in forms]
    only = [[*(here - there)] for here, there in (counts, counts[::-1])]
    said = [", ".join(map(_called, each[:_SHOWN])) or "nothing" for each in only]
    return f"by {said[0]} against {said[1]}"


def _called(sign: str) -> str:
    return f"U+{ord(sign):04X} {unicodedata.name(sign, '')}".strip()
