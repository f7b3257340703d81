"""A map whose classes are counted: what is said where one of them is not known."""

from __future__ import annotations

import numpy as np
import pytest
from make import geotiff

import dicecli
from dicecli.errors import UnknownLabel


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"map_prediction": "0=0,1=1"}, "in --map-prediction: add 7=7 to keep it"),
        ({"labels": {0: "forest", 1: "water"}}, "in --labels"),
        ({"labels": {0: "forest", 1: "water"}, "map_prediction": "7=9"}, "add 1=1 to keep it"),
        ({"labels": {0: "forest", 1: "water"}, "map_prediction": "*=9"}, "in --labels"),
    ],
)
def test_a_class_that_is_not_known_is_told_by_what_does_not_know_it(given, hint, tmp_path):
    path = geotiff(tmp_path / "map.tif", np.array([[0, 1, 7]], np.uint8))
    with pytest.raises(UnknownLabel) as caught:
        dicecli.area([[8, 1], [2, 9]], path, **given)
    assert hint in caught.value.hint
