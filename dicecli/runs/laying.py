"""A pattern with placeholders laid on a name: the time grows with both lengths, whatever they are."""

from __future__ import annotations

import os
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import PairingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CASE, LABEL, STAR = "{case}", "{label}", "*"
_PLACEHOLDER = re.compile(r"(\{case\}|\{label\}|\*+)")
#: So many characters are gone through, in one name, to find the text of a placeholder that is repeated.
_LOOKED_AT = 2_000_000


class Part(NamedTuple):
    """A piece of a pattern: a placeholder, or a text that has to stand there."""

    text: str
    is_free: bool


class Wish(NamedTuple):
    """Which way is taken where a pattern can be laid in several: the first part decides, then the second.

    Attributes
    ----------
    is_short : bool
        Whether ``{case}`` is as few characters as can be and ``{label}`` as many, not the other way round.
    length : int, optional
        How many characters ``{case}`` has to be.
    """

    is_short: bool = False
    length: int | None = None

    def takes_most(self, part: Part) -> bool:
        """Tell whether a part is as many characters as can be; a star never is."""
        return part.is_free and part.text == (LABEL if self.is_short else CASE)


@lru_cache(256)
def _parts(pattern: str) -> tuple[Part, ...]:
    """Cut a pattern into its parts; several stars are one."""
    pieces = _PLACEHOLDER.split(pattern.replace(os.sep, "/"))
    cut = (Part(each[:1] if each.startswith(STAR) else each, at % 2 == 1) for at, each in enumerate(pieces))
    return tuple(part for part in cut if part.text)


@lru_cache(256)
def _repeated(parts: tuple[Part, ...]) -> tuple[Part, int] | None:
    """Return the first placeholder that stands more than once, and how often; a star stands for itself."""
    often = Counter(part for part in parts if part.is_free and part.text != STAR)
    return next(((part, n) for part, n in often.items() if n > 1), None)


def laid(pattern: str, name: str, wish: Wish | None = None) -> dict[str, str] | None:
    """Return what ``{case}`` and ``{label}`` stand for in a whole name; None where a pattern does not match.

    ``{case}`` is one or more characters, ``{label}`` one or more but ``/``, ``*`` any but ``/`` and as few as
    can be. A placeholder that is repeated is the same text again.

    Parameters
    ----------
    pattern : str
        Not empty.
    name : str
        Of any length, which may be 0.
    wish : Wish, optional

    Raises
    ------
    PairingError
        A placeholder is repeated, and could be too many texts.
    """
    parts = _parts(pattern)
    if not (_begins(parts[0], name) and _ends(parts[-1], name)):
        return None
    ends = _Laying(name, wish or Wish(), pattern).ends(parts)
    if ends is None:
        return None
    starts = (0, *ends)
    return {
        part.text[1:-1]: name[starts[at] : ends[at]]
        for at, part in enumerate(parts)
        if part.is_free and part.text != STAR
    }


def _begins(part: Part, name: str) -> bool:
    return part.is_free or name.startswith(part.text)


def _ends(part: Part, name: str) -> bool:
    return part.is_free or name.endswith(part.text)


