"""Hints of the formats, followed to the letter: most say to save or fetch the file again, so that the good file is put back."""

from __future__ import annotations

import errno
import gzip
import io
import struct
import zlib
from types import SimpleNamespace

import faults
import make
import numpy as np
import pytest
from faults import LABELS, OTHER
from following import DICE, PREDICTION, REFERENCE, Table, dice

import dicecli
from dicecli.masks import files, gzipped
from dicecli.masks.formats import npy
from dicecli.masks.formats.nifti import _voxels
from dicecli.masks.formats.png import _chunks

TABLE = Table(
    "formats",
    unfollowed={
        "masks.formats.nifti._voxels._mapped: Check the disk.": "a disk is no program's; tests/masks/formats makes it fail",
    },
)
_EXPECTED = dice(OTHER, LABELS)
P = PREDICTION * 0.5 + 0.25
_HALF = "dice_at_half[1]"


def edited(change):
    """Return what changes the bytes that are there."""
    return lambda path: path.write_bytes(change(path.read_bytes()))


def fields(**options):
    """Return what overwrites fields of a NIfTI header."""
    return lambda path: make.patched(path, **options)


def put(content):
    return lambda path: path.write_bytes(content)


def raw(kind, body):
    """Return what puts a chunk with a right checksum before the pixels of a PNG."""

    def build(path):
        content = path.read_bytes()
        at = content.index(b"IDAT") - 4
        path.write_bytes(content[:at] + make.chunk(kind, body) + content[at:])

    return build


def head(**options):
    """Return what puts another header over the pixels of a PNG."""
    given = {"width": 15, "height": 12, "depth": 8, "colour": 0} | options
    stream = zlib.compress(b"".join(b"\0" + row.tobytes() for row in OTHER))
    return put(make.png_of(stream, **given))


def without(kind):
    """Return what takes every chunk of a kind out of a PNG."""

    def change(content):
        at = content.index(kind) - 4
        return content[:at] + content[at + 12 + int.from_bytes(content[at : at + 4], "big") :]

    return edited(change)


def jpeg():
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(OTHER).save(file, format="JPEG")
    return file.getvalue()


def nifti2(path):
    """Write a volume whose magic is that of no NIfTI: as Analyze 7.5 has none."""
    make.nifti(path, OTHER)
    make.patched(path, magic=b"\0\0\0\0")


def cut_header(path):
    make.nifti(path, OTHER, version=2)
    path.write_bytes(path.read_bytes()[:500])


def own_size(path):
    content = bytearray(path.read_bytes())
    content[:4] = struct.pack("<i", 7)
    path.write_bytes(content)


