"""What is known of a pair once its labels were counted: rows, what is left out, and what blocks hold."""

from __future__ import annotations

import pickle

import layered
import make
import numpy as np
import passes
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicecli.errors import ChannelMismatch, ManyVolumes, NotLabels, UnknownLabel
from dicecli.records.labels import NO_LABEL
from dicecli.records.measurements import Row
from dicecli.runs.scoring import make_settings

SHAPE = (9, 8, 7)
LAYERS, OTHERS = layered.drawn(SHAPE, 3, 1), layered.drawn(SHAPE, 3, 2)
MAP = make.blobs(SHAPE, 4)
WHOLE = tuple(slice(0, n) for n in SHAPE)


def understood(prediction, reference, **options):
    """Return what is known of a pair, and the one block that it is."""
    settings = make_settings(**options)
    with passes.opened(prediction, reference, settings) as (pair, known):
        at = tuple(slice(0, n) for n in known.shape)
        (stored,) = pair.blocks([at])
        return known, known.block(at, at, stored, pair.prediction)


def side(layers):
    """Return a label map as an array, layers as an image."""
    return layers if layers.ndim == 3 else layered.image(layers)


def refusal(kind, prediction, reference, **options):
    with pytest.raises(kind) as told:
        understood(side(prediction), side(reference), **options)
    return told.value


@given(st.integers(0, 10**6), st.lists(st.integers(0, 4), unique=True, max_size=2))
def test_label_maps(seed, ignore):
    """Rows are the labels that the compared pixels hold; a block holds their places, and where it is left out."""
    rng = np.random.default_rng(seed)
    reference, prediction = (rng.integers(0, 5, (4, 5)).astype(np.uint8) * 3 for _ in range(2))
    ignored = [3 * each for each in ignore]
    hidden = rng.random(reference.shape) < 0.2
    known, block = understood(prediction, np.ma.masked_array(reference, hidden), ignore_label=ignored)
    kept = ~hidden & ~np.isin(reference, ignored)
    labels = sorted({*reference[kept].tolist(), *prediction[kept].tolist()} - {*ignored})
    assert [row.label for row in known.rows] == labels
    assert known.counted == kept.sum()
    assert known.excluded == {"ignore_label": (~kept & ~hidden).sum(), "nodata": hidden.sum()}
    places = {label: place for place, label in enumerate(labels, start=1)}
    for mask, (codes,) in ((reference, block.reference), (prediction, block.prediction)):
        expected = [[places.get(label, 0) for label in row] for row in mask.tolist()]
        assert np.where(kept, codes, 0).tolist() == np.where(kept, expected, 0).tolist()
    assert (block.ignored is None and kept.all()) or np.array_equal(block.ignored, ~kept)


@pytest.mark.parametrize(("of_reference", "of_prediction"), [(False, False), (True, False), (False, True)])
def test_layers(of_reference, of_prediction):
    """A block holds the layers of both sides, of a label map the regions: the place of each, 0 outside."""
    reference, prediction = MAP if of_reference else LAYERS, MAP if of_prediction else OTHERS
    known, block = understood(side(prediction), side(reference), regions=layered.REGIONS)
    assert known.rows == tuple(Row("region", None, name, of) for name, of in layered.REGIONS.items())
    assert known.regions == ()
    assert (known.counted, known.excluded) == (MAP.size, {"ignore_label": 0, "nodata": 0})
    assert block.ignored is None
    for given_side, layers in ((reference, block.reference), (prediction, block.prediction)):
        arrays = layered.of_map(given_side) if given_side is MAP else given_side
        for place, (array, layer) in enumerate(zip(arrays, layers, strict=True), start=1):
            np.testing.assert_array_equal(layer, place * array)
    expected = layered.brute(
        *(layered.of_map(each) if each is MAP else each for each in (prediction, reference))
    )
    assert [each.counts(1) for each in known.census.values()] == expected


def test_layers_without_regions():
    """Layers of which nothing was declared are called by their numbers."""
    known, _ = understood(side(OTHERS), side(LAYERS))
    assert [row.title for row in known.rows] == ["layer 1", "layer 2", "layer 3"]
    titles = "it has 3 binary layers, which may overlap: layer 1, layer 2, layer 3"
    assert known.notes == (f"reference: {titles}", f"prediction: {titles}")


def test_what_a_reference_ignores_is_left_out_of_every_layer():
    """An ignored label of a label map, and what it masks, is left out of all layers beside it."""
    hidden = np.zeros(SHAPE, bool)
    hidden[:3, :4] = True
    reference = np.ma.masked_array(MAP, hidden)
    known, block = understood(side(OTHERS), reference, regions=layered.REGIONS, ignore_label=3)
    kept = ~hidden & (MAP != 3)
    left_out = {"ignore_label": (~hidden & (MAP == 3)).sum(), "nodata": hidden.sum()}
    assert (known.counted, known.excluded) == (kept.sum(), left_out)
    np.testing.assert_array_equal(block.ignored, ~kept)
    expected = layered.brute(OTHERS[:, kept], layered.of_map(MAP)[:, kept])
    assert [each.counts(1) for each in known.census.values()] == expected


