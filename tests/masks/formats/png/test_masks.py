"""PNG masks: what is a label in them, what is refused, and that no number comes from a damaged one."""

from __future__ import annotations

import os
import struct
import zlib

import numpy as np
import pytest
from make import PNG_MAGIC, blobs, brute, chunk, counts, notes, png, png_of, raw_png, read, scored

from dicecli.errors import (
    CaseError,
    Corrupt,
    EmptyFile,
    FileError,
    Missing,
    NotARegularFile,
    NotLabels,
    TooLarge,
    Truncated,
    UnknownColour,
    UnknownFormat,
)
from dicecli.masks.formats.png import _pixels as _png_pixels


@pytest.fixture(params=["_rows", "_plain_rows"], autouse=True)
def decoder(request, monkeypatch):
    """Whatever is promised here holds for the C extension and for its twin."""
    rows = pytest.importorskip(
        f"dicecli.masks.formats.png.{request.param}",
        reason="the C extension is not built",
        exc_type=ImportError,
    )
    monkeypatch.setattr(_png_pixels, "_rows", lambda: rows)


LABELS = blobs((21, 30), 4)
#: Grey values of these colours are far from their indices: 0, 76, 149, 29.
PALETTE = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]
TABLE = {"labels": {"0": "ground", "1": "road"}, "colours": {"0": [0, 0, 0], "1": [128, 64, 128]}}


def coloured(labels: np.ndarray, road: tuple[int, int, int] = (128, 64, 128)) -> np.ndarray:
    return np.where((labels == 1)[..., np.newaxis], np.array(road, np.uint8), np.uint8(0))


# What a label is.


def test_palette_keeps_its_indices(tmp_path):
    """A palette file's labels are its indices, whatever its colours; never their grey values."""
    path = png(tmp_path / "a.png", LABELS, palette=PALETTE)
    assert LABELS.tolist() == read(path).tolist()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palette_of_few_bits_keeps_its_indices(tmp_path, bits):
    """A palette file packed into 1, 2 or 4 bits a pixel has the same labels as one of 8 bits."""
    labels = LABELS % min(4, 2**bits)
    path = png(tmp_path / "a.png", labels, palette=(PALETTE * 64)[: 3 * 2**bits], bits=bits)
    assert bits == path.read_bytes()[24], "the bit depth that the header of the file gives"
    assert labels.tolist() == read(path).tolist()


def test_palette_with_transparency_keeps_its_indices(tmp_path):
    """A transparent colour of a palette is a label like any other."""
    path = png(tmp_path / "a.png", LABELS, palette=PALETTE, transparency=0)
    assert LABELS.tolist() == read(path).tolist()


def test_1_bit_is_0_and_1(tmp_path):
    """A 1-bit file holds the labels 0 and 1, not 0 and 255."""
    labels = LABELS % 2
    path = png(tmp_path / "a.png", labels.astype(bool))
    assert labels.tolist() == read(path).tolist()


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_grey_of_any_depth_gives_its_samples(tmp_path, depth):
    """Grey of 1 to 16 bits gives the stored samples, not values stretched to 255."""
    rng = np.random.default_rng(depth)
    samples = rng.integers(0, 2**depth, (13, 19), dtype=np.uint16)
    samples[0, :2] = 0, 2**depth - 1
    path = tmp_path / "a.png"
    path.write_bytes(raw_png(samples, depth=depth))
    assert samples.tolist() == read(path).tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_written_by_pillow_is_labels(tmp_path, dtype):
    """8-bit and 16-bit grey as Pillow writes it gives the labels that went in, 300 and 65,535 among them."""
    labels = LABELS.astype(dtype)
    labels[0, :3] = (7, 200, 255) if dtype == np.uint8 else (300, 40_000, 65_535)
    path = png(tmp_path / "a.png", labels)
    assert labels.tolist() == read(path).tolist()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_grey_in_another_mode_is_grey_with_a_note(tmp_path, mode):
    """Grey stored as RGB, or with a constant alpha, is read as the grey it is, and a note says so."""
    path = png(tmp_path / "a.png", LABELS, mode=mode)
    assert LABELS.tolist() == read(path).tolist()
    assert any("grey" in note for note in notes(path))
    assert ("A" in mode) == any("alpha" in note for note in notes(path))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_varying_alpha_is_refused(tmp_path, mode):
    """An alpha channel that varies is an error that says so: nobody knows what half a label means."""
    from PIL import Image

    image = Image.fromarray(LABELS).convert(mode)
    image.putalpha(Image.fromarray((LABELS * 60).astype(np.uint8)))
    image.save(tmp_path / "a.png")
    with pytest.raises(NotLabels, match="alpha channel varies"):
        read(tmp_path / "a.png")