#: The hint, the suffix, and what damages the good file so that it is made; one or more of each.
DAMAGED = [
    ("nifti._header.read: It is damaged", ".nii", own_size),
    ("nifti._header.read: Give a NIfTI file", ".nii", put(b"this is a note\n")),
    ("nifti._header.read: Convert it to NIfTI.", ".nii", nifti2),
    ("nifti._header.read: Fetch or save it again.", ".nii.gz", put(gzip.compress(b"") * 60_000)),
    ("nifti._header.read: Fetch it again.", ".nii", cut_header),
    ("nifti._header._inflate_start: Fetch it again.", ".nii.gz", edited(lambda each: each[:30])),
    (
        "nifti._header._inflate_start: Fetch it again.",
        ".nii.gz",
        edited(lambda each: each[:10] + b"\xff" * 40),
    ),
    ("nifti._place._axes: The file is damaged", ".nii", fields(dim=(9, 1, 1, 1, 1, 1, 1, 1))),
    ("nifti._header.dtype: Save it again.", ".nii", fields(datatype=77)),
    ("nifti._header.dtype: Save it again.", ".nii", fields(datatype=0)),
    ("nifti._header.dtype: Give a volume", ".nii", fields(intent_code=3001)),
    ("nifti._header.dtype: Save the mask as integers.", ".nii", fields(datatype=32)),
    ("nifti._header.offset: Save it again.", ".nii", fields(vox_offset=7.0)),
    ("nifti._stored._check_size: The file is cut off", ".nii", edited(lambda each: each[:-9])),
    (
        "nifti._stored._check_packing: Save it again",
        ".nii.gz",
        edited(lambda each: each + gzip.compress(b"") * 60_000),
    ),
    ("nifti._stored.trailing: Save it again with", ".nii", edited(lambda each: each + b"123")),
    ("nifti._stored._scaling: Save it again.", ".nii", fields(scl_slope=float("inf"))),
    ("png._chunks.check: Save one image per file.", ".png", raw(b"acTL", bytes(8))),
    ("png._chunks.check: Save it again.", ".png", without(b"IDAT")),
    ("png._chunks.check: It is damaged, or was written", ".png", raw(b"IHDR", bytes(13))),
    ("png._chunks.check: It is damaged, or was written", ".png", raw(b"PLTE", bytes(4))),
    ("png._chunks.check: It is damaged, or was written", ".png", edited(lambda each: each + b"more")),
    ("png._chunks._chunk: It is cut off", ".png", edited(lambda each: each[:-12])),
    ("png._chunks._chunk: It is cut off", ".png", edited(lambda each: each[:-30])),
    ("png._chunks._chunk: It is damaged", ".png", edited(lambda each: each.replace(b"IDAT", b"\1DAT"))),
    (
        "png._chunks._chunk: Fetch or save it again.",
        ".png",
        edited(lambda each: each.replace(b"IDAT", b"iDAT")),
    ),
    ("png._chunks._header: Save it again.", ".png", without(b"IHDR")),
    ("png._chunks._header: Save it again.", ".png", head(depth=3)),
    ("png._chunks._header: Save the labels as 16-bit grey", ".png", head(depth=16, colour=2)),
    ("png._chunks._check_claim: It is cut off or damaged", ".png", head(width=20_000, height=20_000)),
    (
        "png._pixels.decoded: Fetch or save the file",
        ".png",
        put(make.png_of(b"\x78\x9c" + b"\xff" * 90, width=15, height=12)),
    ),
    (
        "png._pixels.decoded: Fetch or save it again.",
        ".png",
        put(make.png_of(zlib.compress(b"\7" * 192), width=15, height=12)),
    ),
    ("png._pixels._check_whole: Save it again.", ".png", head(height=11)),
    ("png._pixels._check_whole: It is cut off", ".png", head(height=13)),
    ("png.masks.open_mask: Give a PNG file", ".png", put(jpeg())),
    ("gzipped._guarded: The file is cut off", ".nii.gz", edited(lambda each: each[:-8])),
    ("gzipped._damaged: Fetch or save", ".nii.gz", edited(lambda each: each[:-7] + b"\7" + each[-6:])),
    (
        "gzipped.read: The file is cut off",
        ".nii.gz",
        edited(lambda each: gzip.compress(gzip.decompress(each)[:-5])),
    ),
]


def places_of(word):
    return f"masks.{word}" if word.startswith("gzipped") else f"masks.formats.{word}"


@TABLE(*dict.fromkeys(places_of(word) for word, _, _ in DAMAGED))
def a_damaged_file(scene):
    """Put the good file in its place, which gives the right number."""
    for word, suffix, damage in DAMAGED:
        if scene.place.name.startswith(places_of(word)):
            # What ends within the first bytes is found before the pixels are read.
            size = (80, 90) if place_is_late(word) else OTHER.shape
            prediction, reference = make.blobs(size, seed=1), make.blobs(size)
            good = faults.write(scene.folder / f"p{suffix}", prediction).read_bytes()
            faults.write(scene.folder / f"r{suffix}", reference)
            damage(scene.folder / f"p{suffix}")
            scene.refused(f"score p{suffix} r{suffix}")
            (scene.folder / f"p{suffix}").write_bytes(good)
            scene.right(dice(prediction, reference), f"score p{suffix} r{suffix}")


def place_is_late(word):
    return word.startswith("gzipped")


