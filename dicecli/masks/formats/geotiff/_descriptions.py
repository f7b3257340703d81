"""What ImageJ, OME-XML and tifffile say in a TIFF's description: what its pages are, and how far apart."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_IN_MM = {
    "m": 1e3, "cm": 10.0, "mm": 1.0, "um": 1e-3, "nm": 1e-6, "pm": 1e-9, "å": 1e-7, "in": 25.4, "ft": 304.8,
    "micron": 1e-3, "microns": 1e-3, "micrometer": 1e-3, "micrometre": 1e-3, "micrometers": 1e-3,
    "micrometres": 1e-3, "millimeter": 1.0, "millimetre": 1.0, "millimeters": 1.0, "millimetres": 1.0,
    "centimeter": 10.0, "centimetre": 10.0, "meter": 1e3, "metre": 1e3, "nanometer": 1e-6, "nanometre": 1e-6,
    "nanometers": 1e-6, "nanometres": 1e-6, "angstrom": 1e-7, "inch": 25.4, "inches": 25.4, "foot": 304.8,
}  # fmt: skip
#: Units that say that nothing is known.
_NONE = {"", "pixel", "pixels", "reference frame", "voxel", "voxels"}
#: In millimetres, as for NIfTI: no voxel is smaller, none is larger.
_SMALLEST, _LARGEST = 1e-9, 1e9


@dataclass(frozen=True)
class Described:
    """What a description says of the images of its file.

    Attributes
    ----------
    program : {"ImageJ", "OME-XML", "tifffile"}
        Whose words they are.
    images : int
        How many there are.
    slices, channels, times : int
        What they are: as many as the product says, where nothing is contradicted.
    order : str
        ``z``, ``c`` and ``t``, the one that changes from page to page first.
    spacing : tuple of float or None
        Of rows, columns and slices, in `unit`.
    unit : {"mm", None}
    oddity : str or None
        Why sizes are not known although the description speaks of them.
    is_in_order : bool
        Whether the pages lie in the order that `order` says.
    """

    program: str
    images: int
    slices: int = 1
    channels: int = 1
    times: int = 1
    order: str = "czt"
    spacing: tuple[float, ...] | None = None
    unit: str | None = None
    oddity: str | None = None
    is_in_order: bool = True

    @property
    def is_contradictory(self) -> bool:
        """Whether there are not as many images as slices, channels and times together."""
        return not self.is_in_order or self.images != self.slices * self.channels * self.times

    def as_slices(self, number: int) -> Described:
        """Return the same of so many slices and nothing else."""
        return replace(self, images=number, slices=number, channels=1, times=1)

    def of_channel(self, channel: int) -> list[int]:
        """Return the pages of one channel, from 0, in the order of its slices."""
        sizes = {"z": self.slices, "c": self.channels, "t": self.times}
        step = math.prod(sizes[each] for each in self.order[: self.order.index("c")])
        return [page for page in range(self.images) if page // step % self.channels == channel]


def described(
    text: str, size: tuple[int, int], samples: int, resolution: tuple[float | None, float | None]
) -> Described | None:
    """Read a description; None where it is none of those known, or says nothing of several images.

    Parameters
    ----------
    text : str
    size : tuple of int
        Rows and columns of a page.
    samples : int
        Of a pixel.
    resolution : tuple of float or None
        Pixels in a unit, along a column and along a row.
    """
    if text.startswith("ImageJ="):
        return _imagej(text, resolution)
    if text.startswith("<") and re.search("[<:]OME[ >]", text[:8192]):
        return _ome(text, samples)
    if text.startswith('{"shape":') and len(text) < 1 << 16:
        return _tifffile(text, math.prod(size) * samples)
    return None


def _imagej(text: str, resolution: tuple[float | None, float | None]) -> Described:
    """Read ImageJ's lines, as its TiffDecoder does; an absent spacing is 1, which it does not write."""
    said = dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line)
    images, channels, slices, times = (
        _whole(said.get(each)) for each in ("images", "channels", "slices", "frames")
    )
    if channels == slices == times == 1:
        slices = images
    units = [said.get(f"{axis}unit", said.get("unit", "")) for axis in ["y", "z"]]
    steps = [1 / each if each else None for each in resolution]
    depth = _number(said.get("spacing", "1"))
    y_unit, z_unit = units
    spacing, unit, oddity = _in_mm([*steps, depth], [y_unit, said.get("unit", ""), z_unit])
    return Described("ImageJ", images, slices, channels, times, "czt", spacing, unit, oddity)


