"""Pairs of masks whose boundary metrics other tools have printed, and what those printed; beside the real masks."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
import places
import pytest

FILE = places.SHARED_MASKS.parent / "vectors_boundary.json"
needs_vectors = pytest.mark.skipif(not FILE.exists(), reason="the vectors are not here")


@lru_cache(maxsize=1)
def _vectors():
    return json.loads(FILE.read_text(encoding="utf-8"))


@lru_cache(maxsize=16)
def pair(name):
    """Return reference and prediction as bool, and the spacing; after a colon stands the label."""
    name, _, label = name.partition(":")
    known = _vectors()["pairs"][name]
    if "code" in known:
        found = {"np": np}
        exec(known["code"], found)  # noqa: S102  # it makes arrays
        return found["ref"], found["pred"], tuple(known["spacing"])
    sides = [_read(places.SHARED_MASKS / known[side]) for side in ("ref", "pred")]
    wanted = int(label or known["label"])
    return *(mask == wanted for mask, _ in sides), sides[0][1]


def _read(path):
    if path.suffix == ".png":
        from PIL import Image

        return np.array(Image.open(path)), (1.0, 1.0)
    import nibabel

    image = nibabel.load(path)
    return np.asarray(image.dataobj), tuple(map(float, image.header.get_zooms()))


def printed(name, tool):
    """Return what a tool prints of a pair, by metric: each a number to its tolerance."""
    return {
        each["metric"]: pytest.approx(each["value"], rel=each["tolerance"], abs=each["tolerance"])
        for each in _vectors()["values"]
        if each["pair"] == name and each["tool"] == tool and isinstance(each.get("value"), (int, float))
    }
