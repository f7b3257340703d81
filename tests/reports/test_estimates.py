"""Accuracy and areas from a sample: the paper's example, and the formulas in fractions."""

from __future__ import annotations

import csv
import io
import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicecli
from dicecli.errors import UsageError
from dicecli.reports.estimates import estimated
from dicecli.reports.look import Look

#: Table 8 of Olofsson et al. 2014: rows are the map's classes, columns the reference's; pixels of 30 m.
MAP_IN_ROWS = [[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]]
PIXELS = {0: 200_000, 1: 150_000, 2: 3_200_000, 3: 6_450_000}
NAMES = {0: "deforestation", 1: "forest gain", 2: "stable forest", 3: "stable non-forest"}


def paper():
    return dicecli.area(np.transpose(MAP_IN_ROWS), PIXELS, pixel_size="30m", labels=NAMES)


def test_the_example_of_the_paper():
    found = paper()
    assert found.overall_accuracy[0] == pytest.approx(0.946512, abs=5e-7)
    assert found.overall_accuracy.margin == pytest.approx(0.018484, abs=5e-7)
    for every, values, margins in (
        (
            found.users_accuracy,
            [0.88, 0.733333, 0.927273, 0.963077],
            [0.074041, 0.100757, 0.039745, 0.020534],
        ),
        (
            found.producers_accuracy,
            [0.748661, 0.847156, 0.934509, 0.961609],
            [0.21331, 0.254408, 0.034324, 0.018362],
        ),
    ):
        assert [each.value for each in every.values()] == pytest.approx(values, abs=5e-7)
        assert [each.margin for each in every.values()] == pytest.approx(margins, abs=5e-7)
    assert found.unit == "ha"
    assert (round(found.area[0].value, 2), round(found.area[0].margin, 2)) == (21157.76, 6157.63)
    assert sum(each.value for each in found.area.values()) == pytest.approx(900_000)


def exactly(sample, areas):
    """Return the estimates in fractions, straight from the equations; None where there is no variance.

    `sample` has the map in rows. Of each number: its value and its variance.
    """
    total, classes = sum(areas), range(len(areas))
    weight, points = [Fraction(each, total) for each in areas], [sum(row) for row in sample]

    def share(i, j):
        return Fraction(sample[i][j], points[i]) if points[i] else Fraction(0)

    def spread(i, j):
        return share(i, j) * (1 - share(i, j)) / (points[i] - 1) if points[i] else Fraction(0)

    overall = (
        sum(weight[i] * share(i, i) for i in classes),
        sum(weight[i] ** 2 * spread(i, i) for i in classes),
    )
    users = [(share(i, i), spread(i, i)) if points[i] else None for i in classes]
    shares = [
        (sum(weight[i] * share(i, k) for i in classes), sum(weight[i] ** 2 * spread(i, k) for i in classes))
        for k in classes
    ]
    producers = []
    for j in classes:
        reference = sum(areas[i] * share(i, j) for i in classes)
        if not reference:
            producers.append(None)
            continue
        value = areas[j] * share(j, j) / reference
        own = areas[j] ** 2 * (1 - value) ** 2 * spread(j, j)
        others = value**2 * sum(areas[i] ** 2 * spread(i, j) for i in classes if i != j)
        producers.append((value, (own + others) / reference**2))
    return overall, users, producers, shares


@st.composite
def samples(draw):
    """Draw a sample with at least two points a stratum, and areas; some classes are of one side alone."""
    number = draw(st.integers(1, 4))
    counts = st.lists(st.integers(0, 9), min_size=number, max_size=number)
    sample = draw(st.lists(counts, min_size=number, max_size=number))
    areas = [draw(st.integers(1, 10**6)) if sum(row) > 1 else 0 for row in sample]
    sample = [row if area else [0] * number for row, area in zip(sample, areas, strict=True)]
    return sample, areas


@settings(max_examples=60)
@given(samples())
def test_estimates_are_those_of_the_formulas_in_fractions(drawn):
    sample, areas = drawn
    matrix = dicecli.ConfusionMatrix.from_pairs(
        np.arange(len(areas)), np.arange(len(areas)), np.transpose(np.array(sample, np.int64))
    )
    if not any(areas):
        with pytest.raises(UsageError):
            estimated(matrix, {})
        return
    found = estimated(matrix, dict(enumerate(areas)))
    overall, *by_class = exactly(sample, areas)
    pairs = [(found.overall, overall)]
    for every, right in zip((found.users, found.producers, found.shares), by_class, strict=True):
        pairs += [(each, right[label]) for label, each in zip(found.labels, every, strict=True)]
        known = [label for label in range(len(areas)) if label not in found.labels]
        assert all(right[label] in {None, (0, 0)} for label in known)
    for each, right in pairs:
        assert math.isnan(each.value) == (right is None)
        if right is not None:
            assert each.value == pytest.approx(float(right[0]), abs=1e-12)
            assert each.standard_error == pytest.approx(math.sqrt(right[1]), abs=1e-9)
    assert sum(map(sum, found.proportions)) == pytest.approx(1)


def test_a_stratum_of_one_point_has_no_variance_and_says_so():
    found = dicecli.area([[4, 0], [1, 1]], {0: 90, 1: 10})
    assert found.overall_accuracy.value == pytest.approx(0.9 * 0.8 + 0.1)
    assert math.isnan(found.overall_accuracy.standard_error)
    assert not math.isnan(found.users_accuracy[0].standard_error)
    assert math.isnan(found.users_accuracy[1].standard_error)
    assert "label 1: a single point" in found.notes[0]
    assert found.to_dict()["overall_accuracy"] == {
        "value": pytest.approx(0.82),
        "standard_error": None,
        "low": None,
        "high": None,
    }
    assert "—" in found.render("table")


def test_a_class_of_the_reference_alone_has_an_area_and_no_users_accuracy():
    found = dicecli.area([[8, 0], [2, 0]], {0: 100})
    assert found.share[1].value == pytest.approx(0.2)
    assert math.isnan(found.users_accuracy[1].value)
    assert found.producers_accuracy[1] == (0, 0)
    assert found.unit == "pixels"


def test_every_form_has_the_numbers():
    found = paper()
    rows = list(csv.DictReader(io.StringIO(found.render("csv"))))
    areas = {row["name"]: float(row["value"]) for row in rows if row["number"] == "area"}
    assert areas == {NAMES[label]: each.value for label, each in found.area.items()}
    record = json.loads(found.render("json"))
    assert record == found.to_dict()
    assert record["classes"][0]["area"]["low"] == found.area[0].low
    assert [len(found.to_pandas())] == [len(rows)]
    for form in ("table", "markdown", "html"):
        text = found.render(form, Look(80, verbose=True))
        assert "21,157.8" in text
        assert "overall accuracy 0.9465 ± 0.0185 (95 %)" in text
    assert max(map(len, found.render("table", Look(80)).splitlines())) <= 80
    assert "0.9465" in repr(found)
