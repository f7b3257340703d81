"""Many threads at once, each in a host's surroundings of its own, give one number, and leave these as they were."""

from __future__ import annotations

import logging
import threading
import warnings

import numpy as np
from make import blobs, brute, counts, geotiff, nifti, png, raw_png, scored

from dicecli.errors import CaseError

THREADS, ROUNDS = 8, 2
PREDICTION, REFERENCE = blobs((61, 47), 4, 1), blobs((61, 47), 4, 2)
#: Options of GDAL that would change what is read, where it lies or how.
ODD = {
    "GTIFF_IGNORE_READ_ERRORS": "YES",
    "GDAL_GEOREF_SOURCES": "NONE",
    "GDAL_TIFF_INTERNAL_MASK_TO_8BIT": "NO",
    "GDAL_NUM_THREADS": "4",
    "GTIFF_DIRECT_IO": "YES",
    "GTIFF_VIRTUAL_MEM_IO": "YES",
    "GDAL_FORCE_CACHING": "YES",
    "OSR_WKT_FORMAT": "WKT2",
    "VSI_CACHE": "TRUE",
}


def written(folder):
    """Write one pair in every format and codec; return the paths of the predictions, and the references'."""
    tiles = {"tiled": True, "blockxsize": 16, "blockysize": 16}
    reference = geotiff(folder / "r.tif", REFERENCE)
    pairs = [
        (geotiff(folder / f"{codec}{len(more)}.tif", PREDICTION, compress=codec, **more), reference)
        for codec in ("deflate", "lzw", "packbits")
        for more in ({}, tiles)
    ]
    pages = folder / "pages.tif"
    for page in range(3):
        geotiff(pages, PREDICTION, compress="lzw", append_subdataset=page > 0)
    stacked = nifti(folder / "r.nii", np.stack([REFERENCE] * 3, 2))
    pairs.append((pages, stacked))
    pairs.append((nifti(folder / "p.nii.gz", np.stack([PREDICTION] * 3, 2)), stacked))
    interlaced = folder / "i.png"
    interlaced.write_bytes(raw_png(PREDICTION, is_interlaced=True))
    flat = png(folder / "r.png", REFERENCE)
    pairs += [(interlaced, flat), (png(folder / "p.png", PREDICTION), flat)]
    return pairs


def traps(folder):
    """Write pairs of which an odd option makes another number, or one where there should be none."""
    import rasterio

    reference, masked = geotiff(folder / "r.tif", REFERENCE), geotiff(folder / "m.tif", REFERENCE)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(masked, "r+") as dataset:
        dataset.write_mask(REFERENCE != 3)
    elsewhere = geotiff(folder / "e.tif", PREDICTION, transform=(10, 0, 0, 0, -10, 0))
    damaged = geotiff(folder / "d.tif", PREDICTION, compress="lzw")
    whole = bytearray(damaged.read_bytes())
    with rasterio.open(damaged) as dataset:
        place = int(dataset.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
    whole[place + 4 : place + 12] = b"\xff" * 8
    damaged.write_bytes(whole)
    return [(reference, masked), (elsewhere, reference), (damaged, reference)]


def outcome(pair):
    """Return the counts and the notes of one pair, or the name of its error."""
    try:
        result = scored(*pair)
    except CaseError as error:
        return error.name, []
    return counts(result), result.notes


def surroundings():
    """Return what a host may have set, of this thread and of the process."""
    from PIL import Image, ImageFile, PngImagePlugin
    from rasterio._env import get_gdal_config

    pillow = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, ImageFile.MAXBLOCK, list(Image.ID)
    loggers = [sorted(vars(logging.getLogger(f"rasterio.{name}"))) for name in ("_err", "_env")]
    options = [get_gdal_config(name, normalize=False) for name in ODD]
    return options, pillow, PngImagePlugin.MAX_TEXT_CHUNK, loggers, list(warnings.filters), np.geterr()


def test_threads_in_odd_surroundings_agree(tmp_path, monkeypatch):
    """Eight threads score the same files in another order each, half of them in a `rasterio.Env` of a host."""
    import rasterio
    from PIL import Image, ImageFile, PngImagePlugin

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    monkeypatch.setattr(ImageFile, "MAXBLOCK", 7)
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_CHUNK", 1)
    plain = written(tmp_path)
    before = surroundings()
    pairs = plain + traps(tmp_path)
    alone = [outcome(pair) for pair in pairs]
    expected = brute(PREDICTION, REFERENCE), brute(np.stack([PREDICTION] * 3), np.stack([REFERENCE] * 3))
    found = [each for each, _ in alone]
    assert found[: len(plain)] == [expected[pair[1].suffix == ".nii"] for pair in plain]
    assert found[-2:] == ["GridMismatch", "Corrupt"]
    begin, wrong, done = threading.Barrier(THREADS), [], []

    def work(number):
        with rasterio.Env(**(ODD if number % 2 else {})), np.errstate(all="raise" if number % 3 else "warn"):
            begin.wait()
            around = surroundings()[0], np.geterr()
            for each in range(ROUNDS * len(pairs)):
                at = (each * (1, 3, 5)[number % 3] + number) % len(pairs)
                if outcome(pairs[at]) != alone[at]:
                    wrong.append((number, pairs[at]))
            if around != (surroundings()[0], np.geterr()):
                wrong.append((number, "surroundings"))
            done.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == wrong
    assert list(range(THREADS)) == sorted(done)
    assert before == surroundings()