def test_every_route_to_one_matrix(tmp_path):
    """One mask stored as palette, 1 to 16 bits of grey, RGB and interlaced scores exactly alike."""
    labels, prediction = LABELS % 2, blobs(LABELS.shape, 2, seed=1)
    reference = png(tmp_path / "reference.png", labels, palette=PALETTE)
    expected = brute(prediction, labels)
    path = tmp_path / "prediction.png"
    for depth in (1, 2, 4, 8, 16):
        path.write_bytes(raw_png(prediction, depth=depth, is_interlaced=depth > 2))
        assert expected == counts(scored(path, reference))
    assert expected == counts(scored(png(path, prediction, mode="RGB"), reference))
    assert expected == counts(scored(png(path, prediction, mode="LA"), reference))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 5), (8, 8), (13, 19)])
@pytest.mark.parametrize("depth", [1, 2, 8, 16])
def test_interlaced_equals_not_interlaced(tmp_path, shape, depth):
    """An interlaced file gives the same labels as its plain twin, also where some passes are empty."""
    samples = np.random.default_rng(5).integers(0, 2**depth, shape, dtype=np.uint16)
    path, twin = tmp_path / "a.png", tmp_path / "b.png"
    path.write_bytes(raw_png(samples, depth=depth, is_interlaced=True))
    twin.write_bytes(raw_png(samples, depth=depth))
    assert samples.tolist() == read(path).tolist() == read(twin).tolist()


# Colours.


def test_colours_without_a_table_are_refused(tmp_path):
    """A colour-coded image without a colour table is an error that says how to give one."""
    path = png(tmp_path / "a.png", coloured(LABELS))
    with pytest.raises(UnknownColour, match="colour table") as caught:
        read(path)
    assert "colours" in caught.value.hint


@pytest.mark.parametrize("alpha", [None, 255, 0])
def test_colours_are_labels_by_the_table(tmp_path, alpha):
    """With a colour table each colour is its label; a constant alpha changes nothing."""
    colours = coloured(LABELS)
    if alpha is not None:
        colours = np.dstack([colours, np.full(LABELS.shape, alpha, np.uint8)])
    path = png(tmp_path / "a.png", colours)
    assert (LABELS == 1).astype(int).tolist() == read(path, labels=TABLE).tolist()


def test_black_and_grey_colours_follow_the_table_too(tmp_path):
    """Where a table is given, an RGB image whose colours happen to be grey is read by the table as well."""
    table = {"labels": {"3": "a", "5": "b"}, "colours": {"3": [0, 0, 0], "5": "#0a0a0a"}}
    path = png(tmp_path / "a.png", (LABELS == 1).astype(np.uint8) * 10, mode="RGB")
    assert np.where(LABELS == 1, 5, 3).tolist() == read(path, labels=table).tolist()


def test_unknown_colour_is_named_with_its_share_and_the_nearest(tmp_path):
    """The error for a colour that the table lacks names it, its share of the pixels, and the nearest one."""
    colours = np.zeros((10, 10, 3), np.uint8)
    colours[0, :7] = 130, 64, 128
    colours[9, 9] = 250, 250, 250
    path = png(tmp_path / "a.png", colours)
    with pytest.raises(UnknownColour) as caught:
        read(path, labels=TABLE)
    for part in ("#824080", "(130, 64, 128)", "7.00%", "(128, 64, 128)", "label 1", "1 more colour"):
        assert part in str(caught.value)


def test_16_bit_colours_are_refused(tmp_path):
    """Colours of 16 bits are an error: they would lose half their digits on the way to a table."""
    path = tmp_path / "a.png"
    path.write_bytes(raw_png(np.zeros((4, 4, 3), np.uint16), depth=16, colour=2))
    with pytest.raises(NotLabels, match="16 bit"):
        read(path)


def test_palette_index_outside_the_palette_is_noted(tmp_path):
    """An index beyond the palette stays the label that it is, and a note says that it has no colour."""
    path = tmp_path / "a.png"
    path.write_bytes(raw_png(LABELS, colour=3, palette=bytes(PALETTE[:9])))
    assert LABELS.tolist() == read(path).tolist()
    assert notes(path) == ["label 3 lies outside its palette of 3 colours"]


