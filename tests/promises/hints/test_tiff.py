"""Hints on GeoTIFF, its bands and its pages, followed to the letter."""

from __future__ import annotations

import io
import struct

import make
import numpy as np
import pytest
from faults import LABELS, OTHER
from following import DICE, PREDICTION, REFERENCE, Table, dice

from dicecli.masks.formats.geotiff import _directories, _header, _layout, _pages
from dicecli.masks.inflate import Damaged

TABLE = Table(
    "tiff",
    unfollowed={
        "masks.formats.geotiff._header._check_block: It is cut off": "damaged headers alone come there: tests/promises/test_damage.py",
        "masks.formats.geotiff._layout._check_block: It is cut off": "likewise: tests/masks/formats/geotiff/test_stacks.py",
        "masks.formats.geotiff._directories.raw: Save it again.": "what asks for an entry looks at its type before",
        "masks.formats.geotiff._blocks._bytes: Fetch or save": "a file that shrinks as it is read",
        "masks.formats.geotiff.colours._strange: Score it once": "a file that changes as it is read",
    },
)
_EXPECTED = dice(OTHER, LABELS)
_SCORE = "score p.tif r.tif"
P = (PREDICTION * 0.5 + 0.25).astype("f4")
PLAIN = {"transform": None, "crs": None}


def written(scene, prediction=OTHER, reference=LABELS, **options):
    """Write ``p.tif``, with options, and ``r.tif``."""
    make.geotiff(scene.folder / "p.tif", prediction, **options)
    make.geotiff(scene.folder / "r.tif", reference)


def stack(path, *pages, **options):
    """Write pages with GDAL."""
    path.unlink(missing_ok=True)
    for number, page in enumerate(pages):
        more = {"append_subdataset": True} if number else {}
        make.geotiff(path, page, **PLAIN, **options, **more)


def stacks(scene, **options):
    """Write two volumes of two pages each: Dice is that of both together."""
    stack(scene.folder / "p.tif", PREDICTION, REFERENCE, **options)
    stack(scene.folder / "r.tif", REFERENCE, REFERENCE)


#: Of both pages: 2 · 4 / (5 + 4).
BOTH = 8 / 9


def put(content):
    return lambda path: path.write_bytes(content)


def jpeg():
    """Return the bytes of a real JPEG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(OTHER).save(file, format="JPEG")
    return file.getvalue()


def patched(tag, value, page=0):
    """Return what writes another value into an entry of a page's directory."""

    def change(path):
        data = bytearray(path.read_bytes())
        (at,) = struct.unpack_from("<I", data, 4)
        for _ in range(page):
            (entries,) = struct.unpack_from("<H", data, at)
            (at,) = struct.unpack_from("<I", data, at + 2 + 12 * entries)
        (entries,) = struct.unpack_from("<H", data, at)
        if tag == "next":
            struct.pack_into("<I", data, at + 2 + 12 * entries, value(data))
        for number in range(entries):
            entry = at + 2 + 12 * number
            if struct.unpack_from("<H", data, entry)[0] == tag:
                struct.pack_into("<I", data, entry + 8, value(data))
        path.write_bytes(data)

    return change


def long_entry(path):
    """Let an entry of the second page have more values than the file has bytes."""
    data = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, at)
    (at,) = struct.unpack_from("<I", data, at + 2 + 12 * entries)
    struct.pack_into("<I", data, at + 2 + 12 * _place(data, at, 273) + 4, 1 << 20)
    path.write_bytes(data)


def two_widths(path):
    """Let the width of the second page be two numbers."""
    data = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, at)
    (at,) = struct.unpack_from("<I", data, at + 2 + 12 * entries)
    struct.pack_into("<I", data, at + 2 + 12 * _place(data, at, 256) + 4, 2)
    path.write_bytes(data)


def strange_codes(path):
    """Let the one strip of CCITT hold codes that make no sense."""
    make.geotiff(path, OTHER, nbits=1, compress="ccittfax4")
    data = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<I", data, 4)
    start, length = (
        struct.unpack_from("<I", data, at + 2 + 12 * _place(data, at, tag) + 8)[0] for tag in (273, 279)
    )
    data[start : start + length] = b"\x7f" * length
    path.write_bytes(data)