def _ome(text: str, samples: int) -> Described | None:
    """Read the sizes of an OME-XML; of several images, that they are several."""
    found = list(_elements(text, "Pixels"))
    if not found:
        return None
    pixels = found[0]
    slices, channels, times = (_whole(pixels.get(f"Size{each}")) for each in "ZCT")
    channels = max(1, channels // samples)
    order = pixels.get("DimensionOrder", "XYCZT")[2:].lower()
    steps = [_number(pixels.get(f"PhysicalSize{axis}")) for axis in "YXZ"]
    units = [pixels.get(f"PhysicalSize{axis}Unit", "µm") for axis in "YXZ"]
    spacing, unit, oddity = _in_mm(steps, units)
    images = slices * channels * times
    if sorted(order) != ["c", "t", "z"]:
        order, images = "czt", 0
    made = Described("OME-XML", images, slices, channels, times, order, spacing, unit, oddity)
    places = [{key: _whole(value, 0) for key, value in each.items()} for each in _elements(text, "TiffData")]
    is_in_order = len(found) == 1 and all(_is_in_place(each, made) for each in places if "IFD" in each)
    return made if is_in_order else Described("OME-XML", images, slices, channels, times, is_in_order=False)


def _is_in_place(said: Mapping[str, int], made: Described) -> bool:
    """Whether a page stands where the order of dimensions has it, or that of the slices in their own file."""
    sizes = {"z": made.slices, "c": made.channels, "t": made.times}
    at, step = 0, 1
    for axis in made.order:
        at += step * said.get(f"First{axis.upper()}", 0)
        step *= sizes[axis]
    return said["IFD"] in {at, said.get("FirstZ", 0)}


def _elements(text: str, name: str) -> Iterator[dict[str, str]]:
    """Yield the attributes of each element of a name, comments apart; in time that grows with the text."""
    import html

    for part in _without_comments(text).split("<")[1:]:
        inside = part.partition(">")[0]
        tag = re.match(r"[\w:.-]*", inside)
        if tag is not None and tag[0].rpartition(":")[2] == name:
            pairs = re.findall(r"""(?<!\w)(\w++)\s*+=\s*+("[^"]*"|'[^']*')""", inside)
            yield {key: html.unescape(value[1:-1]) for key, value in pairs}


def _without_comments(text: str) -> str:
    first, *others = text.split("<!--")
    return first + "".join(each.partition("-->")[2] for each in others)


def _tifffile(text: str, pixels: int) -> Described | None:
    """Read the shape of the array that was saved: its axes before those of a page are of pages."""
    try:
        said = json.loads(text)
        shape = [int(n) for n in said["shape"]]
        axes = str(said.get("axes", "")) or "Q" * len(shape)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    images, left = divmod(math.prod(shape), pixels)
    if left or images < 2 or len(axes) != len(shape) or min(shape) < 1:
        return None
    leading: list[tuple[str, int]] = []
    for letter, n in zip(axes, shape, strict=True):
        if math.prod(each for _, each in leading) < images and n > 1:
            leading.append(({"C": "c", "T": "t"}.get(letter, "z"), n))
    sizes = dict(leading)
    if len(sizes) < len(leading):  # several axes of which nothing is known: volumes, one after the other
        sizes = {"t": images // leading[-1][1], "z": leading[-1][1]}
    order = "".join([*reversed(sizes), *(each for each in "czt" if each not in sizes)])
    slices, channels, times = (sizes.get(each, 1) for each in "zct")
    return Described("tifffile", images, slices, channels, times, order)


def _in_mm(
    steps: Sequence[float | None], units: Sequence[str]
) -> tuple[tuple[float, ...] | None, str | None, str | None]:
    """Return steps in millimetres and that unit; None, and why, where they are not known."""
    words = [_word(each) for each in units]
    if all(each in _NONE for each in words) or all(each is None for each in steps):
        return None, None, None
    factors = [_IN_MM.get(each) for each in words]
    if None in factors:
        strange = sorted({unit for unit, each in zip(units, factors, strict=True) if each is None})
        return None, None, f"its description has the unit {strange[0][:40]!r}: sizes are unknown"
    found = [(step or 0.0) * (factor or 0.0) for step, factor in zip(steps, factors, strict=True)]
    if not all(_SMALLEST < abs(each) < _LARGEST for each in found):
        return None, None, "its description does not say how far apart pixels lie along every axis"
    return tuple(abs(each) for each in found), "mm", None


def _word(unit: str) -> str:
    """Return a unit as it stands in the table: ImageJ escapes the micro sign, of which there are two."""
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), unit).strip().strip('"')
    return plain.replace("\u00b5", "u").replace("\u03bc", "u").lower()


def _whole(text: str | None, default: int = 1) -> int:
    """Return a whole number above 0, or `default`, which may be 0."""
    return int(text) if text and re.fullmatch(r"\s*[0-9]{1,9}\s*", text) and int(text) >= default else default


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
