"""The options of a run, in one record that travels to workers and into reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from dicecli.records.labels import LabelScheme
from dicecli.records.limits import MAX_MEMORY, MAX_PIXELS
from dicecli.records.softness import Softness  # noqa: TC001 - the codec reads types

Undefined = Literal["skip", "zero", "one"]
Nodata = Literal["auto", "ignore", "background", "label"]
Geometry = Literal["strict", "ignore"]
Missing = Literal["error", "zero", "skip"]
#: Where pixels can be counted; an installed backend is one more, of its own name.
DEVICES = ("cpu", "cuda", "mps", "auto")


@dataclass(frozen=True)
class Settings:
    """How masks are read, compared and scored; the same words as on the command line.

    Attributes
    ----------
    metrics : tuple of str or None
        Names from the catalogue; None: the usual four in tables, every one in JSON.
    labels : LabelScheme
        Names, regions, ignore labels, background and colours.
    include_background : bool
        Whether the background label takes part in averages.
    undefined : {"skip", "zero", "one"}
        What a metric is where both masks are empty.
    threshold : float or None
        Values at or above it are label 1, below it 0.
    band : int or None
        The band of a GeoTIFF, from 1.
    nodata : {"auto", "ignore", "background", "label"}
        What a GeoTIFF's nodata value means.
    geometry : {"strict", "ignore"}
        Whether the two grids must lie on each other.
    missing : {"error", "zero", "skip"}
        What a reference without prediction is: a failed case, an empty prediction, or left out.
    argmax : bool
        Whether several volumes are scores per label, the label being the index of the largest.
    channel_axis : int
        The axis of those volumes.
    device : {"cpu", "cuda", "mps", "auto"} or str
        Where pixels are counted.
    max_pixels : int
        A mask of more is refused.
    max_memory : int
        A mask that needs more bytes at once is refused: a whole PNG, a block of a GeoTIFF, a compressed NIfTI
        that cannot be streamed.
    soft : Softness or None
        How predictions are read as probabilities; None: they are masks.
    """

    metrics: tuple[str, ...] | None = None
    labels: LabelScheme = field(default_factory=LabelScheme)
    include_background: bool = False
    undefined: Undefined = "skip"
    threshold: float | None = None
    band: int | None = None
    nodata: Nodata = "auto"
    geometry: Geometry = "strict"
    missing: Missing = "error"
    argmax: bool = False
    channel_axis: int = -1
    device: str = "cpu"
    max_pixels: int = MAX_PIXELS
    max_memory: int = MAX_MEMORY
    soft: Softness | None = None
    average: str = "macro"

    @property
    def reads(self) -> Literal["labels", "probabilities"]:
        """What predictions are: masks of labels, or maps of probabilities."""
        return "labels" if self.soft is None else "probabilities"

    def option(self, name: str) -> Any:
        """Return the value of an option, also of one of probability maps."""
        return getattr(self if hasattr(self, name) else self.soft, name)

    @property
    def expects_raw_labels(self) -> bool:
        """Whether 255 is a label like any other, so that masks of 0 and 255 keep their values."""
        return self.labels.is_declared or 255 in self.labels.ignore

    def to_dict(self) -> dict[str, Any]:
        """Return what a report says about the settings: JSON's types only."""
        scheme = self.labels
        soft = {} if self.soft is None else {"soft": self.soft.to_dict()}
        return {
            "metrics": None if self.metrics is None else list(self.metrics),
            "labels": scheme.source,
            "names": {str(label): name for label, name in scheme.names.items()},
            "regions": {name: list(members) for name, members in scheme.regions.items()},
            "ignore_labels": list(scheme.ignore),
            "background": scheme.background,
            "include_background": self.include_background,
            "undefined": self.undefined,
            "average": self.average,
            "threshold": self.threshold,
            "band": self.band,
            "nodata": self.nodata,
            "geometry": self.geometry,
            "missing": self.missing,
            "argmax": self.argmax,
            "channel_axis": self.channel_axis,
            "device": self.device,
            "max_pixels": self.max_pixels,
            "max_memory": self.max_memory,
            **soft,
        }