def _place(data, at, tag):
    (entries,) = struct.unpack_from("<H", data, at)
    return next(n for n in range(entries) if struct.unpack_from("<H", data, at + 2 + 12 * n)[0] == tag)


#: The hint, whether it is of pages, and what damages the good file so that it is made.
DAMAGED = [
    ("_gdal.closed_off: Fetch or save", False, lambda path: path.write_bytes(path.read_bytes()[:-60])),
    ("_gdal.reading_fax: Fetch or save", False, strange_codes),
    ("_header.opened: Give a TIFF file", False, put(b"this is a note\n")),
    ("_header.opened: Give a TIFF file", False, put(jpeg())),
    ("_header.dtype: Save the mask as integers.", False, lambda path: make.geotiff(path, OTHER.astype("c8"))),
    ("_header.changed_by: Labels need a lossless", False, lambda path: make.geotiff(path, OTHER, compress="jpeg")),
    ("_directories.walk: Save it again", True, patched("next", lambda data: struct.unpack_from("<I", data, 4)[0], 1)),
    ("_directories.read: It is cut off", True, patched("next", lambda _: 1 << 31, 1)),
    ("_directories.raw: It is cut off", True, long_entry),
    ("_directories.number: Save it again.", True, two_widths),
    ("_pages._layout: It is damaged", True, patched(257, lambda _: 0, 1)),
    ("_blocks._looked_up: It is cut off", True, patched(273, lambda _: 1 << 30, 1)),
    ("_blocks._looked_up: Save it again.", True, patched(278, lambda _: 1, 1)),
    ("_blocks._short: Fetch or save it again.", True, patched(279, lambda _: 3, 1)),
]  # fmt: skip


@TABLE(*dict.fromkeys(f"masks.formats.geotiff.{word}" for word, _, _ in DAMAGED))
def a_damaged_file(scene):
    """Put the good file in its place, which gives the right number."""
    for word, is_stack, damage in DAMAGED:
        if scene.place.name.startswith(f"masks.formats.geotiff.{word}"):
            stacks(scene) if is_stack else written(scene)
            good = (scene.folder / "p.tif").read_bytes()
            damage(scene.folder / "p.tif")
            scene.refused(_SCORE)
            (scene.folder / "p.tif").write_bytes(good)
            scene.right(BOTH if is_stack else _EXPECTED, _SCORE)


@TABLE(
    "masks.formats.geotiff._band.check_deflate: Save it again",
    "masks.formats.geotiff._band.check_deflate: Fetch or save",
)
def a_deflate_block_that_is_damaged(scene):
    """GDAL itself looks at checksums where it was built so; here it is as if it had not."""

    def damaged(*_):
        raise Damaged("its checksum does not hold")

    written(scene, OTHER.astype(np.int16), LABELS.astype(np.int16), compress="deflate")
    found = {
        "Save it": [lambda _, most: (most + 1, True)],
        "Fetch or": [damaged, lambda _, most: (most, False)],
    }
    for what in next(each for words, each in found.items() if words in scene.place.name):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dicecli.masks.formats.geotiff._band.inflated_length", what)
            scene.refused(_SCORE)
    written(scene, OTHER.astype(np.int16), LABELS.astype(np.int16), compress="deflate")
    scene.right(_EXPECTED, _SCORE)


@TABLE(
    "masks.formats.geotiff._gdal.closed_off: Save it again with a text",
    "masks.formats.geotiff._gdal.closed_off: Save it with tiles.",
)
def what_rasterio_cannot_take(scene):
    written(scene)
    error = (
        MemoryError() if "tiles" in scene.place.name else UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")
    )
    with pytest.MonkeyPatch.context() as patch:

        def fails(*_, **__):
            raise error

        patch.setattr("dicecli.masks.formats.geotiff._reopened._begin", fails)
        scene.refused(_SCORE)
    written(scene, tiled=True, blockxsize=16, blockysize=16)
    scene.right(_EXPECTED, _SCORE)


