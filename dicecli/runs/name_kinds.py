"""What the names of files say that they are: labels, instances, pictures, or masks of where to look."""

from __future__ import annotations

import re
from enum import IntEnum

#: Words that names of label maps have, and no picture's: the likelier to be the labels, the sooner.
OF_LABELS = (
    *("labelids", "dseg", "labels", "label", "segmentation", "seg", "gt", "groundtruth", "annotation"),
    *("annotations", "manual", "mask"),
)
#: What names of images end in.
IMAGES = frozenset(
    {"brain", "color", "colour", "ct", "flair", "image", "img", "leftimg8bit", "mr", "mri", "overlay", "pet"}
    | {"photo", "rgb", "scan", "t1", "t1c", "t1ce", "t1n", "t1w", "t2", "t2f", "t2w", "volume", "probseg"}
)
#: What the names of maps of instances, and of fields of view, have; the latter beside the word mask.
_INSTANCES = frozenset({"segmentationobject", "instanceids", "instance", "instances", "panoptic"})
_FIELDS = frozenset({"brain", "fov", "field", "roi", "valid"})
_FOLDER_OF_IMAGES = re.compile(r"image|photo", re.IGNORECASE)
_SIGNS = re.compile(r"[^A-Za-z0-9]+")
_WORD = re.compile(r"[a-z]+")
#: What a pattern has for the name of a case, and for any characters.
_ANYTHING = re.compile(r"\{case\}|\{label\}|\*")
#: A word and its number: run-1, ses_02, t1.
_NUMBERED = re.compile(r"(?<![A-Za-z])([A-Za-z]++)[-_]?(\d+)")


class Kind(IntEnum):
    """What a file is, by its name; the larger, the likelier it holds the labels that are meant.

    A name that says nothing is of labels sooner than one of instances, and later than one that says so.
    """

    IMAGE = 0
    INSTANCES = 1
    UNSAID = 2
    MASK = 3
    LABELS = 4


def end_of(name: str) -> str:
    """Return the last word of a file's name in lower case, without the suffix; an empty text of none."""
    words = [each for each in _SIGNS.split(_ANYTHING.sub(" ", name.rpartition("/")[2])) if each]
    end = words[-1].lower() if words else ""
    return end if end in IMAGES else end.rstrip("0123456789")


def kind_of(name: str) -> Kind:
    """Return what a path, or a pattern of paths, says that the file is; it has no suffix."""
    folders, _, _ = name.rpartition("/")
    words = set(_WORD.findall(_ANYTHING.sub(" ", name).lower()))
    end = end_of(name)
    if end in IMAGES or (end == "mask" and words & _FIELDS):
        return Kind.IMAGE
    if words & _INSTANCES:
        return Kind.INSTANCES
    of_labels = words & {*OF_LABELS, "labelsts", "labelstr", "segmentationclass", "labeltrainids"}
    if of_labels:
        return Kind.MASK if of_labels == {"mask"} else Kind.LABELS
    return Kind.IMAGE if _FOLDER_OF_IMAGES.search(folders) else Kind.UNSAID


def are_apart(prediction: str, reference: str) -> bool:
    """Tell whether two names have other numbers behind one word: run-1 and run-2 are of two scans."""
    found: tuple[dict[str, set[int]], dict[str, set[int]]] = ({}, {})
    for numbers, name in zip(found, (prediction, reference), strict=True):
        for word, number in _NUMBERED.findall(name):
            numbers.setdefault(word.lower(), set()).add(int(number))
    return any(found[0][word].isdisjoint(found[1][word]) for word in found[0].keys() & found[1].keys())
