"""Nothing around a mask changes what is read of it, and reading changes nothing around (row A14)."""

from __future__ import annotations

import logging
import os
import struct
import threading
import warnings
from contextlib import ExitStack, contextmanager, nullcontext

import numpy as np
import pytest
from make import blobs, geotiff, nifti, png, scored

import dicecli
from dicecli.errors import CaseError, GridMismatch
from dicecli.masks import gdal_options
from dicecli.masks.blocks import plan
from dicecli.masks.differing import same_crs
from dicecli.masks.formats.geotiff._gdal import closed_off
from dicecli.masks.opening import open_mask

LABELS = blobs((32, 32), 4)


def damaged(path):
    """Write a GeoTIFF of which one LZW tile is damaged."""
    geotiff(path, LABELS, compress="lzw", tiled=True, blockxsize=16, blockysize=16)
    import rasterio

    with rasterio.open(path) as dataset:
        place = int(dataset.get_tag_item("BLOCK_OFFSET_1_1", "TIFF", bidx=1))
    whole = bytearray(path.read_bytes())
    whole[place + 4 : place + 12] = b"\xff" * 8
    path.write_bytes(whole)
    return path


def of_points(path):
    """Write a GeoTIFF whose pixels are points."""
    import rasterio

    geotiff(path, LABELS)
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(AREA_OR_POINT="Point")
    return path


def upside_down(path):
    """Write a GeoTIFF whose rows go up by its scale, which is negative."""
    geotiff(path, LABELS)
    whole = path.read_bytes()
    assert whole.count(struct.pack("<ddd", 10, 10, 0)) == 1
    path.write_bytes(whole.replace(struct.pack("<ddd", 10, 10, 0), struct.pack("<ddd", 10, -10, 0)))
    return path


def with_mask(path):
    """Write a GeoTIFF with an internal mask."""
    import rasterio

    geotiff(path, LABELS)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(LABELS != 3)
    return path


def plain(path, crs="EPSG:32632"):
    """Write a GeoTIFF."""
    return geotiff(path, LABELS, crs=crs)


def with_heights(path):
    """Write a GeoTIFF whose coordinate system has heights."""
    return plain(path, "EPSG:32632+5773")


def in_degrees(path):
    """Write a GeoTIFF in degrees."""
    return plain(path, "EPSG:4326")


def of_a_datum(path):
    """Write a GeoTIFF of an old datum, which some writers describe by its shift."""
    return plain(path, "EPSG:31467")


#: An option, a value of it that changes what GDAL reads, and what it changes it of.
TRAPS = [
    ("GTIFF_IGNORE_READ_ERRORS", "YES", damaged),
    ("GDAL_GEOREF_SOURCES", "NONE", plain),
    ("GTIFF_POINT_GEO_IGNORE", "YES", of_points),
    ("GTIFF_HONOUR_NEGATIVE_SCALEY", "YES", upside_down),
    ("TIFF_READ_STREAMING", "YES", of_points),
    ("GDAL_TIFF_INTERNAL_MASK_TO_8BIT", "NO", with_mask),
    ("GTIFF_SRS_SOURCE", "GEOKEYS", in_degrees),
    ("GTIFF_IMPORT_FROM_EPSG", "NO", plain),
    ("OSR_WKT_FORMAT", "WKT2", plain),
    ("OSR_ADD_TOWGS84_ON_IMPORT_FROM_EPSG", "YES", with_heights),
    ("OSR_ADD_TOWGS84_ON_EXPORT_TO_WKT1", "YES", of_a_datum),
]


@contextmanager
def environment(name, value):
    """Set an option in the environment of the process."""
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


@contextmanager
def host(name, value):
    """Set an option as a host does it."""
    import rasterio

    with rasterio.Env(**{name: value}):
        yield