@TABLE("masks.formats.geotiff._header.check_bands: Save those that are meant alone;")
def more_bands_than_classes(scene):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_header, "MAX_BANDS", 2)
        written(scene, np.stack([OTHER] * 3))
        scene.refused(_SCORE)
        written(scene)
        scene.right(_EXPECTED, _SCORE)


@TABLE(
    "masks.formats.geotiff._header.check_blocks: Save it with tiles: gdal_translate",
    "masks.formats.geotiff._layout._check_block: Save it with tiles, or with",
)
def one_block_that_is_large(scene):
    large = make.blobs((64, 64)), make.blobs((64, 64), seed=1)
    pages = 2 if "_layout" in scene.place.name else 1
    with pytest.MonkeyPatch.context() as patch:
        for module in (_header, _layout):
            patch.setattr(module, "MAX_BLOCK_BYTES", 512)
        for options in (
            {"blockysize": 64},
            {"tiled": True, "blockxsize": 16, "blockysize": 16},
            {"blockysize": 4},
        ):
            for side, array in zip("pr", large, strict=True):
                stack(scene.folder / f"{side}.tif", *[array] * pages, compress="deflate", **options)
            if options == {"blockysize": 64}:
                scene.refused(_SCORE)
            else:
                scene.right(dice(*large), _SCORE)


@TABLE("masks.formats.geotiff.masks._many: If each band is the score")
def bands_of_several_kinds(scene):
    """Scores, probabilities, and labels beside something else: each as it says."""
    for p in (np.stack([1 - P, P]), np.stack([2 - P * 4, P * 4 - 2])):
        written(scene, p.astype("f4"), REFERENCE)
        scene.refused(_SCORE)
        scene.right(DICE, f"{_SCORE} --argmax")
    written(scene, np.stack([1 - P, P]), REFERENCE)
    scene.right(DICE, "soft p.tif r.tif", number="dice_argmax[1]")
    written(scene, np.stack([OTHER + np.uint8(9), OTHER]))
    scene.refused(_SCORE)
    scene.right(_EXPECTED, f"{_SCORE} --band 2")


_COLOURS = np.array([[0, 0, 0], [128, 64, 128]], np.uint8)


def colours(labels):
    return np.moveaxis(_COLOURS[labels], -1, 0)


@TABLE("masks.formats.geotiff.masks._many: If they are colours, give a")
def colours_of_more_than_8_bits(scene):
    """Paste the table, which is an error that names what it lacks; with it, and as bands of their own."""
    written(scene, colours(PREDICTION).astype(np.uint16), REFERENCE, photometric="rgb")
    hint = scene.refused(_SCORE)
    scene.text("FILE", hint[hint.index("{") : hint.rindex("}") + 1])
    scene.refused_again(f"{_SCORE} --labels ./FILE")
    table = {"labels": {"0": "rest", "1": "road"}, "colours": {"0": "#000000", "1": "#804080"}}
    scene.text("FILE", table)
    written(scene, colours(PREDICTION), REFERENCE, photometric="rgb")
    scene.right(DICE, f"{_SCORE} --labels ./FILE")
    written(scene, np.stack([1 - P, P]), REFERENCE, photometric="minisblack", alpha="no")
    scene.right(DICE, f"{_SCORE} --argmax")


@TABLE("masks.formats.geotiff.masks._band: Give --band from 1 to")
def a_band_that_there_is_not(scene):
    written(scene, np.stack([OTHER + np.uint8(7), OTHER]))
    scene.refused(f"{_SCORE} --band 3")
    scene.right(_EXPECTED, f"{_SCORE} --band 2")


