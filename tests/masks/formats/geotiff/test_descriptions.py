"""What ImageJ, OME-XML and tifffile say of pages: volumes, channels, times, and the size of a voxel."""

from __future__ import annotations

import numpy as np
import pytest
from make import blobs, counts, notes, read, scored

import dicecli
from dicecli.errors import GridMismatch, ManyImages, ManyVolumes
from dicecli.masks.formats.geotiff._descriptions import described
from dicecli.masks.opening import open_mask
from dicecli.runs.inspection.file import inspect
from dicecli.runs.scoring import make_settings
from dicecli.statistics.matrix.counts import region_counts

tifffile = pytest.importorskip("tifffile")

VOLUME = blobs((6, 8, 9), 4)


def said(text, size=(8, 9), samples=1, resolution=(None, None)):
    """Return what a description says."""
    return described(text, size, samples, resolution)


def imagej(path, array, axes, **metadata):
    """Write an ImageJ hyperstack."""
    resolution = metadata.pop("resolution", (1.0, 1.0))
    tifffile.imwrite(path, array, imagej=True, resolution=resolution, metadata={"axes": axes} | metadata)
    return path


def ome(path, array, axes, **metadata):
    """Write an OME-TIFF."""
    tifffile.imwrite(path, array, ome=True, photometric="minisblack", metadata={"axes": axes} | metadata)
    return path


# Voxels.


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("um", 1e-3),
        ("\\u00B5m", 1e-3),
        ("µm", 1e-3),
        ("μm", 1e-3),
        ("micron", 1e-3),
        ("mm", 1),
        ("inch", 25.4),
        ("cm", 10),
        ("nm", 1e-6),
    ],
)
def test_imagej_says_how_far_apart_pixels_lie(unit, factor):
    """Pixels in a unit along rows and columns, and the spacing of slices, in whatever unit ImageJ writes."""
    text = f"ImageJ=1.54f\nimages=6\nslices=6\nunit={unit}\nspacing=-3.0\n"
    found = said(text, resolution=(4.0, 2.0))
    assert [0.25 * factor, 0.5 * factor, 3 * factor] == pytest.approx(found.spacing, rel=1e-12)
    assert "mm" == found.unit
    assert None is found.oddity


def test_imagej_leaves_a_spacing_of_one_out():
    """ImageJ does not write a spacing of 1, and units of axes stand beside the one of all."""
    found = said("ImageJ=1\nimages=6\nunit=mm\nyunit=cm\nzunit=um\n", resolution=(2.0, 2.0))
    assert (5.0, 0.5, 0.001) == found.spacing


@pytest.mark.parametrize("unit", ["", "pixel", "pixels", None])
def test_pixels_are_no_unit(unit):
    """Without a unit nothing is known of sizes, and nothing is odd about it."""
    line = "" if unit is None else f"unit={unit}\n"
    found = said(f"ImageJ=1\nimages=6\n{line}", resolution=(2.0, 2.0))
    assert (None, None, None) == (found.spacing, found.unit, found.oddity)


@pytest.mark.parametrize(
    ("text", "resolution", "odd"),
    [
        ("unit=furlong\n", (2.0, 2.0), "furlong"),
        ("unit=mm\n", (None, 2.0), "along every axis"),
        ("unit=mm\nspacing=nan\n", (2.0, 2.0), "along every axis"),
        ("unit=mm\nspacing=0\n", (2.0, 2.0), "along every axis"),
    ],
)
def test_sizes_that_cannot_be_told_are_unknown(text, resolution, odd):
    """A unit of which nothing is known, or a step that is none, makes no number."""
    found = said(f"ImageJ=1\nimages=6\n{text}", resolution=resolution)
    assert None is found.spacing
    assert odd in found.oddity


def test_volumes_are_in_millimetres(tmp_path):
    """A stack of ImageJ, and one of OME, give volumes in mm3, and lengths in mm; other steps are no match."""
    path = imagej(tmp_path / "a.tif", VOLUME, "ZYX", unit="um", spacing=2.0, resolution=(4.0, 4.0))
    sizes = {"PhysicalSizeX": 250, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.25, "PhysicalSizeZ": 0.002}
    other = ome(tmp_path / "b.ome.tif", VOLUME, "ZYX", PhysicalSizeZUnit="mm", **sizes)
    for each in (path, other):
        with open_mask(each) as source:
            assert pytest.approx([0.00025, 0.00025, 0.002]) == source.grid.spacing
        assert "0.00025 x 0.00025 x 0.002 mm" == inspect(str(each)).facts["spacing"]
    result = scored(path, other, metrics=["dice", "volume_reference_mm3"])
    assert "mm" == result.unit
    assert {"mm3": pytest.approx(0.00025**2 * 0.002)} == result.sizes
    thick = imagej(tmp_path / "c.tif", VOLUME, "ZYX", unit="um", spacing=4.0, resolution=(4.0, 4.0))
    with pytest.raises(GridMismatch, match="spacing"):
        scored(thick, path)
    bare = tmp_path / "d.tif"
    tifffile.imwrite(bare, VOLUME, photometric="minisblack")
    assert {0, 1, 2, 3} == set(counts(scored(bare, path)))


