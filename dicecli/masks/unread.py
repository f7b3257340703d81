"""Formats of images and volumes that the field has and that are not read; and what to do about them."""

from __future__ import annotations

import os
import shlex

from dicecli.errors import UnknownFormat
from dicecli.masks import files
from dicecli.plugins import suffixes, with_others

#: What Pillow reads without loss.
_PICTURES = frozenset({".bmp", ".gif", ".jp2", ".pbm", ".pcx", ".pgm", ".pnm", ".ppm", ".tga", ".webp"})
#: What changes pixels as it is saved.
_LOSSY = frozenset({".jfif", ".jpe", ".jpeg", ".jpg", ".avif", ".heic"})
#: What nibabel reads.
_OF_NIBABEL = frozenset({".mgh", ".mgz"})
#: Volumes that 3D Slicer and SimpleITK read.
_VOLUMES = frozenset(
    {".dcm", ".dicom", ".gipl", ".mha", ".mhd", ".nhdr", ".nrrd", ".seg.nrrd", ".mnc", ".vtk", ".vti", ".am"}
)
#: Arrays and slides, which hold anything.
_STORES = frozenset(
    {".h5", ".hdf5", ".npz", ".npy", ".mat", ".zarr", ".n5", ".jxl", ".exr", ".vrt", ".ecw", ".jp2k", ".j2k"}
    | {".svs", ".ndpi", ".mrxs", ".czi", ".lif", ".nd2", ".scn", ".vsi", ".klb", ".ims", ".gpkg", ".qptiff"}
    | {".hdf", ".he5", ".nc", ".nc4", ".fits", ".fit", ".raw", ".par", ".rec", ".lsm", ".stk", ".btf", ".tf8"}
    | {".psd", ".xcf", ".dds", ".ico", ".pfm", ".pam", ".sgi", ".ima", ".kea", ".sid", ".adf", ".hgt"}
)
#: What any file may be packed with.
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".lzma", ".zip")
_EVERY = _PICTURES | _LOSSY | _OF_NIBABEL | _VOLUMES | _STORES
#: Folders that are one array.
FOLDERS = frozenset({".zarr", ".n5"})


def suffix(path: str | os.PathLike[str]) -> str | None:
    """Return the suffix of a file that no format reads, if it is one of images or volumes; else None.

    The suffix of a mask is one as well: where probabilities are read, masks are not.
    """
    end = files.suffix(path)
    if end in _PACKED:
        inside = suffix(os.fspath(path)[: -len(end)])
        return inside and inside + end
    if end == ".nrrd" and os.fspath(path).lower().endswith(".seg.nrrd"):
        return ".seg.nrrd"
    return end if end in _EVERY or end in suffixes("formats", "open_mask", of_folder=True) else None


def refusal(path: str) -> UnknownFormat:
    """Make the error of a mask whose suffix is no format's, with what to do about it.

    Raises
    ------
    Unreadable
        The file cannot be looked at.
    """
    end = suffix(path)
    if end in _PICTURES:
        hint = f"Save it as PNG: {_python('PIL.Image', 'open({!r}).save({!r})', path, '.png')}"
    elif end in _LOSSY:
        hint = "This format changes pixels as it saves them: save the mask as .png where it is made."
    elif end in _OF_NIBABEL:
        hint = f"Save it as NIfTI: {_python('nibabel', 'save(m.load({!r}), {!r})', path, '.nii.gz')}"
    elif end in _VOLUMES:
        hint = "Save it as .nii.gz, in 3D Slicer or with ReadImage and WriteImage of SimpleITK."
    else:
        given = with_others("formats", "open_mask", "Give .png, .nii, .nii.gz, .hdr with .img, .tif or .tiff")
        hint = f"{given}."
    return UnknownFormat(
        f"the suffix '{files.suffix(path)}' belongs to no format that is read here; the content looks like "
        f"{files.looks_like(files.head(path))}",
        hint,
        path,
    )


def _python(module: str, call: str, path: str, end: str) -> str:
    to = path[: -len(files.suffix(path))] + end
    return f"python -P -c {shlex.quote(f'import {module} as m; m.{call.format(path, to)}')}"