@TABLE("masks.formats.geotiff.masks._band: Its labels are in band")
def the_alpha_band(scene):
    alpha = np.full(OTHER.shape, 255, np.uint8)
    written(scene, np.stack([OTHER, alpha]), alpha="yes")
    hint = scene.refused(f"{_SCORE} --band 2")
    band = hint.removeprefix("Its labels are in band ").partition(".")[0]
    scene.right(_EXPECTED, f"{_SCORE} --band {band}")
    written(scene, alpha // 255, np.minimum(LABELS, 1))
    scene.right(dice(alpha // 255, np.minimum(LABELS, 1)), _SCORE)


@TABLE("masks.formats.geotiff.colours.__init__: Save them with 8 bits a")
def colours_of_16_bits(scene):
    table = {"labels": {"0": "rest", "1": "road"}, "colours": {"0": "#000000", "1": "#804080"}}
    scene.text("l.json", table)
    written(scene, colours(PREDICTION).astype(np.uint16) * 257, REFERENCE, photometric="rgb")
    scene.refused(f"{_SCORE} --labels l.json")
    written(scene, colours(PREDICTION), REFERENCE, photometric="rgb")
    scene.right(DICE, f"{_SCORE} --labels l.json")
    written(scene, PREDICTION, REFERENCE)
    scene.right(DICE, f"{_SCORE} --labels l.json")


@TABLE("masks.formats.geotiff.colours.colours_of: Read one of them: --band 1.")
def grey_in_three_bands(scene):
    written(scene, np.stack([OTHER] * 3), photometric="rgb")
    hint = scene.refused(_SCORE)
    scene.right(_EXPECTED, f"{_SCORE} {hint[hint.index('--') :].rstrip('.')}")


@TABLE("masks.formats.geotiff.colours.colours_of: If each band is the mask")
def one_hot_bands_that_are_called_colours(scene):
    written(
        scene,
        np.stack([1 - PREDICTION, PREDICTION, PREDICTION * 0]) * np.uint8(255),
        REFERENCE,
        photometric="rgb",
    )
    hint = scene.refused(_SCORE)
    scene.right(DICE, f"{_SCORE} --argmax")
    # As colours, and with the numbers that are wanted.
    assert "#ff0000" in hint
    wanted = {"0": "#ff0000", "1": "#00ff00"}
    scene.text("FILE", {"labels": wanted, "colours": wanted})
    scene.right(DICE, f"{_SCORE} --labels ./FILE")


def with_alpha(path, labels, alpha):
    make.geotiff(path, np.stack([labels, alpha]), alpha="yes")


_SHOWS = np.where(PREDICTION == REFERENCE, 255, 0).astype(np.uint8)


@TABLE("masks.formats.geotiff._hidden._hidden: Save it with 0 and")
def half_hidden_pixels(scene):
    written(scene, PREDICTION, REFERENCE)
    with_alpha(scene.folder / "r.tif", REFERENCE, np.where(_SHOWS, 255, 128).astype(np.uint8))
    scene.refused(_SCORE)
    scene.right(DICE, f"{_SCORE} --nodata label")
    with_alpha(scene.folder / "r.tif", REFERENCE, _SHOWS)
    scene.right(1.0, _SCORE)


@TABLE("masks.formats.geotiff._hidden.cover: what its … hides is nodata;")
def hidden_pixels(scene):
    written(scene, PREDICTION, REFERENCE)
    with_alpha(scene.folder / "r.tif", REFERENCE, _SHOWS)
    scene.noted(_SCORE)
    scene.right(DICE, f"{_SCORE} --nodata label")


@TABLE("masks.formats.geotiff._hidden._probabilities: If NaN marks missing pixels: --nodata")
def nan_that_no_mask_hides(scene):
    import rasterio

    lost = P.copy()
    lost[0, 1] = np.nan
    written(scene, lost, REFERENCE)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(scene.folder / "p.tif", "r+") as dataset:
        dataset.write_mask(np.array([[0, 1, 1], [1, 1, 1]], bool))
    scene.refused("soft p.tif r.tif")
    scene.right(1.0, "soft p.tif r.tif --nodata ignore", number="dice_at_half[1]")


@TABLE("masks.formats.geotiff._grid.grid: Save it again with the transform")
def a_place_that_is_none(scene):
    """Put the transform of the image into it, or compare by index."""
    written(scene, transform=(0.0, 0.0, 1.0, 0.0, 0.0, 1.0))
    scene.refused(_SCORE)
    scene.right(_EXPECTED, f"{_SCORE} --geometry ignore")
    written(scene)
    scene.right(_EXPECTED, _SCORE)


# Pages.


@TABLE(
    "masks.formats.geotiff._directories.walk: Save it in parts of fewer",
    "masks.formats.geotiff._layout.check_layouts: Save them all with one",
)
def more_pages_than_are_read(scene):
    with pytest.MonkeyPatch.context() as patch:
        if "walk" in scene.place.name:
            patch.setattr(_directories, "MOST_DIRECTORIES", 2)
            stack(scene.folder / "p.tif", *[PREDICTION] * 3)
        else:
            patch.setattr(_layout, "_MOST_LAYOUTS", 1)
            stack(scene.folder / "p.tif", PREDICTION)
            make.geotiff(
                scene.folder / "p.tif", REFERENCE, **PLAIN, compress="deflate", append_subdataset=True
            )
        stack(scene.folder / "r.tif", REFERENCE, REFERENCE)
        scene.refused(_SCORE)
        stacks(scene)
        scene.right(BOTH, _SCORE)


@TABLE("masks.formats.geotiff._pages._check_alike: Say which one holds the labels:")
def pages_that_differ(scene):
    stack(scene.folder / "p.tif", OTHER, PREDICTION)
    stack(scene.folder / "r.tif", REFERENCE)
    scene.refused(_SCORE)
    scene.right(DICE, f"{_SCORE} --page 2")


@TABLE("masks.formats.geotiff.stacks._check_page: Give --page from 1 to")
def a_page_that_there_is_not(scene):
    stacks(scene)
    scene.refused(f"{_SCORE} --page 3")
    scene.right(DICE, f"{_SCORE} --page 1")


@TABLE(
    "masks.formats.geotiff.stacks._one_page: it has one page, which",
    "masks.formats.geotiff._page_mask._describe: its pages have one band",
)
def an_option_for_the_other_file(scene):
    """Take the option for the file that it is meant for; this one is read as ever."""
    scene.hint = scene.place.text
    if "page, which" in scene.place.name:
        stack(scene.folder / "p.tif", REFERENCE, PREDICTION)
        stack(scene.folder / "r.tif", REFERENCE)
        scene.noted(f"{_SCORE} --page 2")
        scene.right(DICE, f"{_SCORE} --page 2")
    else:
        stacks(scene)
        scene.noted(f"{_SCORE} --band 2")
        scene.right(BOTH, f"{_SCORE} --band 2")


@TABLE("masks.formats.geotiff._pages._deep: Save it with a page for")
def one_directory_for_slices(scene):
    stacks(scene)
    entries = [(258, 3, 8), (277, 3, 1), (278, 4, 2), (273, 4, 200), (279, 4, 6), (32997, 4, 2)]
    make.tiff(scene.folder / "p.tif", (3, 2), entries, bytes(300))
    scene.refused(_SCORE)
    stacks(scene)
    scene.right(BOTH, _SCORE)
    for side, pages in (("p", (PREDICTION, REFERENCE)), ("r", (REFERENCE, REFERENCE))):
        scene.nii(f"{side}.nii.gz", np.stack(pages, -1))
    scene.right(BOTH, "score p.nii.gz r.nii.gz")


_VOLUME = np.stack([PREDICTION, REFERENCE])


@TABLE("masks.formats.geotiff._pages._fewer: Fetch or save it again. If")
def a_description_of_more(scene):
    stack(scene.folder / "r.tif", REFERENCE, REFERENCE)
    make.tiff_run(scene.folder / "p.tif", _VOLUME, "ImageJ=1.54f\nimages=3\n")
    scene.refused(_SCORE)
    make.tiff_run(scene.folder / "p.tif", _VOLUME, "ImageJ=1.54f\nimages=2\n")
    scene.right(BOTH, _SCORE)
    make.tiff_run(scene.folder / "p.tif", _VOLUME[:1], "ImageJ=1.54f\nimages=2\n")
    stack(scene.folder / "r.tif", REFERENCE)
    scene.refused(_SCORE)
    scene.right(DICE, f"{_SCORE} --page 1")


@TABLE("masks.formats.geotiff._pages._run: Save it in parts.")
def one_directory_for_too_many(scene):
    stack(scene.folder / "r.tif", REFERENCE, REFERENCE)
    make.tiff_run(scene.folder / "p.tif", np.concatenate([_VOLUME] * 2), "ImageJ=1.54f\nimages=4\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_pages, "MOST_DIRECTORIES", 3)
        scene.refused(_SCORE)
        make.tiff_run(scene.folder / "p.tif", _VOLUME, "ImageJ=1.54f\nimages=2\n")
        scene.right(BOTH, _SCORE)


@TABLE(
    "masks.formats.geotiff._pages._contradicted: Save one volume per file, as",
    "masks.formats.geotiff.stacks._check_times: Save each time",
    "masks.formats.geotiff.stacks._channels: If each is the probability",
)
def pages_of_several_kinds(scene):
    """Read one page of what is no volume, or the probabilities; or save slices without a word on them."""
    said = {
        "_contradicted": "ImageJ=1.54f\nimages=2\nslices=2\nchannels=3\n",
        "_check_times": "ImageJ=1.54f\nimages=2\nframes=2\n",
        "_channels": "ImageJ=1.54f\nimages=2\nchannels=2\n",
    }[scene.place.function]
    stack(scene.folder / "r.tif", REFERENCE)
    make.tiff_run(scene.folder / "p.tif", _VOLUME, said)
    scene.refused(_SCORE)
    scene.right(DICE, f"{_SCORE} --page 1")
    if scene.place.function == "_check_times":
        for side, array in (("p", PREDICTION), ("r", REFERENCE)):
            (scene.folder / side).mkdir()
            make.geotiff(scene.folder / side / "time1.tif", array)
        scene.right(DICE, "batch p r")
    if scene.place.function == "_channels":
        make.tiff_run(scene.folder / "p.tif", np.stack([1 - P, P]), said)
        scene.right(DICE, "soft p.tif r.tif", number="dice_argmax[1]")
    stacks(scene)
    scene.right(BOTH, _SCORE)


@TABLE("masks.formats.geotiff._page_mask.check_masks: Count what they cover as any")
def pages_with_masks(scene):
    import rasterio

    stack(scene.folder / "r.tif", REFERENCE, REFERENCE)
    path = scene.folder / "p.tif"
    make.geotiff(path, PREDICTION)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(np.ones(PREDICTION.shape, bool))
    make.geotiff(path, REFERENCE, **PLAIN, append_subdataset=True)
    scene.refused(_SCORE)
    scene.right(BOTH, f"{_SCORE} --nodata label")
    path.unlink()
    stack(path, PREDICTION)
    stack(scene.folder / "r.tif", REFERENCE)
    scene.right(DICE, _SCORE)


@TABLE("masks.formats.geotiff._page_mask._nodata: Take it for none: --nodata label.")
def nodata_that_is_no_number(scene):
    stacks(scene, nodata=7)
    path = scene.folder / "p.tif"
    path.write_bytes(path.read_bytes().replace(b"7\0", b"x\0"))
    data = bytearray(path.read_bytes())
    at = struct.unpack_from("<I", data, 4)[0]
    for _ in range(2):
        entry = at + 2 + 12 * _place(data, at, 42113)
        data[entry + 8 : entry + 10] = b"x\0"
        (entries,) = struct.unpack_from("<H", data, at)
        (at,) = struct.unpack_from("<I", data, at + 2 + 12 * entries)
    path.write_bytes(data)
    scene.refused(_SCORE)
    scene.right(BOTH, f"{_SCORE} --nodata label")


@pytest.mark.parametrize("place", TABLE.places(), ids=lambda place: place.name)
def test_a_hint_leads_to_a_right_number_or_a_further_error(place, tmp_path):
    TABLE.follow(place, tmp_path)


def test_every_scenario_is_of_a_hint_that_is_there():
    assert TABLE.stale() == []