# Volumes, channels and times.


@pytest.mark.parametrize("write", [imagej, ome])
def test_slices_are_a_volume(tmp_path, write):
    """Slices alone are a volume, whoever says so."""
    path = write(tmp_path / "a.ome.tif", VOLUME, "ZYX")
    assert np.moveaxis(VOLUME, 0, 2).tolist() == read(path).tolist()


@pytest.mark.parametrize("write", [imagej, ome])
def test_times_are_no_volume(tmp_path, write):
    """Times are refused; the hints, followed, give the volume, or one page."""
    path = write(tmp_path / "a.ome.tif", VOLUME, "TYX")
    with pytest.raises(ManyImages, match="its 6 pages are 6 times") as error:
        open_mask(path)
    assert "metadata={'axes': 'ZYX'}" in error.value.hint
    assert VOLUME[2].tolist() == read(path, page=3).tolist()
    again = tmp_path / "b.tif"
    tifffile.imwrite(again, VOLUME, photometric="minisblack", metadata={"axes": "ZYX"})
    assert np.moveaxis(VOLUME, 0, 2).tolist() == read(again).tolist()
    assert "ManyImages" == inspect(str(path)).error.name
    with pytest.raises(ManyImages):
        dicecli.soft(path, np.zeros((8, 9, 6), np.uint8))


@pytest.mark.parametrize("write", [imagej, ome])
def test_channels_of_labels_are_no_volume(tmp_path, write):
    """Channels with labels of their own are refused, as bands are."""
    path = write(tmp_path / "a.ome.tif", VOLUME, "CYX")
    with pytest.raises(ManyVolumes, match="its 6 pages are 6 channels") as error:
        scored(path, path)
    assert "--page N, from 1 to 6" in error.value.hint
    assert VOLUME[5].tolist() == read(path, page=6).tolist()


@pytest.mark.parametrize(("write", "axes"), [(imagej, "ZCYX"), (ome, "ZCYX"), (ome, "CZYX")])
def test_binary_channels_are_layers(tmp_path, write, axes):
    """Binary channels are regions that may overlap, of two axes or, with slices, of three."""
    rng = np.random.default_rng(0)
    # Of two files: slices, channels, rows, columns.
    layers = rng.integers(0, 2, (2, 4, 3, 8, 9)).astype(np.uint8)
    arrays = [each if axes == "ZCYX" else each.swapaxes(0, 1) for each in layers]
    first, second = (write(tmp_path / f"{n}.ome.tif", each, axes) for n, each in enumerate(arrays))
    found = region_counts(scored(first, second).measured, {f"layer {n}": () for n in (1, 2, 3)})
    for channel, each_counts in enumerate(found.values()):
        prediction, reference = (each[:, channel] > 0 for each in layers)
        assert int((prediction & reference).sum()) == each_counts.tp
        assert int((prediction & ~reference).sum()) == each_counts.fp


def test_channels_are_probabilities(tmp_path):
    """In `soft` each channel is a class, with its slices."""
    rng = np.random.default_rng(0)
    maps = rng.random((4, 2, 8, 9)).astype(np.float32)
    maps /= maps.sum(axis=1, keepdims=True)
    reference = rng.integers(0, 2, (8, 9, 4)).astype(np.uint8)
    path = imagej(tmp_path / "a.tif", maps, "ZCYX")
    expected = dicecli.soft(maps.transpose(2, 3, 0, 1), reference, channel_axis=3)
    assert expected.results[0].measured == dicecli.soft(path, reference).results[0].measured