# What is not a mask.


def test_animated_png_is_refused(tmp_path):
    """An animation is an error, not its first frame."""
    from PIL import Image

    frames = [Image.fromarray(blobs((9, 9), 4, seed)) for seed in range(3)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.raises(CaseError, match=r"animat"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "JPEG"),
        (b"GIF89a\x05\0\x05\0", "GIF"),
        (b"label,count\n1,20\n", "text"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "HTML"),
        (b"\n<html><body>404</body></html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "Git LFS pointer"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"\x89PNG\n\x1a\n\0\0\0\rIHDR", "text mode"),
        (b"<VRTDataset rasterXSize='2' rasterYSize='2'/>", "VRT"),
        (bytes(range(128, 250)), "binary data"),
    ],
)
def test_other_content_named_png_is_refused_and_named(tmp_path, content, found):
    """What is not PNG inside is an error that says what it looks like and which file it is."""
    path = tmp_path / "mask.png"
    path.write_bytes(content)
    with pytest.raises(UnknownFormat, match=found) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("format_name", ["JPEG", "GIF", "WEBP", "TIFF", "BMP"])
def test_a_real_image_of_another_format_is_refused(tmp_path, format_name):
    """Pillow could read these; only PNG inside a .png is read all the same."""
    from PIL import Image

    Image.fromarray(LABELS).convert("L").save(tmp_path / "a.png", format=format_name)
    with pytest.raises(UnknownFormat):
        read(tmp_path / "a.png")


def test_an_empty_file_is_its_own_error(tmp_path):
    """0 bytes are EmptyFile, which asks whether the file was ever written."""
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(EmptyFile):
        read(tmp_path / "a.png")


def test_a_missing_file_is_its_own_error(tmp_path):
    """A path that leads nowhere is Missing."""
    with pytest.raises(Missing):
        read(tmp_path / "a.png")


def test_a_folder_with_a_masks_name_is_refused(tmp_path):
    """A folder named like a mask is NotARegularFile."""
    (tmp_path / "a.png").mkdir()
    with pytest.raises(NotARegularFile, match="folder"):
        read(tmp_path / "a.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_with_a_masks_name_does_not_hang(tmp_path):
    """A named pipe is refused without being opened, which would wait for a writer for ever."""
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(NotARegularFile, match="pipe"):
        read(tmp_path / "a.png")


def test_the_error_names_side_and_file(tmp_path):
    """When a pair is scored, the error says which of the two masks it concerns."""
    good = png(tmp_path / "good.png", LABELS)
    bad = tmp_path / "bad.png"
    bad.write_bytes(good.read_bytes()[:-20])
    for side, pair in (("prediction", (bad, good)), ("reference", (good, bad))):
        with pytest.raises(Truncated) as caught:
            scored(*pair)
        assert str(caught.value).startswith(f"{side} {bad}: ")


# Damage.


def test_a_cut_at_any_byte_is_an_error(tmp_path):
    """A PNG cut off anywhere, up to its very last byte, never gives labels."""
    whole = raw_png(LABELS[:9, :9], colour=3, palette=bytes(PALETTE))
    path = tmp_path / "a.png"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FileError):
            read(path)
    path.write_bytes(whole)
    assert LABELS[:9, :9].tolist() == read(path).tolist()


def test_a_flipped_bit_anywhere_is_an_error(tmp_path):
    """Every byte of a PNG is held by its signature, a length or a checksum: none can change unseen."""
    whole = raw_png(LABELS[:9, :9], colour=3, palette=bytes(PALETTE))
    path = tmp_path / "a.png"
    for position in range(len(whole)):
        for bit in (0x01, 0x80):
            damaged = bytearray(whole)
            damaged[position] ^= bit
            path.write_bytes(damaged)
            with pytest.raises(FileError):
                read(path)


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tEXt"])
def test_a_wrong_checksum_is_an_error_that_names_the_chunk(tmp_path, kind):
    """A chunk whose CRC does not hold is Corrupt, and the message names the chunk."""
    whole = bytearray(raw_png(LABELS, colour=3, palette=bytes(PALETTE), before=chunk(b"tEXt", b"Title\0x")))
    start = whole.index(kind)
    (length,) = struct.unpack(">I", whole[start - 4 : start])
    whole[start + 4 + length] ^= 1
    (tmp_path / "a.png").write_bytes(whole)
    with pytest.raises(Corrupt, match=kind.decode()):
        read(tmp_path / "a.png")


