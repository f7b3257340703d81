"""Deflate streams come out whole, however they are cut, asked for, and by whichever isal inflates them."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import igzip_lib

from dicecli.masks.inflate import Inflating, inflated, inflated_length

IGZIP = igzip_lib.IgzipDecompressor


class Hungry:
    """Asks for input as soon as it has used what it was given, though output still waits: so isal up to 1.8."""

    def __init__(self, flag):
        self._inner = IGZIP(flag=flag)
        self.decompress = self._inner.decompress
        self.needs_input = True

    @property
    def eof(self):
        """Whether the end was reached."""
        return self._inner.eof


@pytest.mark.parametrize("kind", [IGZIP, Hungry])
@settings(max_examples=60)
@given(
    size=st.one_of(st.integers(0, 2000), st.integers(262_000, 300_000)),
    values=st.sampled_from([1, 2, 256]),
    level=st.sampled_from([0, 1, 6]),
    cut=st.integers(1, 100_000),
    asked=st.lists(st.integers(1, 5000), max_size=10),
)
def test_inflated_equals_zlib(kind, size, values, level, cut, asked):
    """What is read, skipped or only counted is what zlib packed; a stream without its end is told apart."""
    data = np.random.default_rng(size).integers(0, values, size, np.uint8).tobytes()
    stream = zlib.compress(data, level)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(igzip_lib, "IgzipDecompressor", kind)
        assert inflated(stream, size) == (data, True)
        assert inflated_length(parts(stream, cut), size) == (size, True)
        assert inflated_length(parts(stream[:-1], cut), size) == (size, False)
        if size:
            assert inflated_length(parts(stream, cut), size - 1)[0] == size
        inflating, at = Inflating(parts(stream, cut)), 0
        for most in asked:
            assert inflating.read(most) == data[at : at + most]
            at += most
        assert inflating.length == min(at, size)
        inflating.skip(size - inflating.length + 1)
        assert (inflating.length, inflating.is_whole) == (size, True)


def parts(stream, cut):
    """Return a stream in parts of so many bytes, or more so that they are few."""
    cut = max(cut, len(stream) // 50)
    return (stream[at : at + cut] for at in range(0, len(stream), cut))