class _Laying:
    """A name on which parts are laid.

    Sets of places in it are the bits of an integer: the place before the character at `p` is the bit
    ``len(name) - p``, so that a set grows towards the beginning of the name by an addition with its carries.
    """

    def __init__(self, name: str, wish: Wish, pattern: str) -> None:
        self._name, self._wish, self._pattern = name, wish, pattern
        self._every = (2 << len(name)) - 1
        self._found: dict[str, int] = {}
        #: Places behind which a character other than ``/`` stands.
        self._inside = self._every ^ self._where("/") ^ 1
        self._looked_at = 0

    def ends(self, parts: tuple[Part, ...]) -> tuple[int, ...] | None:
        """Return where each part ends, in the way that is wished for; None where there is none."""
        reaches = self.reaches(parts)
        if not reaches[0] >> len(self._name):
            return None
        repeated = _repeated(parts)
        if repeated is None:
            return self._walked(parts, reaches)
        ways = []
        for text in self._texts(parts, reaches, *repeated):
            fixed = Part(text, is_free=False)
            ways.append(self.ends(tuple(fixed if part == repeated[0] else part for part in parts)))
        most = [self._wish.takes_most(part) for part in parts]
        return min(
            (way for way in ways if way is not None),
            key=lambda way: [-end if is_most else end for end, is_most in zip(way, most, strict=True)],
            default=None,
        )

    def reaches(self, parts: Sequence[Part]) -> list[int]:
        """Return from where the rest of the parts can be laid, up to the end: before each, and at last."""
        reach = [1]
        for part in reversed(parts):
            reach.append(self._before(part, reach[-1]))
        return reach[::-1]

    def _before(self, part: Part, behind: int) -> int:
        """Return the places before a part, of those behind it."""
        if not part.is_free:
            return self._where(part.text) & (behind << len(part.text))
        if part.text == CASE:
            if self._wish.length is not None:
                return behind << self._wish.length & self._every
            return self._every & -((behind & -behind) << 1)
        # What is added to a row of ones is carried to its end.
        seeds = behind << 1 & self._inside
        spread = (self._inside ^ (self._inside + seeds)) & self._inside | seeds
        return spread | behind if part.text == STAR else spread

    def _where(self, text: str) -> int:
        """Return the places at which a text stands."""
        if text not in self._found:
            found, at = bytearray(b"0" * (len(self._name) + 1)), self._name.find(text)
            while at >= 0:
                found[at] = ord("1")
                at = self._name.find(text, at + 1)
            self._found[text] = int(found, 2)
        return self._found[text]

    def _walked(self, parts: Sequence[Part], reaches: Sequence[int]) -> tuple[int, ...]:
        """Go through the parts, none of them repeated, by places from which the end can be reached."""
        ends, at = [], 0
        for part, reach in zip(parts, reaches[1:], strict=True):
            at = self._end(part, at, reach)
            ends.append(at)
        return tuple(ends)

    def _end(self, part: Part, at: int, reach: int) -> int:
        """Return where a part ends that begins at a place, of the places where it may."""
        length = len(self._name)
        if not part.is_free:
            return at + len(part.text)
        if part.text == CASE and self._wish.length is not None:
            return at + self._wish.length
        if self._wish.takes_most(part):
            stop = self._name.find("/", at) if part.text == LABEL else -1
            within = reach >> (length - stop) << (length - stop) if stop >= 0 else reach
            return length - (within & -within).bit_length() + 1
        first = at if part.text == STAR else at + 1
        return length - (reach & ((2 << (length - first)) - 1)).bit_length() + 1

    def _texts(
        self, parts: Sequence[Part], reaches: Sequence[int], repeated: Part, times: int
    ) -> Iterator[str]:
        """Yield what a placeholder that is repeated may stand for: texts that are in the name as often."""
        first = parts.index(repeated)
        name, seen, ends = self._name, set[str](), reaches[first + 1]
        for start in _places(self._reached(parts[:first]), name):
            for end in _places(ends & self._behind(repeated.text, start), name):
                self._look()
                text = name[start:end]
                if text in seen:
                    continue
                if name.count(text) < times:
                    break  # and so is none that begins with it
                seen.add(text)
                yield text

    def _behind(self, placeholder: str, start: int) -> int:
        """Return the places at which a placeholder may end that begins at one, whatever follows."""
        here = 1 << (len(self._name) - start)
        if placeholder == CASE and self._wish.length is not None:
            return here >> self._wish.length
        stop = self._name.find("/", start) if placeholder == LABEL else -1
        beyond = 1 << (len(self._name) - stop) if stop >= 0 else 1
        return (here - 1) & -beyond

    def _reached(self, parts: Sequence[Part]) -> int:
        """Return the places up to which parts can be laid from the beginning on."""
        back = [part._replace(text=part.text[::-1]) if not part.is_free else part for part in reversed(parts)]
        bits = _Laying(self._name[::-1], self._wish, self._pattern).reaches(back)[0]
        # There a place has the bit of its distance from the beginning.
        return int(f"{bits:0{len(self._name) + 1}b}"[::-1], 2)

    def _look(self) -> None:
        self._looked_at += len(self._name)
        if self._looked_at > _LOOKED_AT:
            raise PairingError(
                f"the pattern '{self._pattern}' repeats a placeholder that could be too many texts of the "
                f"name '{self._name}'",
                "Let each of {case} and {label} stand once in it, with * for what else is there.",
            )


def _places(bits: int, name: str) -> Iterator[int]:
    """Yield the places of a set from the beginning of a name on."""
    while bits:
        at = bits.bit_length() - 1
        yield len(name) - at
        bits ^= 1 << at
