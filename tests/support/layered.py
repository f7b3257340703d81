"""Binary layers that overlap: drawn, written in every way that there is, and counted by brute force."""

from __future__ import annotations

import make
import numpy as np

from dicecli.statistics.matrix import region_counts

#: What inside and outside may be stored as: the type, and the value of inside.
STORED = [("uint8", 1), ("uint8", 255), ("int16", 1), ("float32", 1), ("float64", 255)]
#: Regions of a label map of labels 1, 2 and 3, and the words that declare them.
REGIONS = {"whole": (1, 2, 3), "core": (1, 3), "rest": (3,)}
WORDS = [part for name, of in REGIONS.items() for part in ("--region", f"{name}={','.join(map(str, of))}")]


def drawn(shape, number=3, seed=0):
    """Return some layers of blobs, the first axis being theirs; they overlap, and none is empty."""
    found = np.stack([make.blobs(shape, 2, 100 * seed + at) for at in range(number)]).astype(bool)
    assert found.any(axis=tuple(range(1, found.ndim))).all()
    assert number < 2 or (found.sum(axis=0) > 1).any()
    return found


def of_map(labels):
    """Return the regions of a label map as layers."""
    return np.stack([np.isin(labels, members) for members in REGIONS.values()])


def written(path, layers, dtype="uint8", full=1, **options):
    """Write layers, or a label map, as the suffix says: bands of a GeoTIFF, the last axis of a NIfTI."""
    array = layers.astype(dtype) * np.dtype(dtype).type(full) if layers.dtype == bool else layers
    if path.suffix == ".tif":
        # GDAL would mark three or four bands of bytes as colours.
        return str(make.geotiff(path, array, **({"photometric": "minisblack", "alpha": "no"} | options)))
    volume = np.moveaxis(array, 0, -1) if array.ndim == 4 else array
    return str(make.nifti(path, volume, **options))


def image(layers, dtype="uint8", full=1):
    """Return an image of nibabel, of layers of booleans, or of stored values with the layers first."""
    import nibabel

    stored = layers.astype(dtype) * np.dtype(dtype).type(full) if layers.dtype == bool else layers
    return nibabel.Nifti1Image(np.moveaxis(stored, 0, -1), np.eye(4))


def brute(prediction, reference):
    """Count each layer pixel by pixel."""
    return [
        make.brute(one.astype(int), other.astype(int))[1]
        for one, other in zip(prediction, reference, strict=True)
    ]


def found(result):
    """Return the counts of each layer of a scored case by its name, in their order."""
    rows = [row for row in result.measured.rows("matrix") if row.kind == "region"]
    return region_counts(result.measured, {row.name: () for row in rows})
