"""What stored labels mean: of a label map, of binary layers, and as the places of rows in a block."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dicecli.errors import Changed, ManyVolumes, NotLabels, UnknownLabel
from dicecli.masks.arrays import ArraySource, NothingSource
from dicecli.masks.grid import Grid
from dicecli.masks.inside import meant_inside, meant_regions
from dicecli.masks.layers import _TABLE, Encoding, meant
from dicecli.masks.reading import Reading
from dicecli.masks.views import BinaryLayer
from dicecli.records.labels import NO_LABEL
from dicecli.records.measurements import Row
from dicecli.runs.scoring import make_settings

REFUSAL = ManyVolumes("it holds several volumes", "Save one volume per file.", "a.nii")
SCHEME = {"labels": {"0": "ground", "1": "road", "255": "house"}}


def source(dtype="uint8", nodata=None, *, nan_is_nodata=False, threshold=None, ignore=()):
    """Return a source of one pixel, which stores nodata as a file may."""
    found = ArraySource(np.zeros(1, dtype), "a.tif", reading=Reading(threshold=threshold, ignore=ignore))
    found.nodata, found.nan_is_nodata = nodata, nan_is_nodata
    return found


def layer(values, **options):
    """Return a binary layer of an array, and the sizes of what is read from it."""
    inner = source(np.asarray(values).dtype, **options)
    inner.array, inner.grid = np.asarray(values), Grid(np.shape(values))
    found = BinaryLayer(inner, REFUSAL)
    read = found.read(tuple(slice(0, n) for n in inner.shape))
    labels, sizes = np.unique(read, return_counts=True)
    return found, dict(zip(labels.tolist(), sizes.tolist(), strict=True))


# A label map.


@given(st.dictionaries(st.integers(-(2**40), 2**40), st.integers(1, 9), min_size=1))
def test_every_stored_label_has_a_meaning(sizes):
    """Whatever is stored is decided; where nothing needs deciding a label means itself."""
    sizes |= {7: 1}
    found, notes, _ = meant("reference", source("int64"), sizes, make_settings())
    assert found == {label: label for label in sizes}
    assert notes == []


def test_0_and_255():
    """0 and 255 mean 0 and 1, with a note; not where labels are declared, or 255 is to be ignored."""
    assert meant("reference", source(), {0: 3, 255: 2}, make_settings())[0] == {0: 0, 255: 1}
    assert "255 is read as label 1" in meant("reference", source(), {0: 3, 255: 2}, make_settings())[1][0]
    for options in ({"labels": SCHEME}, {"ignore_label": 255}):
        assert meant("reference", source(), {0: 3, 255: 2}, make_settings(**options))[:2] == (
            {0: 0, 255: 255},
            [],
        )


@pytest.mark.parametrize(
    ("nodata", "expected"),
    [("auto", NO_LABEL), ("ignore", NO_LABEL), ("background", 0)],
)
def test_nodata(nodata, expected):
    """Nodata is no label, or the background, and is not asked whether it is declared."""
    settings = make_settings(nodata=nodata, labels=SCHEME)
    found, *_ = meant("reference", source(nodata=9), {0: 3, 1: 2, 9: 5}, settings)
    assert found == {0: 0, 1: 1, 9: expected}


@pytest.mark.parametrize("options", [{"nodata": math.nan}, {"nodata": -9.5}, {"nan_is_nodata": True}])
def test_nodata_of_floats(options):
    """Of floats nodata is no label at all, whatever value stands for it; or the background."""
    floats = source("float32", **options)
    sizes = {0: 3, 2: 2, NO_LABEL: 5}
    assert meant("reference", floats, sizes, make_settings())[0] == {0: 0, 2: 2, NO_LABEL: NO_LABEL}
    assert meant("reference", floats, sizes, make_settings(nodata="background"))[0] == {
        0: 0,
        2: 2,
        NO_LABEL: 0,
    }


def test_nodata_beside_0_and_255():
    """Nodata does not keep 0 and 255 from being 0 and 1."""
    assert meant("reference", source(nodata=9), {0: 3, 255: 2, 9: 1}, make_settings())[0] == {
        0: 0,
        255: 1,
        9: NO_LABEL,
    }


@given(hnp.arrays(np.uint8, 12, elements=st.integers(0, 9)), st.integers(1, 9))
def test_thresholds(values, threshold):
    """With a threshold the codes of a block mean 1 from it on and 0 below, nodata none, an ignored label itself."""
    mask = source(nodata=8, threshold=threshold, ignore=(5,))
    mask.array, mask.grid = values, Grid(values.shape)
    settings = make_settings(threshold=threshold, ignore_label=5)
    codes = mask.read((slice(0, values.size),))
    found, *_ = meant("reference", mask, dict.fromkeys(codes.tolist(), 1), settings)
    is_binary = set(values.tolist()) - {5, 8} <= {0, 1}
    for value, code in zip(values.tolist(), codes.tolist(), strict=True):
        expected = {8: NO_LABEL, 5: 5}.get(value, int(value >= threshold))
        if not (is_binary and value == 1):
            assert found[code] == expected


def test_undeclared_labels():
    """A label that the scheme lacks is refused; the background and nodata need no declaration."""
    settings = make_settings(labels={"labels": {"1": "road"}})
    assert meant("reference", source(nodata=9), {0: 1, 1: 1, 9: 1}, settings)[0] == {0: 0, 1: 1, 9: NO_LABEL}
    with pytest.raises(UnknownLabel, match=r"label 7 \(3 pixels\) is not declared"):
        meant("reference", source(), {0: 1, 7: 3}, settings)


# Binary layers.


@pytest.mark.parametrize("full", [1, 255])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint64", "float32", "float64"])
def test_inside_is_1_or_255(full, dtype):
    """What is 1, or 255, is inside, in any type."""
    found, sizes = layer(np.array([0, full, full], dtype))
    assert meant_inside(found, sizes, make_settings()) == {0: 0, full: 1}


def test_inside_of_booleans():
    """True is inside."""
    found, sizes = layer(np.array([True, False]))
    assert meant_inside(found, sizes, make_settings()) == {0: 0, 1: 1}


@pytest.mark.parametrize("value", [2, 254, -1, 0.5, math.nan, math.inf, 1e300])
def test_anything_else_is_no_binary_layer(value):
    """A value that is not 0, 1 or 255 is refused as several volumes are."""
    with pytest.raises(ManyVolumes):
        layer(np.array([0, 1, value]))


def test_1_beside_255_is_no_binary_layer():
    """1 and 255 in one layer are refused: what is inside cannot be told."""
    found, sizes = layer(np.array([0, 1, 255], np.uint8))
    with pytest.raises(ManyVolumes):
        meant_inside(found, sizes, make_settings())


@pytest.mark.parametrize("values", [np.array([0, 1, 9], np.uint8), np.array([0, 1, math.nan])])
def test_nodata_of_binary_layers(values):
    """Nodata in a layer is refused, or outside where that was said."""
    options = {"nodata": 9} if values.dtype == np.uint8 else {"nan_is_nodata": True}
    found, sizes = layer(values, **options)
    with pytest.raises(NotLabels, match="nodata") as refused:
        meant_inside(found, sizes, make_settings())
    assert "--nodata background" in refused.value.hint
    inside = meant_inside(found, sizes, make_settings(nodata="background"))
    assert sorted(inside.values()) == [0, 0, 1]
    assert inside[1] == 1


def test_nodata_0_is_outside():
    """A tag that says 0 is outside is no nodata; a tag of a value that no pixel has does no harm."""
    for nodata in (0, 9):
        found, sizes = layer(np.array([0, 1], np.uint8), nodata=nodata)
        assert meant_inside(found, sizes, make_settings()) == {0: 0, 1: 1}


def test_regions_of_a_label_map():
    """A label map is inside the regions that have its label as a member; what is ignored is no part of any."""
    rows = [Row("region", None, "whole", (1, 2, 3)), Row("region", None, "core", (1, 3))]
    renamed = {0: 0, 10: 1, 20: 2, 30: 3, 40: NO_LABEL}
    found = meant_regions(source(), renamed, rows, make_settings(ignore_label=3))
    assert found == [
        {0: 0, 10: 1, 20: 1, 30: NO_LABEL, 40: NO_LABEL},
        {0: 0, 10: 1, 20: 0, 30: NO_LABEL, 40: NO_LABEL},
    ]


def test_nothing_is_outside_of_every_region():
    """A prediction that is not there is outside, also of a region that has the background."""
    rows = [Row("region", None, "all", (0, 1))]
    assert meant_regions(NothingSource(Grid((2,)), 0), {0: 0}, rows, make_settings()) == [{0: 0}]


# Places in a block.

#: Small and negative labels, those about where tables end, and those that no float holds.
LABELS = st.one_of(
    st.integers(-3, 300),
    st.integers(_TABLE - 2, _TABLE + 2),
    st.integers(2**53, 2**53 + 3),
    st.sampled_from([NO_LABEL, -(2**62), 2**63 - 1, 2**63 - 2]),
)


@given(st.dictionaries(LABELS, st.integers(0, 300), min_size=1, max_size=9), st.randoms())
def test_encoding_is_a_lookup(places, random):
    """A block holds the place of each label, and what is left out where any is: as a dict would give it."""
    stored = sorted(places)
    ignored = frozenset(random.sample(stored, random.randint(0, len(stored))))
    labels = np.array([[random.choice(stored) for _ in range(4)] for _ in range(3)], np.int64)
    found, left_out = Encoding.of(places, ignored).encode(labels)
    assert found.tolist() == [[places[each] for each in row] for row in labels.tolist()]
    assert found.dtype.kind == "u"
    if ignored:
        assert left_out.tolist() == [[each in ignored for each in row] for row in labels.tolist()]
    else:
        assert left_out is None


@given(st.sampled_from("bBhHiIlLqQ"), st.sampled_from("<>"), st.data())
def test_encoding_of_any_integers(code, order, data):
    """The type that labels are stored in changes nothing, of 64 bits without a sign neither, nor its bytes' order."""
    info = np.iinfo(code)
    within = LABELS.filter(lambda each: info.min <= each <= info.max)
    labels = data.draw(st.lists(within, min_size=1, max_size=20))
    places = {label: place for place, label in enumerate(dict.fromkeys(labels), start=1)}
    found, _ = Encoding.of(places).encode(np.array(labels, order + code))
    assert found.tolist() == [places[each] for each in labels]


@pytest.mark.parametrize("places", [{0: 1, 1: 2}, {-5: 1, _TABLE: 2}])
def test_a_label_that_was_not_counted(places):
    """A label beyond all that were counted means that the mask has changed: an error of the case."""
    with pytest.raises(Changed):
        Encoding.of(places).encode(np.array([_TABLE + 9]))


def test_encoding_of_nothing():
    """A block without pixels needs no label."""
    assert Encoding.of({}).encode(np.zeros((0, 3), np.uint8))[0].shape == (0, 3)