def in_thread(action):
    """Return what an action does in another thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(action()))
    thread.start()
    thread.join()
    return found[0]


def ours(path):
    """Return all that the package reads of a file: labels, where they lie, nodata; or the error's name."""
    try:
        with open_mask(path) as source:
            blocks = [source.read(window).tolist() for window in plan(source)]
            source.finish()
            grid = source.grid
            return blocks, None if grid.affine is None else grid.affine.tolist(), grid.crs, source.nodata
    except CaseError as error:
        return error.name


def gdals(path):
    """Return what GDAL reads of a file by itself."""
    import rasterio

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with rasterio.open(path) as dataset:
                crs = dataset.crs.to_wkt() if dataset.crs else None
                return (
                    dataset.read(1).tolist(),
                    dataset.read_masks(1).tolist(),
                    dataset.transform,
                    crs,
                    dataset.nodata,
                )
    except rasterio.errors.RasterioError as error:
        return type(error)


@pytest.mark.parametrize(("name", "value", "write"), TRAPS, ids=[each[0] for each in TRAPS])
def test_no_option_of_gdal_changes_what_is_read(tmp_path, name, value, write):
    """'In the environment, or in a host's rasterio.Env', in threads too, an option changes nothing.

    That it changes what GDAL reads by itself shows that the trap is one.
    """
    path = write(tmp_path / "a.tif")
    by_itself, expected = gdals(path), ours(path)
    for setting in (environment, host):
        with setting(name, value):
            assert by_itself != gdals(path), "the option must be one that changes something"
            assert expected == ours(path)
        assert by_itself == gdals(path)

    def both():
        with host(name, value):
            return ours(path), gdals(path)

    assert expected == in_thread(both)[0]
    with environment(name, value):
        assert expected == in_thread(lambda: ours(path))
    assert by_itself == gdals(path) == in_thread(lambda: gdals(path))


def test_a_damaged_tile_never_scores(tmp_path):
    """'GTIFF_IGNORE_READ_ERRORS=YES': no more 'a damaged LZW or ZSTD tile scores'."""
    path = damaged(tmp_path / "a.tif")
    with environment("GTIFF_IGNORE_READ_ERRORS", "YES"), pytest.raises(CaseError):
        scored(path, path)


def test_a_raster_elsewhere_is_refused_whatever_the_environment(tmp_path):
    """Two masks that lie apart are never compared by pixel because an option drops where they lie."""
    one = geotiff(tmp_path / "a.tif", LABELS)
    other = geotiff(tmp_path / "b.tif", LABELS, transform=(10, 0, 0, 0, -10, 0))
    with environment("GDAL_GEOREF_SOURCES", "NONE"), pytest.raises(GridMismatch):
        scored(other, one)


@pytest.mark.parametrize("where", [environment, host])
def test_every_option_at_once(tmp_path, where):
    """All options of the table set to something else change neither files nor how systems compare."""
    writers = {write for *_, write in TRAPS}
    paths = [write(tmp_path / f"{write.__name__}.tif") for write in writers]
    expected = [ours(path) for path in paths]
    systems = sorted({each[2] for each in expected if not isinstance(each, str)})
    same = [same_crs(one, other) for one in systems for other in systems]
    others = {"YES": "NO", "NO": "YES", "1": "2", "": "GEOKEYS", "DEFAULT": "BROKEN", "INTERNAL": "WORLDFILE"}
    settings = {name: others.get(value, "TRUE") for name, (value, _) in gdal_options.OPTIONS.items()}
    settings["OSR_WKT_FORMAT"], settings["GTIFF_USE_MMAP"] = "WKT2", "NO"
    settings["OSR_DEFAULT_AXIS_MAPPING_STRATEGY"] = "TRADITIONAL_GIS_ORDER"
    with ExitStack() as stack:
        for each in settings.items():
            stack.enter_context(where(*each))
        assert expected == [ours(path) for path in paths]
        assert same == [same_crs(one, other) for one in systems for other in systems]


