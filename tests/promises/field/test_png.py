"""PNG from the field: chunks that are not as the specification has them, and a host's Pillow left alone."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
import pytest
from make import PNG_MAGIC, blobs, brute, chunk, counts, geotiff, raw_png, read, scored

from dicecli.errors import Corrupt, Truncated
from dicecli.masks.formats.png import _pixels
from dicecli.masks.inflate import Damaged, inflated, inflated_length

LABELS = blobs((9, 11), 4)
PIXELS = zlib.compress(b"".join(b"\0" + row.tobytes() for row in LABELS))
END = chunk(b"IEND", b"")
TEXT = chunk(b"tEXt", b"Title\0x")
PALETTE = chunk(b"PLTE", bytes(range(12)))
DATA = chunk(b"IDAT", PIXELS)


def header(*, colour=0, depth=8, more=b""):
    """Return IHDR of the labels."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", 11, 9, depth, colour, 0, 0, 0) + more)


GREY, INDEXED = header(), header(colour=3)


def with_stream(*, cmf=0x78, dictionary=0, check=0):
    """Return the pixels behind a zlib header of one's choice."""
    flags = 0x80 | dictionary << 5
    flags += (31 - (cmf * 256 + flags) % 31) % 31 + check
    return GREY + chunk(b"IDAT", bytes([cmf, flags]) + PIXELS[2:]) + END


def of_one_bit(colours):
    """Return a palette image of 1 bit a pixel with so many colours."""
    bits = zlib.compress(bytes(3 * 9))
    return header(colour=3, depth=1) + chunk(b"PLTE", bytes(3 * colours)) + chunk(b"IDAT", bits) + END


#: Each row of A15, and its relatives: what comes behind the magic bytes, and what the message says of it.
WRONG = {
    "two IHDR": (GREY + GREY + DATA + END, "two chunks IHDR"),
    "two IHDR that differ": (GREY + header(depth=4) + DATA + END, "two chunks IHDR"),
    "IHDR not first": (TEXT + GREY + DATA + END, "begins with the chunk tEXt"),
    "IHDR too long": (header(more=b"\0") + DATA + END, "14 bytes instead of 13"),
    "unknown critical chunk": (GREY + chunk(b"ABCD", b"") + DATA + END, "critical chunk ABCD"),
    "unknown critical chunk after the pixels": (
        GREY + DATA + chunk(b"XXXX", b"1") + END,
        "critical chunk XXXX",
    ),
    "reserved bit": (GREY + chunk(b"tExt", b"") + DATA + END, "a name that PNG keeps"),
    "IDAT interrupted": (
        GREY + chunk(b"IDAT", PIXELS[:20]) + TEXT + chunk(b"IDAT", PIXELS[20:]) + END,
        "interrupted by other chunks",
    ),
    "IDAT interrupted, the second one empty": (GREY + DATA + TEXT + chunk(b"IDAT", b"") + END, "interrupted"),
    "only empty IDAT": (GREY + chunk(b"IDAT", b"") * 2 + END, "no pixels"),
    "PLTE of 4 bytes": (INDEXED + chunk(b"PLTE", bytes(4)) + DATA + END, "has 4 bytes"),
    "PLTE of 900 bytes": (INDEXED + chunk(b"PLTE", bytes(900)) + DATA + END, "has 900 bytes"),
    "PLTE of nothing": (INDEXED + chunk(b"PLTE", b"") + DATA + END, "has 0 bytes"),
    "PLTE of more colours than 2^depth": (
        of_one_bit(3),
        "has 9 bytes; three are expected for each of 1 to 2 colours",
    ),
    "a second PLTE": (INDEXED + PALETTE + PALETTE + DATA + END, "two chunks PLTE"),
    "PLTE in a grey image": (GREY + PALETTE + DATA + END, "it is grey, and has a palette"),
    "PLTE in grey with alpha": (
        header(colour=4) + PALETTE + chunk(b"IDAT", zlib.compress(bytes(23 * 9))) + END,
        "grey with alpha, and has a palette",
    ),
    "PLTE after IDAT": (INDEXED + DATA + PALETTE + END, r"PLTE stands after the pixels"),
    "PLTE after IDAT, where there is one before": (
        INDEXED + PALETTE + DATA + PALETTE + END,
        "two chunks PLTE",
    ),
    "no PLTE": (INDEXED + DATA + END, "no palette"),
    "tRNS before PLTE": (INDEXED + chunk(b"tRNS", b"\0") + PALETTE + DATA + END, "tRNS stands before PLTE"),
    "tRNS after IDAT": (
        INDEXED + PALETTE + DATA + chunk(b"tRNS", b"\0") + END,
        "tRNS stands after the pixels",
    ),
    "two tRNS": (INDEXED + PALETTE + chunk(b"tRNS", b"\0") * 2 + DATA + END, "two chunks tRNS"),
    "tRNS beside alpha": (
        header(colour=4) + chunk(b"tRNS", b"\0\0") + chunk(b"IDAT", zlib.compress(bytes(23 * 9))) + END,
        "grey with alpha, and has transparent colours",
    ),
    "IEND with data": (GREY + DATA + chunk(b"IEND", b"x"), "holds 1 bytes instead of none"),
    "a chunk after IEND": (GREY + DATA + END + TEXT, "follow its end mark"),
    "bytes after IEND": (GREY + DATA + END + b"\0x", "1 bytes, and no padding, follow its end mark"),
    "another PNG after IEND": (GREY + DATA + END + PNG_MAGIC + GREY + DATA + END, "follow its end mark"),
    "CINFO above 7": (with_stream(cmf=0x88), r"a window of 2\^16 bytes"),
    "CINFO of 15": (with_stream(cmf=0xF8), r"a window of 2\^23 bytes"),
    "a preset dictionary": (with_stream(dictionary=1), "cannot be inflated"),
    "a wrong check of the header": (with_stream(check=1), "cannot be inflated"),
    "another method than deflate": (with_stream(cmf=0x77), "cannot be inflated"),
}


