"""The options of reading, comparing and scoring, each written once; and the settings that they come to.

A field here is all that an option needs: the commands of its part show it, a configuration file has it as a
key, Python as a keyword, and the settings as a field. Where a setting is of another type than what is given
for it, :class:`Settings` has the field again, and :func:`dicecli.runs.scoring.make_settings` makes one of the
other.

The file is long because the list is one: whoever adds an option sees beside it all that it may go with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence  # noqa: TC003 - the options' types are read
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - as above
from typing import TYPE_CHECKING, Any, Literal, get_args

from dicecli.records.label_maps import LabelMap  # noqa: TC001 - as above
from dicecli.records.labels import LabelScheme
from dicecli.records.limits import MAX_MEMORY, MAX_PIXELS
from dicecli.records.only import Only, evaluates
from dicecli.records.options import Option, names_of, option, options, table_of
from dicecli.records.probabilities import CHANNEL_AXIS, OfMaps, Probabilities
from dicecli.records.surfaces import OfSurfaces
from dicecli.records.tools import OfTools

if TYPE_CHECKING:
    from dicecli.records.measurements import Row

Undefined = Literal["skip", "zero", "one"]
Nodata = Literal["auto", "ignore", "background", "label", "both"]
ReadAs = Literal["auto", "index", "colour"]
Geometry = Literal["strict", "ignore"]
Axes = Literal["xy", "ij"]
OnMissing = Literal["error", "zero", "skip"]
Uncovered = Literal["miss", "ignore"]
Average = Literal["macro", "micro", "weighted", "micro-imagewise", "macro-imagewise", "label-mean"]
#: The averages of which one can lead.
AVERAGES: tuple[Average, ...] = get_args(Average)
#: What a run reads its predictions as.
Reads = Literal["labels", "probabilities"]
#: Where pixels can be counted; an installed backend is one more, of its own name.
DEVICES = ("cpu", "cuda", "mps", "auto")


@options
class _Shared:
    """The options that masks and probability maps have, but for those that become part of others."""

    metrics: str | Iterable[str] | None = option(
        None,
        Option(
            "A metric of 'dicecli metrics', or all; of masks boundary: hd95, assd and nsd.",
            part="reporting",
            long="metric",
            short="m",
            metavar="NAME",
            is_many=True,
            is_list=True,
            shown="of masks dice, iou, precision, recall, in JSON all of counts; of probability maps all, in "
            "tables of a batch those that lead",
        ),
    )
    labels: str | Path | Mapping[str, Any] | LabelScheme | None = option(
        None,
        Option(
            "Names, regions, ignore label and colours: a file of the project's own form, nnU-Net's, BIDS's "
            "and others', or a preset: see 'dicecli labels'. Other labels become an error.",
            metavar="FILE|PRESET",
            is_path=True,
            topic="labels",
        ),
    )
    include_background: bool = option(
        False, Option("Take the background into the averages.", part="scoring", topic="labels")
    )
    only: int | str | Iterable[int | str] | Only | None = option(
        None,
        Option(
            "Labels and regions that alone have rows and averages: numbers, ranges as 1-3, names; the "
            "background if it is named. All others are their errors.",
            part="reporting",
            metavar="1,NAME",
            is_many=True,
            is_list=True,
            topic="labels",
        ),
    )
    average: Average = option(
        "macro",
        Option(
            f"The average that leads: a gate without @ and a baseline's drop mean it: {', '.join(AVERAGES)}.",
            part="reporting",
            metavar="NAME",
            is_measured=False,
        ),
    )
    group_by: str | None = option(
        None,
        Option(
            "Also sum up the cases of each value of a column of pairs.csv: fold, site, rater.",
            part="summing",
            metavar="COLUMN",
            is_measured=False,
        ),
    )
    undefined: Undefined = option(
        "skip",
        Option(
            "What Dice and IoU are where both masks are empty: left out of means, 0, or 1.", part="scoring"
        ),
    )
    band: int | None = option(None, Option("The band of a GeoTIFF, from 1.", metavar="N", least=1))
    page: int | None = option(
        None, Option("The page of a TIFF, from 1.", metavar="N", least=1, is_usual=False)
    )
    nodata: Nodata = option(
        "auto",
        Option(
            "What a GeoTIFF's nodata is. auto: left out, or background where it is the background's label. "
            "ignore, both: left out, also where it is 0; of the reference alone, or of either side."
        ),
    )
    read_as: ReadAs = option(
        "auto",
        Option(
            "What the labels of a palette are: its numbers (index), or its colours by the colour table. "
            "auto: the numbers, and an error where colours contradict them.",
            is_usual=False,
        ),
    )
    geometry: Geometry = option(
        "strict",
        Option(
            "ignore: compare pixel by pixel what would be refused for where it lies.",
            part="scoring",
            topic="sides",
        ),
    )
    window: bool = option(
        False,
        Option(
            "Score a mask that is an exact window of the other's pixel grid within it, as a tile of a map.",
            part="scoring",
            topic="sides",
        ),
    )
    axes: Axes | None = option(
        None,
        Option(
            "What the first axis of a NIfTI is, beside an image: xy, the column, as of ITK; ij, the row.",
            shown="ij, but refused where xy fits far better",
            is_usual=False,
        ),
    )
    missing: OnMissing = option(
        "error",
        Option(
            "Where a reference has no prediction, a class no file, or a point no map: a failed case, taken "
            "for missed, or left out.",
            part="pairing",
        ),
    )
    max_pixels: int = option(
        MAX_PIXELS,
        Option(
            "Refuse a mask of more pixels.",
            metavar="N",
            least=1,
            shown=f"2^{MAX_PIXELS.bit_length() - 1}",
            is_measured=False,
            is_usual=False,
        ),
    )
    max_memory: int | str = option(
        MAX_MEMORY,
        Option(
            "Memory of a mask, as 500MB or 4GiB: it is read in smaller windows, or refused. Each side has as "
            "much, in each of several --jobs.",
            metavar="SIZE",
            shown=f"{MAX_MEMORY >> 30}GiB",
            is_measured=False,
            is_usual=False,
        ),
    )


@options
class _OfMasks:
    """The options that masks alone have."""

    uncovered: Uncovered = option(
        "miss",
        Option(
            "Of a folder of tiles against one raster: whether what no tile covers counts as missed.",
            part="pairing",
            after="missing",
            is_measured=False,
        ),
    )

    threshold: float | None = option(
        None,
        Option(
            "Values of T and more are label 1, others 0: for probability maps and soft edges.",
            metavar="T",
            above=0,
            after="undefined",
        ),
    )
    argmax: bool = option(
        False,
        Option(
            "A 4-D NIfTI, or a GeoTIFF of several bands, holds a score per label: take the label with the "
            "largest.",
            after="missing",
        ),
    )
    channel_axis: int | None = option(None, CHANNEL_AXIS)
    device: str = option(
        "cpu",
        Option(
            "Where to count; a GPU needs the extra 'torch'.",
            choices=DEVICES,
            plugins="backends",
            after="channel_axis",
            part="scoring",
            topic="running",
        ),
    )
    per_slice: bool = option(
        False,
        Option(
            "Count every slice, too: what has one place along the last axis of the reference.",
            after="device",
            part="measuring",
            measures="slices",
        ),
    )


@options
class Options(_Shared):
    """The options that masks and probability maps have, as they are given."""

    regions: Mapping[str, Sequence[int]] | None = option(
        None,
        Option(
            "Also score these labels as one.",
            long="region",
            metavar="NAME=1,2,3",
            is_many=True,
            after="labels",
            topic="labels",
        ),
    )
    ignore_label: int | str | Iterable[int] | None = option(
        None,
        Option(
            "Leave out pixels whose reference is N.",
            metavar="N",
            is_many=True,
            is_list=True,
            after="regions",
            topic="labels",
        ),
    )

    map_reference: str | Mapping[Any, int | str] | LabelMap | None = option(
        None,
        Option(
            "What labels of the reference are read as: '5=1,6=1', '0-149:+1', '10=1,255=ignore'.",
            metavar="MAP",
            after="ignore_label",
            topic="labels",
        ),
    )


@options
class MaskOptions(OfTools, OfSurfaces, _OfMasks, Options):
    """The options of masks, as they are given."""

    map_prediction: str | Mapping[Any, int | str] | LabelMap | None = option(
        None,
        Option(
            "What labels of the prediction are read as: '5=1,6=1', '0-149:+1', '10=1,*=ignore'. It goes "
            "before 'map' of the labels file.",
            metavar="MAP",
            after="ignore_label",
            topic="labels",
        ),
    )


@options
class MapOptions(OfMaps, Options):
    """The options of probability maps, as they are given."""


@options
class AnyOptions(MapOptions, MaskOptions):
    """Every option, as it is given; those of the other kind have to stay as they are by default."""


#: Which options of masks say how one map of classes is read; and which ones a map against points has, beside
#: those on what is reported.
OF_ONE_MAP = (
    *("labels", "ignore_label", "map_prediction", "threshold", "band", "page", "nodata", "read_as", "argmax"),
    *("max_pixels", "max_memory"),
)
AT_POINTS = (*OF_ONE_MAP, "regions", "map_reference", "include_background", "undefined", "missing")
#: Which options go with what a run reads.
KINDS: Mapping[Reads, type[Options]] = {"labels": MaskOptions, "probabilities": MapOptions}
#: What predictions are, in words.
CALLED: Mapping[Reads, str] = {"labels": "masks", "probabilities": "probability maps"}


def reads_of(name: str) -> tuple[Reads, ...]:
    """Return which kinds of runs have an option."""
    return tuple(reads for reads, kind in KINDS.items() if name in table_of(kind))


@dataclass(frozen=True, kw_only=True)
class Settings(OfTools, OfSurfaces, _OfMasks, _Shared):
    """How masks are read, compared and scored: the options of a run, each as it is meant.

    Attributes
    ----------
    metrics : tuple of str or None
        Names from the catalogue; None: the usual four in tables, every one in JSON.
    labels : LabelScheme
        Names, regions, ignore labels, background and colours.
    only : Only or None
        The labels and regions that alone have rows and averages; None: all.
    channel_axis : int
        The axis of the scores with argmax.
    max_memory : int
        Bytes that each mask may take at once: it is read in windows that fit, and refused where it needs more
        all the same, as a whole PNG, a block of a GeoTIFF, or a compressed NIfTI that cannot be streamed.
    tolerance : tuple of str
        As they stand in names: ``2mm``.
    length_unit : str or None
        What lengths have to be in, where a metric was asked for by a name with a unit: ``hd95_mm``.
    soft : Probabilities or None
        How predictions are read as probabilities; None: they are masks.
    """

    metrics: tuple[str, ...] | None = None
    labels: LabelScheme = field(default_factory=LabelScheme)
    only: Only | None = None
    channel_axis: int = -1
    max_memory: int = MAX_MEMORY
    tolerance: tuple[str, ...] = ()
    length_unit: str | None = None
    soft: Probabilities | None = None

    @property
    def reads(self) -> Reads:
        """What predictions are read as."""
        return "labels" if self.soft is None else "probabilities"

    @property
    def statistics(self) -> tuple[str, ...]:
        """The statistics that are measured because of an option, whatever metrics are asked for."""
        every = table_of(type(self)).values()
        return tuple(each.measures for each in every if each.measures and getattr(self, each.name))

    def option(self, name: str) -> Any:
        """Return the value of an option, of probability maps as well."""
        return getattr(self if name in self.__dataclass_fields__ else self.soft, name)

    @property
    def expects_raw_labels(self) -> bool:
        """Whether 255 is a label like any other, so that masks of 0 and 255 keep their values."""
        named = () if self.only is None else self.only.labels
        return self.labels.is_declared or 255 in {*self.labels.ignore, *named}

    def evaluates(self, label: int) -> bool:
        """Tell whether a label, where a mask has it, has a row and goes into averages."""
        return evaluates(label, self.labels, self.only, include_background=self.include_background)

    def has_layer(self, row: Row) -> bool:
        """Tell whether a binary layer has a row: any, or where some alone are asked for one of them."""
        return self.only is None or self.only.has_layer(row, self.labels.regions)

    def to_dict(self) -> dict[str, Any]:
        """Return what a report says about the settings: JSON's types only."""
        from dicecli.records.codec import written

        found: dict[str, Any] = {}
        for name in names_of(Settings):
            value = written(getattr(self, name))
            if name == "labels":
                del value["colours"], value["alike"], value["sha256"], value["maps"]
                found["labels"] = value.pop("source")
                found |= {"ignore_labels" if key == "ignore" else key: each for key, each in value.items()}
                found |= {f"map_{side}": each.text for side, each in sorted(self.labels.maps.items())}
            elif name not in {"soft", "length_unit"} or value is not None:
                found[name] = value
        return found


def differences(one: Settings, other: Settings) -> list[str]:
    """Return the names of the options in which two settings differ; where labels come from is none of them.

    Settings that were read back from a report have no colours, so that these count only where both have them.
    """
    mine, others = one.to_dict(), other.to_dict()
    found = [key for key in {**mine, **others} if key != "labels" and mine.get(key) != others.get(key)]
    colours = [each.labels.colours for each in (one, other)]
    return found + ["labels"] * (all(colours) and colours[0] != colours[1])