def test_nothing_of_the_hosts_is_changed(tmp_path):
    """While a file is read no other thread sees other options, and afterwards all are as they were."""
    from rasterio._env import get_gdal_config

    path = with_mask(tmp_path / "a.tif")
    names = [*gdal_options.OPTIONS, "GDAL_CACHEMAX", "SOME_OTHER"]

    def found():
        return [get_gdal_config(name, normalize=False) for name in names]

    def options():
        return found()[:-2]

    for around in (nullcontext(), host("SOME_OTHER", "1"), host("GTIFF_POINT_GEO_IGNORE", "YES")):
        with around:
            before, elsewhere, filters = found(), in_thread(options), list(warnings.filters)
            handlers = list(logging.getLogger("rasterio").handlers)
            with closed_off(str(path)):
                assert options() == [value for value, _ in gdal_options.OPTIONS.values()]
                assert elsewhere == in_thread(options)
                assert in_thread(lambda: ours(path)) == ours(path)
            assert before == found()
            assert elsewhere == in_thread(options)
            assert filters == list(warnings.filters)
            assert handlers == logging.getLogger("rasterio").handlers


def test_filters_of_other_threads_stay(tmp_path):
    """A filter of warnings that another thread adds while a file is opened is there afterwards."""
    from dicecli.masks.formats.geotiff._gdal import listening

    path = geotiff(tmp_path / "a.tif", LABELS, crs=None, transform=None)
    with warnings.catch_warnings():
        with listening():
            in_thread(lambda: warnings.simplefilter("ignore", BytesWarning))
        assert ("ignore", None, BytesWarning, None, 0) in warnings.filters
        warnings.simplefilter("error")
        assert ours(path)[0]


def test_numbers_do_not_hang_on_what_numpy_raises(tmp_path):
    """A host that makes NumPy raise at every overflow and division gets the same numbers."""
    floats = LABELS.astype(np.float32)
    floats[0, :4] = np.finfo(np.float32).min
    files = [
        geotiff(tmp_path / "a.tif", floats, nodata=float(np.finfo(np.float32).min)),
        geotiff(tmp_path / "b.tif", LABELS, nodata=3),
        nifti(tmp_path / "c.nii.gz", LABELS[..., None], slope=1 / 255, inter=0),
        png(tmp_path / "d.png", LABELS),
    ]
    chances = np.stack([LABELS == 0, LABELS != 0]).astype(np.float32) * 0.8 + 0.1

    def every():
        made = [_outcome(path) for path in files]
        return made, dicecli.soft(chances, LABELS > 0).look_up("soft_dice_standard[1]").value

    expected = every()
    with np.errstate(all="raise"):
        assert expected == every()


def _outcome(path):
    try:
        result = scored(path, path)
    except CaseError as error:
        return error.name
    return result.counted, result.excluded


def test_heights_do_not_part_two_maps(tmp_path):
    """A coordinate system with heights, which a mask has none of, is the same system in the plane."""
    one, other = with_heights(tmp_path / "a.tif"), plain(tmp_path / "b.tif")
    assert scored(other, one).counted == LABELS.size


def test_rows_that_would_go_up_are_noted(tmp_path):
    """A negative scale is said, of masks and of maps."""
    path = upside_down(tmp_path / "a.tif")
    assert any("scale is negative" in note for note in scored(path, path).notes)


def test_what_gdal_warns_of_is_noted_in_the_thread_that_it_is_of(tmp_path):
    """A file that GDAL reads otherwise than it says has a note, and one that another thread opens has not."""
    from dicecli.masks.formats.geotiff._gdal import listening

    path = geotiff(tmp_path / "a.tif", LABELS, nodata=255)
    whole = path.read_bytes()
    (at,) = struct.unpack_from("<I", whole, 4)
    (n,) = struct.unpack_from("<H", whole, at)
    end = at + 2 + 12 * n  # the last two tags change places
    path.write_bytes(whole[: end - 24] + whole[end - 12 : end] + whole[end - 24 : end - 12] + whole[end:])

    def noted():
        with open_mask(path) as source:
            return [note for note in source.notes if "GDAL warns" in note]

    assert any("order" in note for note in noted())
    assert noted() == in_thread(noted)
    with listening() as heard:
        in_thread(noted)
    assert heard == []