@pytest.mark.parametrize(("content", "said"), WRONG.values(), ids=WRONG)
def test_a15(tmp_path, content, said):
    """PNG with two IHDR, unknown critical chunks, IDAT interrupted, PLTE of 4 or 900 bytes, a second one, in a
    grey image or after IDAT, CINFO above 7: today numbers, must be `Corrupt`.
    """
    path = tmp_path / "a.png"
    path.write_bytes(PNG_MAGIC + content)
    with pytest.raises(Corrupt, match=said) as caught:
        read(path)
    assert "save it again" in caught.value.hint.lower() or "save the file again" in caught.value.hint


RIGHT = {
    "empty IDAT": GREY + chunk(b"IDAT", b"") + DATA + chunk(b"IDAT", b"") + END,
    "one byte in each IDAT": GREY + b"".join(chunk(b"IDAT", bytes([each])) for each in PIXELS) + END,
    "text before and after": GREY + TEXT + DATA + TEXT + TEXT + END,
    "private ancillary chunks": GREY + chunk(b"abCd", b"1") + DATA + chunk(b"vpAg", b"2") + END,
    "a palette of 256": INDEXED + chunk(b"PLTE", bytes(768)) + chunk(b"tRNS", bytes(256)) + DATA + END,
    "tRNS in a grey image": GREY + chunk(b"tRNS", b"\0\1") + DATA + END,
    "padding after IEND": GREY + DATA + END + bytes(5) + b"\r\n",
    "a small window": with_stream(cmf=0x08),
}


@pytest.mark.parametrize("content", RIGHT.values(), ids=RIGHT)
def test_what_the_specification_allows_is_read(tmp_path, content):
    """Empty IDAT, chunks that may be left out anywhere, a palette beyond the labels: the labels as ever."""
    path = tmp_path / "a.png"
    path.write_bytes(PNG_MAGIC + content)
    assert LABELS.tolist() == read(path).tolist()


def test_a15_of_a_suggested_palette(tmp_path):
    """One more of our own: colours may have a palette, of up to 256 whole ones, before their pixels."""
    grey = np.stack([LABELS] * 3, 2)
    path = tmp_path / "a.png"
    for size, is_right in ((12, True), (768, True), (771, False), (13, False)):
        path.write_bytes(raw_png(grey, colour=2, palette=bytes(size)))
        if is_right:
            assert LABELS.tolist() == read(path).tolist()
        else:
            with pytest.raises(Corrupt, match="1 to 256 colours"):
                read(path)