def test_without_end_mark_it_is_truncated(tmp_path):
    """All pixels there but no IEND: the file was not written to its end."""
    whole = raw_png(LABELS)
    (tmp_path / "a.png").write_bytes(whole[: -len(chunk(b"IEND", b""))])
    with pytest.raises(Truncated, match="IEND"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no deflate stream",
        zlib.compress(bytes(9 * 8))[:-1],
        zlib.compress(bytes(9 * 8))[:-4] + b"\0\0\0\0",
        zlib.compress(bytes(9 * 8 - 1)),
        zlib.compress(bytes(9 * 4)),
        zlib.compress(b""),
        zlib.compress(b"\x09" * 9 * 8),
    ],
    ids=["none", "no stream", "cut", "wrong adler", "a byte short", "half the rows", "no rows", "no filter"],
)
def test_pixels_that_do_not_fill_the_header_are_an_error(tmp_path, data):
    """Checksums of chunks may hold while the pixels inside are too few or damaged: still no labels."""
    (tmp_path / "a.png").write_bytes(png_of(data))
    with pytest.raises(FileError):
        read(tmp_path / "a.png")


@pytest.mark.parametrize(
    "header",
    [
        {"width": 0},
        {"height": 0},
        {"width": 2**31},
        {"depth": 3},
        {"depth": 16, "colour": 3},
        {"colour": 1},
        {"colour": 3},
    ],
    ids=str,
)
def test_an_impossible_header_is_an_error(tmp_path, header):
    """Sizes, depths and colour types that PNG lacks, or a palette file without palette, are errors."""
    (tmp_path / "a.png").write_bytes(png_of(zlib.compress(bytes(9 * 8)), **header))
    with pytest.raises(FileError):
        read(tmp_path / "a.png")


def test_chunks_in_the_wrong_order_are_an_error(tmp_path):
    """IHDR comes first, or it is no PNG."""
    end = chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(PNG_MAGIC + chunk(b"IDAT", zlib.compress(b"\0\0")) + end)
    with pytest.raises(Corrupt, match="IHDR"):
        read(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(PNG_MAGIC + end)
    with pytest.raises(Corrupt):
        read(tmp_path / "a.png")


def test_a_gigantic_header_is_refused_before_allocation(tmp_path):
    """A header of (2^31 - 1) squared pixels is TooLarge as soon as the file is opened, in no memory."""
    import tracemalloc

    (tmp_path / "a.png").write_bytes(png_of(zlib.compress(bytes(64)), width=2**31 - 1, height=2**31 - 1))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="2,147,483,647"):
            read(tmp_path / "a.png")
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_more_pixels_than_the_data_can_hold_are_refused_at_once(tmp_path):
    """Deflate unpacks to 1,032 times its size at most: a few bytes that claim 2^31 pixels are refused."""
    from dicecli.masks.opening import open_mask

    (tmp_path / "a.png").write_bytes(png_of(zlib.compress(bytes(64)), width=2**16, height=2**15))
    with pytest.raises(FileError):
        open_mask(tmp_path / "a.png")


def test_other_chunks_and_several_data_chunks_change_nothing(tmp_path):
    """Text, gamma and time chunks, and pixels split over many IDAT chunks, give the same labels."""
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in LABELS))
    header = struct.pack(">IIBBBBB", LABELS.shape[1], LABELS.shape[0], 8, 0, 0, 0, 0)
    pieces = b"".join(chunk(b"IDAT", data[start : start + 7]) for start in range(0, len(data), 7))
    others = chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"tEXt", b"Software\0paint")
    path = tmp_path / "a.png"
    path.write_bytes(PNG_MAGIC + chunk(b"IHDR", header) + others + pieces + chunk(b"IEND", b""))
    assert LABELS.tolist() == read(path).tolist()


def test_upper_case_suffix_is_png_too(tmp_path):
    """The suffix is read without regard to case."""
    path = png(tmp_path / "A.PNG", LABELS)
    assert LABELS.tolist() == read(path).tolist()


def test_windows_see_the_same_pixels(tmp_path):
    """Any window of a mask is that part of it."""
    from dicecli.masks.opening import open_mask

    path = png(tmp_path / "a.png", LABELS, palette=PALETTE)
    with open_mask(path) as source:
        assert LABELS[3:9, 11:30].tolist() == source.read((slice(3, 9), slice(11, 30))).tolist()
        assert LABELS[0:1, 0:2].tolist() == source.read((slice(0, 1), slice(0, 2))).tolist()