@TABLE(
    "masks.formats.png._chunks._header: Save the labels as 16-bit grey",
    "masks.formats.png._chunks.check_size: Save it as a tiled",
)
def another_form(scene):
    """16-bit grey and a palette hold the same labels; so does a tiled GeoTIFF, whatever its size."""
    make.png(scene.folder / "r.png", LABELS)
    if "16-bit" in scene.place.name:
        head(depth=16, colour=2)(scene.folder / "p.png")
        scene.refused("score p.png r.png")
        make.png(scene.folder / "p.png", OTHER.astype(np.uint16))
        scene.right(_EXPECTED, "score p.png r.png")
        make.png(scene.folder / "p.png", OTHER, palette=bytes(range(12)))
        scene.right(_EXPECTED, "score p.png r.png")
        return
    make.png(scene.folder / "p.png", OTHER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_chunks, "MAX_PIXELS", 100)
        scene.refused("score p.png r.png")
        for side, array in (("p", OTHER), ("r", LABELS)):
            make.geotiff(scene.folder / f"{side}.tif", array, tiled=True, blockxsize=16, blockysize=16, crs=None, transform=None)  # fmt: skip
        scene.right(_EXPECTED, "score p.tif r.tif")


@TABLE("masks.formats.png.masks._labels: Save the labels without transparency")
def a_palette_by_its_transparency(scene):
    alpha = np.where(OTHER, 255, 0).astype(np.uint8)
    make.png(scene.folder / "p.png", np.stack([OTHER, alpha], -1))
    make.png(scene.folder / "r.png", LABELS)
    scene.refused("score p.png r.png")
    make.png(scene.folder / "p.png", OTHER)
    scene.right(_EXPECTED, "score p.png r.png")
    make.png(scene.folder / "p.png", OTHER, palette=bytes(range(12)))
    scene.right(_EXPECTED, "score p.png r.png")


@TABLE("masks.formats.png.masks.open_mask: Check its permissions.")
def a_png_that_cannot_be_read(scene):
    scene.pair()
    with pytest.MonkeyPatch.context() as patch:

        class Broken(io.BytesIO):
            def read(self, *size):
                if not size:
                    raise OSError(errno.EIO, "Input/output error")
                return super().read(*size)

        content = (scene.folder / "p.png").read_bytes()
        patch.setattr("dicecli.masks.files.open_regular", lambda _: Broken(content))
        scene.refused("score p.png r.png")
    scene.right(DICE, "score p.png r.png")


@TABLE("masks.formats.nifti._header.parts: A NIfTI pair needs both")
def half_a_pair(scene):
    faults.write(scene.folder / "p.hdr", OTHER)
    faults.write(scene.folder / "r.hdr", LABELS)
    data = (scene.folder / "p.img").read_bytes()
    (scene.folder / "p.img").unlink()
    scene.refused("score p.hdr r.hdr")
    (scene.folder / "p.img").write_bytes(data)
    scene.right(_EXPECTED, "score p.hdr r.hdr")


