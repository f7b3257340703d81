"""A gzip stream that is read forwards, to its end, where its checksum and length stand."""

from __future__ import annotations

import zlib
from typing import BinaryIO

import numpy as np

from dicecli.errors import Corrupt, Truncated, Unreadable
from dicecli.masks.files import open_regular

#: Bytes before the voxels that are passed over at a time.
_PIECE = 1 << 20


class GzipStream:
    """A gzip stream, read forwards; damage becomes this project's errors."""

    def __init__(self, path: str, offset: int) -> None:
        self._path, self._offset = path, offset
        self._file: BinaryIO | None = None
        self._raw: BinaryIO | None = None
        self.position = 0

    def read(self, length: int, path: str) -> np.ndarray:
        """Read exactly so many bytes, uint8; memory is touched as the stream really gives them."""
        data, there = np.empty(length, np.uint8), 0
        while there < length:
            part = self._guarded(min(length - there, 1 << 22), path)
            if not part:
                raise Truncated(
                    f"the data end after {self.position:,} bytes; more are expected",
                    "The file is cut off: fetch or save it again.",
                    path,
                )
            data[there : there + len(part)] = np.frombuffer(part, np.uint8)
            there += len(part)
        return data

    def skip(self, length: int, path: str) -> None:
        """Read and forget so many bytes."""
        while length > 0:
            length -= len(self.read(min(length, 1 << 22), path))

    def drain(self, path: str) -> int:
        """Read to the end, which checks checksum and length; return how many bytes there still were."""
        extra = 0
        while part := self._guarded(1 << 20, path):
            extra += len(part)
            if extra > 1 << 24:
                break
        return extra

    def rewind(self) -> None:
        """Start again from the first voxel."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        for each in (self._file, self._raw):
            if each is not None:
                each.close()
        self._file, self._raw, self.position = None, None, 0

    def _guarded(self, length: int, path: str) -> bytes:
        from isal import igzip, isal_zlib

        try:
            if self._file is None:
                self._raw = open_regular(self._path)
                self._file = igzip.open(self._raw)  # type: ignore[no-untyped-call]  # so the stubs
                for start in range(0, self._offset, _PIECE):
                    self._file.read(min(_PIECE, self._offset - start))
            part: bytes = self._file.read(length)
        except EOFError as error:
            raise Truncated(
                "the gzip stream ends before its end mark", "The file is cut off: fetch it again.", path
            ) from error
        except OSError as error:
            if error.errno is not None:  # the system's, not that of what it unpacks
                raise Unreadable(f"cannot be read: {error.strerror}", "Check the disk.", path) from error
            raise self._damaged(error, path) from error
        except (zlib.error, isal_zlib.IsalError) as error:  # type: ignore[misc]  # as above
            raise self._damaged(error, path) from error
        self.position += len(part)
        return part

    @staticmethod
    def _damaged(error: Exception, path: str) -> Corrupt:
        return Corrupt(f"the gzip stream is damaged: {error}", "Fetch or save the file again.", path)
