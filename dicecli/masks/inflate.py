"""Deflate streams, inflated with ISA-L: what they hold, or only how long they are and that they are whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: No deflate stream unpacks to more than this many times its size (zlib's documentation: 1032:1).
MAX_RATIO = 1032
#: Bytes inflated at a time, so that memory stays small.
_PIECE = 1 << 18
#: Bytes of a stream that are given at a time: what is not used yet is copied.
_FED = 1 << 20
#: What the first byte of a zlib stream may say of its window: 2 to the power of 8 and this (RFC 1950, 2.2).
_LARGEST_WINDOW = 7


class Damaged(ValueError):
    """A stream that cannot be inflated, or whose checksum is wrong."""


def inflated(stream: bytes, most: int) -> tuple[bytes, bool]:
    """Inflate a zlib stream.

    Parameters
    ----------
    stream : bytes
    most : int
        Stop once more than so many bytes have come; memory grows with what comes, not with this.

    Returns
    -------
    bytes
        At most ``most + 1`` of them.
    bool
        Whether the stream's end was reached, and so its checksum was right.

    Raises
    ------
    Damaged
    """
    from isal import igzip_lib

    _check_window(stream)
    inflating = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)
    try:
        data: bytes = inflating.decompress(stream, most + 1)
    except (igzip_lib.IsalError, ValueError) as error:  # type: ignore[misc]  # the stubs call it an object
        raise Damaged(str(error)) from error
    # Nothing can be left for a second call: either the stream is used up, or more has come than it should.
    return data, bool(inflating.eof)


class Inflating:
    """A zlib stream that is inflated as it is asked for.

    Parameters
    ----------
    parts : iterable of bytes-like
        The stream, cut anywhere; a part is taken when it is needed.

    Attributes
    ----------
    length : int
        How many bytes have come.
    """

    def __init__(self, parts: Iterable[bytes | memoryview]) -> None:
        from isal import igzip_lib

        self._inflating = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)
        views = (memoryview(part) for part in parts)
        self._given = (part[at : at + _FED] for part in views for at in range(0, len(part), _FED))
        self._is_first, self.length = True, 0

    def read(self, most: int) -> bytes:
        """Return so many bytes, at least 1; fewer where the stream ends.

        Raises
        ------
        Damaged
        """
        found = self._some(most)
        if len(found) == most or self.is_whole:
            return found
        parts = [found]
        while (missing := most - sum(map(len, parts))) and (found := self._some(missing)):
            parts.append(found)
        return b"".join(parts)

    def skip(self, number: int) -> None:
        """Inflate so many bytes, as far as there are any, and forget them."""
        while number > 0 and (found := self._some(min(number, _PIECE))):
            number -= len(found)

    @property
    def is_whole(self) -> bool:
        """Whether the stream's end was reached, and so its checksum was right."""
        return bool(self._inflating.eof)

    def _some(self, most: int) -> bytes:
        """Return up to so many bytes; none at the end alone."""
        from isal import igzip_lib

        found = b""
        try:
            while not found and not self.is_whole:
                part = next(self._given, None) if self._inflating.needs_input else b""
                if part and self._is_first:
                    _check_window(part)
                    self._is_first = False
                found = self._inflating.decompress(part or b"", most)
                # Before isal 1.9 it asks for input while some output still waits: all is out once none comes.
                if part is None and not found:
                    break
        except (igzip_lib.IsalError, ValueError) as error:  # type: ignore[misc]  # the stubs call it an object
            raise error if isinstance(error, Damaged) else Damaged(str(error)) from error
        self.length += len(found)
        return found


def inflated_length(parts: Iterable[bytes], most: int) -> tuple[int, bool]:
    """Inflate a zlib stream and forget it.

    Parameters
    ----------
    parts : iterable of bytes
        The stream, cut anywhere; a part is taken when it is needed.
    most : int
        Stop once more than this has come.

    Returns
    -------
    int
        How many bytes came, at most ``most + 1``.
    bool
        Whether the stream's end was reached, and so its checksum was right.

    Raises
    ------
    Damaged
    """
    inflating = Inflating(parts)
    inflating.skip(most + 1)
    return inflating.length, inflating.is_whole


def _check_window(stream: bytes | memoryview) -> None:
    """Refuse a window that zlib does not have, which ISA-L lets pass; all else there it finds."""
    if stream and stream[0] >> 4 > _LARGEST_WINDOW:
        raise Damaged(f"its header claims a window of 2^{8 + (stream[0] >> 4)} bytes; 2^15 is the most")
