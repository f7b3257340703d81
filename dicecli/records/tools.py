"""Other tools of the field: by which options their numbers come about, and which of them are not to be had.

Each line was read in the tool's source or printed by it, in the version that is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping  # noqa: TC003 - the options' types are read
from dataclasses import dataclass, field
from typing import Literal

from dicecli.records.options import Option, option, options

Tool = Literal["metricsreloaded", "monai", "medpy", "panoptica", "deepmind", "gcm", "nnunet"]
#: Of counts, in most tools or in some.
_OF_COUNTS = ("dice", "f1", "iou")
_OF_EVERY = ("precision", "recall", "specificity", "accuracy")


@dataclass(frozen=True)
class Wrong:
    """A word that means another number in a tool than here, or a number that is wrong there.

    Attributes
    ----------
    there : str
        What the tool does.
    instead : tuple of str
        The metrics here that give that number, or all that it is made of; empty: none does.
    """

    there: str
    instead: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conventions:
    """What a tool does where tools differ.

    Attributes
    ----------
    title : str
        The tool and its version.
    sets : mapping of str to str
        The options, by their names in Python, whose values are others than by default.
    has : tuple of str
        The functions of the metrics whose numbers it gives as well, whatever they are called there.
    wrong : mapping of str to Wrong
        By the function of a metric, or by a word that is none here.
    """

    title: str
    sets: Mapping[str, str]
    has: tuple[str, ...]
    wrong: Mapping[str, Wrong] = field(default_factory=dict)


_DISTANCES = ("hd", "hd_percentile")
_DIRECTED = ("asd_to_reference", "asd_to_prediction")
_MODIFIED = Wrong("its modified Hausdorff distance is the larger of both directed means", _DIRECTED)
#: By the word of ``--like``. What they do where a mask is empty, and what is not followed: docs/boundary.md.
TOOLS: Mapping[str, Conventions] = {
    "metricsreloaded": Conventions(
        "MetricsReloaded",
        sets={"undefined": "one"},
        has=(
            *(*_OF_COUNTS, "fbeta", *_OF_EVERY, "balanced_accuracy", "npv", "fpr", "kappa", "mcc"),
            *(*_DISTANCES, "assd", "masd", "nsd", "boundary_iou", "centre_distance"),
            "relative_volume_error",
        ),
    ),
    "monai": Conventions(
        "MONAI 1.6.1",
        sets={"average": "macro-imagewise"},
        has=(
            *(*_OF_COUNTS, *_OF_EVERY, "balanced_accuracy", "npv", "fpr", "fnr", "fdr", "mcc"),
            *(*_DISTANCES, "hd_to_reference", "hd_percentile_to_reference"),
            *("assd", "asd_to_reference", "nsd"),
        ),
    ),
    "medpy": Conventions(
        "MedPy 0.5.2",
        sets={"undefined": "one", "directions": "pool"},
        has=(
            *(*_OF_COUNTS, "precision", "recall", "specificity", "relative_volume_difference"),
            *(*_DISTANCES, "assd", *_DIRECTED),
        ),
    ),
    "panoptica": Conventions(
        "panoptica 2.1.7",
        sets={"directions": "pool", "nsd_directions": "mean"},
        has=(
            *(*_OF_COUNTS, *_DISTANCES, "masd", "nsd", "centre_distance"),
            *("relative_volume_difference", "relative_volume_error"),
        ),
        wrong={"assd": Wrong("its ASSD is the mean of both directed means", ("masd",))},
    ),
    "deepmind": Conventions(
        "DeepMind's surface-distance",
        sets={"surface": "corner", "percentile_rule": "step"},
        has=("dice", "f1", *_DISTANCES, *_DIRECTED, "nsd"),
        wrong={
            "assd": Wrong("its average surface distance is a pair of directed means", _DIRECTED),
            "masd": Wrong("its average surface distance is a pair of directed means", _DIRECTED),
        },
    ),
    "gcm": Conventions(
        "grand-challenge-metrics 0.6.0",
        sets={"percentile_rule": "index"},
        has=(*_OF_COUNTS, *_DISTANCES, "relative_volume_error", "volume_error_mm3"),
        wrong={
            "mean_contour_distance": Wrong(
                "it measures from contours to the solid other mask, 0 inside of it, and its contours are not "
                "the surfaces of its Hausdorff distance"
            ),
            "modified_hd": _MODIFIED,
            "modified_hausdorff_distance": _MODIFIED,
            "accuracy": Wrong("it rounds accuracies down to whole numbers, 0 for all but perfect masks"),
        },
    ),
    "nnunet": Conventions(
        "nnU-Net",
        sets={"average": "label-mean", "directions": "pool", "nsd_directions": "mean"},
        has=(
            *(*_OF_COUNTS, *_OF_EVERY, "npv", "fpr", "fnr", "fdr"),
            *(*_DISTANCES, "assd", "asd_to_reference", "nsd"),
        ),
    ),
}


@options
class OfTools:
    """The option that stands for others."""

    like: Tool | None = option(
        None,
        Option(
            "Set options to what this tool does, but for those that are given otherwise; the report says "
            "which. What is wrong there is refused.",
            part="scoring",
            is_measured=False,
        ),
    )


def said(like: Tool, value_of: Callable[[str], object], metrics: Iterable[tuple[str, str]]) -> str:
    """Return what a report says of it: the options in force, so that they can be given instead.

    Parameters
    ----------
    like : str
    value_of : callable
        Takes the name of an option in Python, gives its value in force.
    metrics : iterable of tuple of str
        The name of each metric that is shown, and of its function.
    """
    tool = TOOLS[like]
    given = " ".join(f"--{name.replace('_', '-')} {value_of(name)}" for name in tool.sets)
    others = ", ".join(name for name, function in metrics if function not in tool.has)
    return f"as {tool.title}, here {given}" + (f"; as without --like: {others}" if others else "")
