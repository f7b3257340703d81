"""Deflate streams, inflated with ISA-L: what they hold, or only how long they are and that they are whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
    parts : sequence of memoryview
        The stream, cut anywhere.

    Attributes
    ----------
    length : int
        How many bytes have come.
    """

    def __init__(self, parts: Sequence[memoryview]) -> None:
        from isal import igzip_lib

        self._inflating = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)
        self._given = (part[at : at + _FED] for part in parts for at in range(0, len(part), _FED))
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
                given = memoryview(b"")
                if self._inflating.needs_input:
                    part = next(self._given, None)
                    if part is None:
                        break
                    given = part
                    if self._is_first:
                        _check_window(given)
                        self._is_first = False
                found = self._inflating.decompress(given, most)
        except (igzip_lib.IsalError, ValueError) as error:  # type: ignore[misc]  # the stubs call it an object
            raise error if isinstance(error, Damaged) else Damaged(str(error)) from error
        self.length += len(found)
        return found


def inflated_length(pieces: Iterable[bytes], most: int | None = None) -> tuple[int, bool]:
    """Inflate a zlib stream and forget it.

    Parameters
    ----------
    pieces : iterable of bytes
        The stream, cut anywhere.
    most : int, optional
        Stop once more than this has come.

    Returns
    -------
    int
        How many bytes came.
    bool
        Whether the stream's end was reached, and so its checksum was right.

    Raises
    ------
    Damaged
    """
    from isal import igzip_lib

    stream = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)
    length, is_first = 0, True
    try:
        for piece in pieces:
            if is_first and piece:
                _check_window(piece)
                is_first = False
            left = piece
            while not stream.eof and (left or not stream.needs_input):
                length += len(stream.decompress(left, _PIECE))
                left = b""
                if most is not None and length > most:
                    return length, False
    except (igzip_lib.IsalError, ValueError) as error:  # type: ignore[misc]  # the stubs call it an object
        raise Damaged(str(error)) from error
    return length, bool(stream.eof)


def _check_window(stream: bytes | memoryview) -> None:
    """Refuse a window that zlib does not have, which ISA-L lets pass; all else there it finds."""
    if stream and stream[0] >> 4 > _LARGEST_WINDOW:
        raise Damaged(f"its header claims a window of 2^{8 + (stream[0] >> 4)} bytes; 2^15 is the most")