def test_what_a_prediction_does_not_know_is_outside():
    """Nodata of a label map that is the prediction is outside of every layer, with a note; none of it is left out."""
    hidden = np.zeros(SHAPE, bool)
    hidden[:3, :4] = True
    prediction = np.ma.masked_array(MAP, hidden)
    known, block = understood(prediction, side(LAYERS), regions=layered.REGIONS)
    assert known.counted == MAP.size
    assert block.ignored is None
    expected = layered.brute(layered.of_map(MAP) & ~hidden, LAYERS)
    assert [each.counts(1) for each in known.census.values()] == expected
    assert any(f"{hidden.sum():,} pixels with nodata" in note for note in known.notes)
    assert all(NO_LABEL in each.labels for each in known.census.values())


def test_a_label_map_of_0_and_255_beside_layers():
    """255 is label 1 of a label map, also where the other side has layers."""
    known, _ = understood(
        side(OTHERS[:2]), (LAYERS[0] * 255).astype(np.uint8), regions={"a": (1,), "b": (0, 1)}
    )
    expected = layered.brute(OTHERS[:2], np.stack([LAYERS[0], np.ones(SHAPE, bool)]))
    assert [each.counts(1) for each in known.census.values()] == expected


def test_a_missing_prediction_is_outside_of_every_layer():
    """Beside a reference of layers nothing is predicted in each; no regions need to be declared for it."""
    known, block = understood(None, side(LAYERS), missing="zero")
    assert [row.title for row in known.rows] == ["layer 1", "layer 2", "layer 3"]
    assert [each.counts(1) for each in known.census.values()] == layered.brute(LAYERS & False, LAYERS)
    assert not np.any(block.prediction)
    for background in (0, None):
        labels = {"labels": {"0": "out", "1": "in"}, "background": background}
        regions = {"a": (0, 1), "b": (1,), "c": (0,)}
        known, _ = understood(None, side(LAYERS), missing="zero", labels=labels, regions=regions)
        assert [each.counts(1) for each in known.census.values()] == layered.brute(LAYERS & False, LAYERS)


def test_other_numbers_of_layers():
    """Three layers against two are refused; as many regions as layers must be declared, where any are."""
    assert "3 binary layers, the prediction 2" in refusal(ChannelMismatch, OTHERS[:2], LAYERS).message
    two = {"regions": {"a": (1,), "b": (2,)}}
    assert (
        "3 binary layers, and 2 declared regions" in refusal(ChannelMismatch, OTHERS, LAYERS, **two).message
    )
    assert "3 binary layers, and 0 declared regions" in refusal(ChannelMismatch, OTHERS, MAP).message
    assert "3 binary layers, and 0 declared regions" in refusal(ChannelMismatch, MAP, LAYERS).message


@pytest.mark.parametrize("at", [0, 1, 2])
def test_what_is_not_binary_comes_first(at):
    """That a layer holds 1 beside 255 is told before that the sides have other numbers of layers."""
    mixed = OTHERS.astype(np.uint8)
    mixed[at][OTHERS[at]] = [1, 255] * (OTHERS[at].sum() // 2) + [1] * (OTHERS[at].sum() % 2)
    with pytest.raises(ManyVolumes) as told:
        understood(layered.image(mixed), side(LAYERS[:2]))
    assert told.value.side == "prediction"


def test_layers_of_a_reference_have_nothing_to_ignore():
    """A label to ignore is an error where the reference has layers, never an option without effect."""
    for prediction in (OTHERS, MAP):
        error = refusal(NotLabels, prediction, LAYERS, ignore_label=3, regions=layered.REGIONS)
        assert (error.side, "--ignore-label" in error.hint) == ("reference", True)


def test_undeclared_labels_beside_layers():
    """A label map beside layers is held against the declared labels like any other."""
    labels = {"labels": {"0": "out", "1": "in"}}
    with pytest.raises(UnknownLabel):
        understood(side(OTHERS[:2]), MAP, labels=labels, regions={"a": (1,), "b": (0,)})


def test_what_is_known_travels():
    """What is known of a pair is the same after it was sent to another process, blocks too."""
    known, _ = understood(side(OTHERS), MAP, regions=layered.REGIONS, ignore_label=2)
    other = pickle.loads(pickle.dumps(known))  # noqa: S301 - our own
    stored = (MAP,), tuple(OTHERS.astype(np.uint8))
    for first, second in zip(
        known.block(WHOLE, WHOLE, stored, ()), other.block(WHOLE, WHOLE, stored, ()), strict=True
    ):
        assert np.array_equal(first, second)
    assert (known.rows, known.notes, known.census) == (other.rows, other.notes, other.census)