@pytest.mark.parametrize(
    ("shape", "axes", "slices", "channels", "times"),
    [
        ("[6, 8, 9]", None, 6, 1, 1),
        ("[6, 8, 9]", "TYX", 1, 1, 6),
        ("[6, 8, 9]", "CYX", 1, 6, 1),
        ("[2, 3, 8, 9]", None, 3, 1, 2),
        ("[2, 3, 8, 9]", "CZYX", 3, 2, 1),
        ("[1, 6, 8, 9, 1]", None, 6, 1, 1),
    ],
)
def test_tifffile_says_the_shape_of_the_array(shape, axes, slices, channels, times):
    """Axes before those of a page are of pages; two of which nothing is known are several volumes."""
    text = f'{{"shape": {shape}}}' if axes is None else f'{{"shape": {shape}, "axes": "{axes}"}}'
    found = said(text)
    assert (slices, channels, times, 6) == (found.slices, found.channels, found.times, found.images)
    assert not found.is_contradictory


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a mask",
        '{"shape": [8, 9]}',
        '{"shape": [6, 8, 8]}',
        '{"shape": "x"}',
        '{"shape":' + "[" * 60000,
        "<OME/>",
        "<xml>",
        '{"shape": [6, 0, 9]}',
    ],
)
def test_other_descriptions_say_nothing(text):
    """What is no description of pages, or says nothing of several, is passed over."""
    assert None is said(text)


def test_a_description_of_other_pages_is_refused(tmp_path):
    """More images, or a product that does not fit, is an error that gives both; one page can be read alone."""
    for number, text in enumerate(
        ["ImageJ=1\nimages=7\n", "ImageJ=1\nimages=6\nslices=2\nchannels=2\n", '{"shape": [3, 8, 9]}']
    ):
        path = tmp_path / f"{number}.tif"
        with tifffile.TiffWriter(path) as file:
            for page, each in enumerate(VOLUME):
                file.write(each, contiguous=False, metadata=None, description="" if page else text)
        with pytest.raises(ManyImages, match="it holds 6 pages; its description") as error:
            open_mask(path)
        assert "from 1 to 6" in error.value.hint
        assert VOLUME[1].tolist() == read(path, page=2).tolist()


def test_pages_written_one_by_one_are_a_volume(tmp_path):
    """Tifffile gives each page that is written by itself a shape of its own."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for each in VOLUME:
            file.write(each, contiguous=False)
    assert np.moveaxis(VOLUME, 0, 2).tolist() == read(path).tolist()
    assert [] == notes(path)


OME = (
    '<?xml version="1.0"?><!-- <Pixels SizeZ="9"> --><OME xmlns="x"><Image><Pixels DimensionOrder="{order}" '
    'SizeX="9" SizeY="8" SizeC="{c}" SizeZ="{z}" SizeT="1" PhysicalSizeX="1" PhysicalSizeY="1" '
    'PhysicalSizeXUnit="&#181;m">{data}</Pixels>{more}</Image></OME>'
)


def test_ome_pages_in_another_order_are_refused():
    """Pages that do not stand where the order of dimensions has them are no volume that is read here."""
    right = '<TiffData FirstZ="1" IFD="1" PlaneCount="1"/>'
    wrong = '<TiffData FirstZ="1" IFD="2" PlaneCount="1"/>'
    assert not said(OME.format(order="XYZCT", c=1, z=6, data=right, more="")).is_contradictory
    assert said(OME.format(order="XYZCT", c=1, z=6, data=wrong, more="")).is_contradictory
    assert said(OME.format(order="XYZ", c=1, z=6, data="", more="")).is_contradictory
    assert said(OME.format(order="XYZCT", c=1, z=6, data="", more="<Pixels/>")).is_contradictory
    assert "along every axis" in said(OME.format(order="XYZCT", c=1, z=6, data="", more="")).oddity


def test_a_file_of_one_channel_of_many_is_its_volume(tmp_path):
    """OME keeps a channel a file, and says in each of all: the pages that are there are the slices."""
    path = tmp_path / "a.ome.tif"
    text = OME.format(order="XYZCT", c=2, z=6, data="", more="").encode()
    with tifffile.TiffWriter(path) as file:
        for page, each in enumerate(VOLUME):
            file.write(each, contiguous=False, metadata=None, description="" if page else text)
    assert np.moveaxis(VOLUME, 0, 2).tolist() == read(path).tolist()


@pytest.mark.parametrize(
    "text", ["<OME " + "<!--" * 50_000, "<OME>" + "<Pixels " * 50_000, "<OME>" + "<Pixels a='" * 100_000]
)
def test_hostile_descriptions_take_no_time(text):
    """Time grows with the text, whatever is left open in it."""
    assert said(text) is None or said(text).is_contradictory


def test_layers_and_settings_that_ask_otherwise(tmp_path):
    """With --argmax or --threshold channels are no layers."""
    path = imagej(tmp_path / "a.tif", VOLUME % 2, "CYX")
    for options in ({"threshold": 0.5}, {"argmax": True}, {"band": 2}):
        with pytest.raises(ManyVolumes):
            dicecli.score(path, path, **options)
    assert None is make_settings().page
