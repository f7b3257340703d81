"""What users type: several words in one text, spelt in another way, with a slip; and what sentences count."""

from __future__ import annotations

import difflib
import re
import shlex
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dicecli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: So much less alike than the nearest, of 1 which is the same, a word may be to be proposed as well.
_AS_NEAR = 0.1
#: A word of so many letters with which known ones begin is one of these, cut short.
_CUT_SHORT = 3
#: Longer lists of known words are not shown whole.
_MOST_LISTED = 16
#: Apostrophes beside those that Unicode calls quotes, and what stands between the words of a name.
_QUOTES = "'\"`\N{ACUTE ACCENT}\N{PRIME}"
_BETWEEN = re.compile(r"[\s_-]+")
#: A hyphen that is the sign of a number, as in ``fbeta_-1``, and stands between no parts.
_SIGN = re.compile(r"(?<=[\s_])-(?=\d)")
#: A word of a list up to its comma or the end: within quotes, in which a quote is doubled, or without.
_WORD = re.compile(r'\s*+(?:"((?:[^"]|"")*+)"|([^",][^,]*+)?)\s*+(?:,|$)')


def plain(word: str) -> str:
    """Return a word without what does not matter in it: case, quotes, what stands between its parts.

    So a curly quote of ``user's accuracy`` is none, and a dash is a hyphen.
    """
    text = word.translate(dict.fromkeys(map(ord, _QUOTES)))
    if not text.isascii():
        text = "".join(map(_plain_sign, unicodedata.normalize("NFKC", text)))
    return _BETWEEN.sub("_", _SIGN.sub("minus", text.strip().lower()))


def _plain_sign(sign: str) -> str:
    kind = unicodedata.category(sign)
    return "" if kind in {"Pi", "Pf"} else "-" if kind == "Pd" or sign == "\N{MINUS SIGN}" else sign


def listed(text: str) -> tuple[str, ...]:
    """Return the words of a list as it is typed: commas between them, quotes around one that holds commas.

    The form is that of CSV: ``dice,"odd, name"``; a quote within quotes is doubled. Spaces around a word, and
    a comma too many, do not matter; of a text without any word that text is the one word.

    Raises
    ------
    UsageError
        A quote that is not closed, or text behind one.
    """
    words, place = [], 0
    while place < len(text):
        found = _WORD.match(text, place)
        if found is None:
            raise UsageError(
                f"{text!r} is no list with commas: a quote is not closed, or something stands behind it",
                'Write quotes around a whole name, where it holds a comma: dice,"odd, name".',
            )
        words.append(found[2] or (found[1] or "").replace('""', '"'))
        place = found.end()
    return tuple(word for each in words if (word := each.strip())) or (text.strip(),)


def near(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known words that a word may be a slip for, the nearest first; case does not matter.

    One that is much less near than the nearest is none of them. Where some begin with the word, and it has at
    least three letters, it stands for these alone: it was cut short.
    """
    by_plain = {each.casefold(): each for each in reversed([*known])}
    cut = [each for each in by_plain if each.startswith(word.casefold())]
    if cut and sum(map(str.isalpha, word)) >= _CUT_SHORT:
        return [by_plain[each] for each in sorted(cut, key=len)[:most]]
    found = difflib.get_close_matches(word.casefold(), by_plain, n=most)
    alike = [difflib.SequenceMatcher(None, each, word.casefold()).ratio() for each in found]
    return [by_plain[each] for each, how in zip(found, alike, strict=True) if how >= alike[0] - _AS_NEAR]


def did_you_mean(word: str, known: Iterable[str], most: int = 3) -> str:
    """Ask whether a near word was meant, for a hint, with a space behind it; nothing where none is near."""
    found = near(word, known, most)
    return f"Did you mean {' or '.join(found)}? " if found else ""


def counted(n: int, thing: str) -> str:
    """Write how many there are of something: 1 label, 1,500 labels."""
    return f"{n:,} {thing}{'s' * (n != 1)}"


def every(known: Iterable[str], how: str = "") -> str:
    """Return what a hint says after ``Known:``, all words; of many it says how to see them.

    Parameters
    ----------
    known : iterable of str
    how : str, optional
        Such as ``those that help(dicecli.score) lists``; without it the first are listed.
    """
    words = [*known]
    if len(words) <= _MOST_LISTED:
        return ", ".join(words)
    return how or f"{', '.join(words[:_MOST_LISTED])}, and {len(words) - _MOST_LISTED:,} more"


def file_meant(option: str, words: Iterable[str]) -> str:
    """Return how a file is written whose name begins as an option; an empty text where none is there."""
    for each in words:
        with suppress(OSError, ValueError):
            if each.startswith(option) and Path(each).exists():
                return shlex.quote(f"./{each}")
    return ""


def some_of(names: Sequence[str], most: int) -> str:
    """Name so many, and say how many more there are: a, b and 2 more; an empty text of none."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def fault(error: Exception) -> str:
    """Say what an error found in a file that was read, without Python's word for its kind."""
    if isinstance(error, KeyError):
        return f"'{error.args[0] if error.args else ''}' is missing"
    if isinstance(error, (TypeError, AttributeError, LookupError)):
        return "something in it is of another kind than it should be"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