@TABLE(
    "masks.formats.nifti._header._inflate_start: Check the disk.",
    "masks.formats.nifti._voxels._plain_bytes: Check the disk.",
    "masks.gzipped._guarded: Check the disk.",
)
def a_disk_that_fails(scene):
    end = ".nii" if "_voxels" in scene.place.name else ".nii.gz"
    faults.write(scene.folder / f"p{end}", OTHER)
    faults.write(scene.folder / f"r{end}", LABELS)

    def fails(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    with pytest.MonkeyPatch.context() as patch:
        if "_header" in scene.place.name:
            patch.setattr(gzip, "open", fails)
        elif "_voxels" in scene.place.name:
            patch.setattr(_voxels, "files", SimpleNamespace(**vars(files) | {"open_regular": fails}))
        else:
            patch.setattr(gzipped, "open_regular", fails)
        scene.refused(f"score p{end} r{end}")
    scene.right(_EXPECTED, f"score p{end} r{end}")


@TABLE("masks.formats.nifti._voxels._shrunk: Score it again.", "masks.formats.npy._shrunk: Score it again.")
def a_file_that_shrinks(scene):
    if "npy" in scene.place.name:
        scene.npy("p.npy", P)
        scene.png("r.png", REFERENCE)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(npy.np, "memmap", fails_to_map)
            scene.refused("soft p.npy r.png")
        scene.right(DICE, "soft p.npy r.png", number=_HALF)
        return
    faults.write(scene.folder / "p.nii", OTHER)
    faults.write(scene.folder / "r.nii", LABELS)
    with pytest.MonkeyPatch.context() as patch:
        empty = SimpleNamespace(**vars(files) | {"open_regular": lambda _: io.BytesIO()})
        patch.setattr(_voxels, "files", empty)
        scene.refused("score p.nii r.nii")
    scene.right(_EXPECTED, "score p.nii r.nii")


@TABLE("masks.formats.nifti.channels._by_class: Save one time point, with the")
def probabilities_over_time(scene):
    p = np.stack([1 - P, P], -1)[:, :, None].astype("f4")
    scene.nii("p.nii.gz", np.stack([p, p], 3))
    scene.nii("r.nii.gz", REFERENCE[..., None])
    scene.refused("soft p.nii.gz r.nii.gz")
    scene.nii("p.nii.gz", p)
    scene.right(DICE, "soft p.nii.gz r.nii.gz", number="dice_argmax[1]")


@TABLE("masks.formats.nifti.masks._one_volume: If one axis has a score")
def several_volumes(scene):
    """Scores, on the last axis and on another one; probabilities; volumes of 0 and 1; and one volume alone."""
    prediction, reference = (np.stack([each, each], -1) for each in (PREDICTION, REFERENCE))
    p = np.stack([1 - np.stack([P, P], -1), np.stack([P, P], -1)], -1).astype("f4")
    scene.nii("r.nii.gz", reference)
    scene.nii("p.nii.gz", p)
    scene.refused("score p.nii.gz r.nii.gz")
    scene.right(DICE, "score p.nii.gz r.nii.gz --argmax")
    scene.right(DICE, "soft p.nii.gz r.nii.gz", number="dice_argmax[1]")
    scene.nii("p.nii.gz", np.moveaxis(p, -1, 0))
    scene.refused("score p.nii.gz r.nii.gz")
    scene.right(DICE, "score p.nii.gz r.nii.gz --argmax --channel-axis 0")
    scene.nii("p.nii.gz", np.stack([1 - prediction, prediction], -1))
    scene.right(DICE, "score p.nii.gz r.nii.gz --region rest=0 --region liver=1", number="dice[liver]")
    scene.nii("p.nii.gz", prediction)
    scene.right(DICE, "score p.nii.gz r.nii.gz")


@TABLE("masks.formats.nifti.masks._channels_first: Say which axis has the binary")
def channels_that_may_be_first(scene):
    """Say which axis has binary masks: the first or the last; and of scores that they are some."""
    prediction, reference = (np.stack([each] * 4, -1) for each in (PREDICTION, REFERENCE))
    ask = "score p.nii.gz r.nii.gz"
    for side, array in (("p", prediction), ("r", reference)):
        scene.nii(f"{side}.nii.gz", np.stack([array, array]))
    scene.refused(ask)
    scene.right(DICE, f"{ask} --channel-axis 0", number="dice@macro-regions")
    for side, array in (("p", prediction), ("r", reference)):
        scene.nii(f"{side}.nii.gz", np.stack([array] * 3, -1))
    scene.refused(ask)
    scene.right(DICE, f"{ask} --channel-axis 3", number="dice@macro-regions")
    for axis, channels in ((0, 2), (3, 5)):
        p = np.stack([1 - prediction, *[prediction / each for each in range(1, channels)]], axis)
        scene.nii("p.nii.gz", (p * 0.5 + 0.1).astype("f4"))
        scene.nii("r.nii.gz", reference)
        scene.refused(ask)
        scene.right(DICE, f"{ask} --channel-axis {axis} --argmax")


@TABLE("masks.formats.nifti.channels._check_axis: Say so: --channel-axis 0.")
def classes_on_the_first_axis(scene):
    p = np.stack([P] * 4, -1)
    scene.nii("p.nii.gz", np.stack([1 - p, p]).astype("f4"))
    scene.nii("r.nii.gz", np.stack([REFERENCE] * 4, -1))
    scene.refused("soft p.nii.gz r.nii.gz")
    scene.right(DICE, "soft p.nii.gz r.nii.gz --channel-axis 0", number="dice_argmax[1]")


@TABLE(
    "masks.formats.nifti._place._refuse_place: Save it again with the header",
)
def a_place_that_is_none(scene):
    """Put the header of the image into it, or compare by index."""
    faults.write(scene.folder / "r.nii", LABELS)
    faults.write(scene.folder / "p.nii", OTHER)
    make.patched(scene.folder / "p.nii", srow_x=(float("nan"),) * 4, sform_code=2, qform_code=0)
    scene.refused("score p.nii r.nii")
    scene.right(_EXPECTED, "score p.nii r.nii --geometry ignore")
    faults.write(scene.folder / "p.nii", OTHER)
    scene.right(_EXPECTED, "score p.nii r.nii")


@TABLE("masks.formats.nifti._voxels.check_scaling: Save it without scaling, and number")
def scaling_of_large_integers(scene):
    faults.write(scene.folder / "r.nii", LABELS)
    make.nifti(scene.folder / "p.nii", OTHER.astype(np.int64) * 2**61, slope=2.0)
    scene.refused("score p.nii r.nii")
    make.nifti(scene.folder / "p.nii", OTHER)
    scene.right(_EXPECTED, "score p.nii r.nii")


def fails_to_map(*_, **__):
    raise ValueError("mmap length is greater than file size")


def saved(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


#: The hint, and the bytes of a .npy that is refused with it.
ARRAYS = [
    ("open_probabilities: Give an array that numpy.save wrote.", b"this is a note\n"),
    ("open_probabilities: The file is cut off", saved(P)[:-9]),
    ("open_probabilities: Save it again.", saved(P) + b"123"),
    ("_header: Save it again.", saved(P[:0])),
    ("_parsed: It is cut off or damaged", saved(P)[:20]),
    ("_parsed: Save plain floats with numpy.save.", b"\x93NUMPY\3\0" + saved(P)[8:]),
    ("_not_numbers: Save a plain array", saved(np.array([[None]]), allow_pickle=True)),
    ("_not_numbers: Save them as float32 or float64.", saved(P.astype(np.complex64))),
]


@TABLE(*(f"masks.formats.npy.{word}" for word, _ in ARRAYS))
def an_array_that_is_none(scene):
    for word, content in ARRAYS:
        if scene.place.name.startswith(f"masks.formats.npy.{word}"):
            scene.png("r.png", REFERENCE)
            scene.bytes("p.npy", content)
            scene.refused("soft p.npy r.png")
            np.save(scene.folder / "p.npy", np.asarray(P.tolist(), dtype="float32"))
            scene.right(DICE, "soft p.npy r.png", number=_HALF)


@TABLE("masks.formats.npy._header: Check its permissions.")
def an_array_that_cannot_be_read(scene):
    scene.npy("p.npy", P)
    scene.png("r.png", REFERENCE)
    with pytest.MonkeyPatch.context() as patch:

        def fails(*_, **__):
            raise PermissionError(errno.EACCES, "Permission denied")

        patch.setattr("dicecli.masks.formats.npy._parsed", fails)
        scene.refused("soft p.npy r.png")
    scene.right(DICE, "soft p.npy r.png", number=_HALF)


@pytest.mark.parametrize("place", TABLE.places(), ids=lambda place: place.name)
def test_a_hint_leads_to_a_right_number_or_a_further_error(place, tmp_path):
    TABLE.follow(place, tmp_path)


def test_every_scenario_is_of_a_hint_that_is_there():
    assert TABLE.stale() == []
    assert dicecli.score(OTHER, LABELS).look_up("dice").value == pytest.approx(_EXPECTED)