def test_many_chunks_take_as_long_as_their_bytes(tmp_path):
    """The order of 60,000 chunks is looked at once: no time grows with the square of their number."""
    import time

    some = (chunk(b"tEXt", b"") + chunk(b"zTXt", b"")) * 15_000
    path = tmp_path / "a.png"
    path.write_bytes(PNG_MAGIC + GREY + some + chunk(b"IDAT", b"") * 30_000 + DATA + END)
    started = time.process_time()
    assert LABELS.tolist() == read(path).tolist()
    assert time.process_time() - started < 10


def test_a15_wherever_zlib_is_read(tmp_path):
    """The same kind in TIFF: a deflate block whose header claims a window that zlib does not have."""
    path = geotiff(tmp_path / "a.tif", blobs((30, 20)), compress="deflate", blockysize=30)
    content = path.read_bytes()
    at = content.index(b"\x78", 8)
    while zlib_fails(content[at:]):
        at = content.index(b"\x78", at + 1)
    flags = 0x80 + (31 - (0x88 * 256 + 0x80) % 31)
    damaged = bytes([0x88, flags]) + content[at + 2 :]
    path.write_bytes(content[:at] + damaged)
    with pytest.raises((Corrupt, Truncated)):
        read(path)
    with pytest.raises(Damaged, match="window"):
        inflated(damaged, 10_000)
    with pytest.raises(Damaged, match="window"):
        inflated_length([b"", damaged[:1], damaged[1:]], 10_000)


def zlib_fails(stream):
    """Whether bytes do not begin with a whole zlib stream."""
    try:
        inflating = zlib.decompressobj()
        inflating.decompress(stream)
    except zlib.error:
        return True
    return not inflating.eof


# A host's Pillow


class Watched(ModuleType):
    """A module that keeps a record of what is set in it, at any moment and by any thread."""

    def __setattr__(self, name, value):
        self.__dict__.setdefault("_was_set", []).append(name)
        super().__setattr__(name, value)


@pytest.fixture
def watched(monkeypatch):
    """Watch Pillow's modules, whose settings are those of a careful host."""
    from PIL import Image, ImageFile

    Image.preinit()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    monkeypatch.setattr(Image, "OPEN", {})
    monkeypatch.setattr(Image, "DECODERS", {"zip": None})
    for module in (Image, ImageFile):
        module.__class__ = Watched
        module._was_set = []
    yield Image, ImageFile
    for module in (Image, ImageFile):
        del module._was_set
        module.__class__ = ModuleType


@pytest.mark.parametrize("decoder", ["_rows", "_plain_rows"])
@pytest.mark.parametrize("is_interlaced", [True, False])
def test_b8(tmp_path, watched, monkeypatch, decoder, is_interlaced):
    """Six threads scoring a large interlaced PNG: Pillow's bomb guard stays off in the host process; must:
    nothing of the host's is changed. Nor does what the host has set change what is read.
    """
    rows = pytest.importorskip(f"dicecli.masks.formats.png.{decoder}", exc_type=ImportError)
    monkeypatch.setattr(_pixels, "_rows", lambda: rows)
    sides = blobs((700, 900), 4), blobs((700, 900), 4, seed=1)
    paths = tmp_path / "prediction.png", tmp_path / "reference.png"
    for path, labels in zip(paths, sides, strict=True):
        path.write_bytes(raw_png(labels, is_interlaced=is_interlaced))
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: counts(scored(*paths)), range(6)))
    assert [brute(*sides)] * 6 == found
    image, file = watched
    assert [[], []] == [image._was_set, file._was_set]
    assert (1000, True) == (image.MAX_IMAGE_PIXELS, file.LOAD_TRUNCATED_IMAGES)


@pytest.mark.parametrize("is_interlaced", [True, False])
def test_a_host_that_reads_what_is_cut_off_gets_no_number_of_it(tmp_path, watched, is_interlaced):
    """A host's LOAD_TRUNCATED_IMAGES is for its own images: of a mask that is cut off it makes no number."""
    assert watched
    whole = raw_png(LABELS, is_interlaced=is_interlaced)
    short = chunk(b"IDAT", PIXELS[:-6])
    path = tmp_path / "a.png"
    path.write_bytes(whole[: whole.index(b"IDAT") - 4] + short + END)
    with pytest.raises((Corrupt, Truncated)):
        read(path)
