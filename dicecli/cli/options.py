"""The options that commands share, each defined once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from dicecli.cli.choices import PluginChoice
from dicecli.errors import UsageError
from dicecli.records.labels import parse_region
from dicecli.records.limits import MAX_MEMORY, MAX_PIXELS
from dicecli.records.settings import DEVICES

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., Any]

MASK = click.Path(path_type=str, readable=False)

_LABELLING = [
    click.option(
        "--labels",
        metavar="FILE|PRESET",
        help="Names, regions, ignore label and colours: a JSON file of the project's own form, nnU-Net's "
        "dataset.json, or voc, cityscapes, cityscapes-train, ade20k, brats. Other labels become an error.",
    ),
    click.option(
        "--region",
        "regions",
        metavar="NAME=1,2,3",
        multiple=True,
        help="Also score these labels as one. Repeatable.",
    ),
    click.option(
        "--ignore-label",
        type=int,
        metavar="N",
        multiple=True,
        help="Leave out pixels whose reference is N. Repeatable.",
    ),
]

_BANDS = [
    click.option("--band", type=click.IntRange(1), metavar="N", help="The band of a GeoTIFF, from 1."),
    click.option(
        "--nodata",
        type=click.Choice(["auto", "ignore", "background", "label"]),
        default="auto",
        show_default=True,
        help="What a GeoTIFF's nodata is. auto: left out, or background where it is the background's label.",
    ),
]

_LIMITS = [
    click.option(
        "--max-pixels",
        type=click.IntRange(1),
        metavar="N",
        help=f"Refuse a mask of more pixels.  [default: 2^{MAX_PIXELS.bit_length() - 1}]",
    ),
    click.option(
        "--max-memory",
        metavar="SIZE",
        help="Refuse a mask that needs more memory at once, as 500MB or 4GiB.  "
        f"[default: {MAX_MEMORY >> 30}GiB]",
    ),
]

_READING = [
    *_LABELLING,
    click.option(
        "--threshold",
        type=float,
        metavar="T",
        help="Values of T and more are label 1, others 0: for probability maps and soft edges.",
    ),
    *_BANDS,
    click.option(
        "--argmax",
        is_flag=True,
        help="A 4-D NIfTI holds a score per label: take the label with the largest.",
    ),
    click.option(
        "--channel-axis",
        type=click.IntRange(-4, 3),
        default=-1,
        show_default=True,
        metavar="N",
        help="With --argmax, the axis of the scores.",
    ),
    *_LIMITS,
]

_CHOOSING = [
    click.option(
        "-m",
        "--metric",
        "metrics",
        metavar="NAME",
        multiple=True,
        help="A metric of 'dicecli metrics', or all. Repeatable.  [default: dice, iou, precision, recall; "
        "in JSON all of counts]",
    ),
]

_BACKGROUND = click.option(
    "--include-background", is_flag=True, help="Take the background into the averages."
)
_GEOMETRY = click.option(
    "--geometry",
    type=click.Choice(["strict", "ignore"]),
    default="strict",
    show_default=True,
    help="ignore: compare pixel by pixel, wherever the masks lie.",
)

_SCORING = [
    _BACKGROUND,
    click.option(
        "--undefined",
        type=click.Choice(["skip", "zero", "one"]),
        default="skip",
        show_default=True,
        help="What Dice and IoU are where both masks are empty: left out of means, 0, or 1.",
    ),
    _GEOMETRY,
    click.option(
        "--device",
        type=PluginChoice("backends", DEVICES),
        default="cpu",
        show_default=True,
        help="Where to count; a GPU needs the extra 'torch'.",
    ),
]

_SOFTNESS = [
    click.option(
        "--logits",
        type=click.Choice(["sigmoid", "softmax"]),
        help="The values are no probabilities yet: turn them into some.",
    ),
    click.option(
        "--temperature",
        type=float,
        default=1.0,
        show_default=True,
        metavar="T",
        help="With --logits, divide them by T first.",
    ),
    click.option(
        "--channels",
        metavar="0,1,2",
        help="What the channels are, in their order: labels, their names, or regions.  [default: the "
        "declared labels; else 0, 1 ..., or for a single channel and for --independent 1, 2 ...]",
    ),
    click.option(
        "--independent",
        is_flag=True,
        help="Each channel is a probability of its own: they need not sum to 1.",
    ),
    click.option(
        "--accept-labels", is_flag=True, help="Take a map of nothing but 0 and 1 for probabilities."
    ),
    click.option(
        "--smooth",
        type=float,
        default=1e-5,
        show_default=True,
        metavar="E",
        help="What soft Dice adds above and below (ε).",
    ),
    click.option(
        "--form",
        type=click.Choice(["standard", "jaccard", "squared"]),
        default="standard",
        show_default=True,
        help="The form of Dice in dice + CE, and in statistics over cases.",
    ),
    click.option(
        "--dice-weight", type=float, default=1.0, show_default=True, metavar="W", help="Of Dice in dice + CE."
    ),
    click.option(
        "--ce-weight",
        type=float,
        default=1.0,
        show_default=True,
        metavar="W",
        help="Of cross-entropy in dice + CE.",
    ),
    click.option(
        "--curve",
        metavar="FILE",
        help="Write Dice, precision and recall at every threshold to FILE: .csv, or .png (extra 'plot').",
    ),
]
#: What click calls the options on probabilities.
SOFT_OPTIONS = (
    "logits",
    "temperature",
    "channels",
    "independent",
    "accept_labels",
    "smooth",
    "form",
    "dice_weight",
    "ce_weight",
    "curve",
)

_TIMEOUT = click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Stop a case that takes longer: it is a failed one.  [default: no limit]",
)

_RUNNING = [
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="With --executor dask, a cluster that exists: tcp://host:8786.  [default: one on this machine]",
    ),
    _TIMEOUT,
]

_TALKING = [
    click.option("-v", "--verbose", is_flag=True, help="Show every label, and say what was done."),
    click.option("-q", "--quiet", is_flag=True, help="Print no notes to standard error."),
]


def reading(command: Command) -> Command:
    """Add the options on how masks are read."""
    return _added(command, _READING)


def scoring(command: Command) -> Command:
    """Add the options on how masks are compared."""
    return _added(command, [*_CHOOSING, *_SCORING])


def soft_reading(command: Command) -> Command:
    """Add the options on how a map of probabilities and its reference are read and compared."""
    axis = click.option(
        "--channel-axis",
        type=click.IntRange(-4, 3),
        metavar="N",
        help="The axis of the channels of a .npy.  [default: found by the reference's shape]",
    )
    return _added(
        command, [*_CHOOSING, *_SOFTNESS, axis, *_LABELLING, *_BANDS, _BACKGROUND, _GEOMETRY, *_LIMITS]
    )


def softness(command: Command) -> Command:
    """Add the options that only maps of probabilities have."""
    return _added(command, _SOFTNESS)


def choosing(command: Command) -> Command:
    """Add the option that chooses metrics."""
    return _added(command, _CHOOSING)


def running(command: Command) -> Command:
    """Add the options on where a case is scored, and for how long."""
    return _added(command, _RUNNING)


def limiting(command: Command) -> Command:
    """Add the option on how long a case may take."""
    return _added(command, [_TIMEOUT])


def talking(command: Command) -> Command:
    """Add the options on how much is said."""
    return _added(command, _TALKING)


def _added(command: Command, options: list[Any]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def settings_from(options: dict[str, Any]) -> Any:
    """Build the settings from the options of :func:`reading` and :func:`scoring`.

    Raises
    ------
    UsageError
        A metric, region or labels file that does not exist or is not understood.
    """
    from dicecli.runs.scoring import make_settings

    return make_settings(regions=_regions(options), **options)


def soft_settings_from(options: dict[str, Any]) -> Any:
    """Build the settings from the options of :func:`soft_reading`, without that of the curve.

    Raises
    ------
    UsageError
    """
    from dicecli.runs.soft import make_soft_settings

    return make_soft_settings(regions=_regions(options), **options)


def _regions(options: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    regions: dict[str, tuple[int, ...]] = {}
    for text in options.pop("regions", ()):
        name, members = parse_region(text)
        if name in regions:
            raise UsageError(f"region '{name}' is given twice", "Name all of its labels at once: NAME=1,2,3.")
        regions[name] = members
    return regions


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
