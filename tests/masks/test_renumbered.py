"""Masks whose labels have other numbers: by a map as if the arrays had been given the right numbers by hand."""

from __future__ import annotations

import json

import make
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import NotLabels, UnknownLabel, UsageError
from dicecli.records.label_maps.texts import parse_map
from dicecli.reports.merging import merged
from dicecli.reports.reading_back import from_dict
from dicecli.runs.fingerprint import options_of

#: A label that no mask here has.
NONE = 90
#: As an offset that takes the background along; many to one, with a rest; swapped.
MAPS = ("0-4:+1", "1-2=1,3=7,*=ignore", "1=2,2=1,3-4:+0")
PREDICTION, REFERENCE = make.blobs((12, 9), 5), make.blobs((12, 9), 5, seed=1)
PALETTE = [200, 10, 10, 10, 200, 10, 10, 10, 200, 1, 2, 3, 90, 90, 0]


def by_hand(array, text):
    """Give an array the numbers that a map says, pixel by pixel."""
    found = parse_map(text, "map")
    new = [NONE if found[label] is None else found[label] for label in np.ravel(array).tolist()]
    return np.array(new).reshape(np.shape(array))


def write(folder, name, array, how):
    """Write a mask, or return an array or an image."""
    volume = array[:, :, None]
    match how:
        case "png":
            return make.png(folder / f"{name}.png", array)
        case "palette":
            return make.png(folder / f"{name}.png", array, palette=PALETTE if name == "p" else PALETTE[::-1])
        case "tif":
            return make.geotiff(folder / f"{name}.tif", array, nodata=250)
        case "nii" | "nii.gz":
            return make.nifti(folder / f"{name}.{how}", volume)
        case "image":
            import nibabel

            return nibabel.Nifti1Image(volume, np.eye(4))
        case "tensor":
            return pytest.importorskip("torch").from_numpy(array)
    return array.astype(np.int32)


@pytest.mark.parametrize("how", ["png", "palette", "tif", "nii", "nii.gz", "array", "image", "tensor"])
def test_every_format_is_as_if_it_were_numbered_by_hand(tmp_path, how):
    """An offset, many to one, swapped labels: of the prediction, of the reference, and beside an ignore label."""
    prediction, reference = (
        write(tmp_path, name, array, how) for name, array in (("p", PREDICTION), ("r", REFERENCE))
    )
    for at, text in enumerate(MAPS):
        for sides in (
            {"prediction": text},
            {"reference": text},
            {"prediction": text, "reference": MAPS[at - 1]},
        ):
            options = {f"map_{side}": each for side, each in sides.items()} | {"ignore_label": 2}
            result = make.scored(prediction, reference, **options)
            one, other = (
                by_hand(array, sides.get(side, "0-4:+0"))
                for side, array in (("prediction", PREDICTION), ("reference", REFERENCE))
            )
            kept = ~np.isin(other, [NONE, 2])
            expected = make.brute(np.where(np.isin(one, [NONE, 2]), NONE, one)[kept], other[kept])
            expected.pop(NONE, None)
            assert make.counts(result) == expected
            assert (result.counted, result.excluded["ignore_label"]) == (kept.sum(), (~kept).sum())
            assert not result.excluded["nodata"]
            for side in sides:
                assert any(note.startswith(f"{side}: label") for note in result.notes)


GRIDS = st.tuples(st.integers(2, 5), st.integers(2, 5)).flatmap(
    lambda shape: st.tuples(
        *[st.lists(st.integers(0, 3), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]).map(
            lambda values: np.array(values).reshape(shape)
        )] * 2
    )
)  # fmt: skip
#: A label each for 0 to 3, of which several may be one.
TABLES = st.lists(st.sampled_from([0, 1, 2, 5, None]), min_size=4, max_size=4)


@settings(max_examples=25)
@given(GRIDS, TABLES, TABLES)
def test_a_map_is_to_give_other_numbers(masks, first, second):
    """Whatever is mapped to whatever: counts, and what needs pixels: distances, slices and centres."""
    maps = {"map_prediction": dict(enumerate(first)), "map_reference": dict(enumerate(second))}
    maps = {
        name: {at: "ignore" if to is None else to for at, to in each.items()} for name, each in maps.items()
    }
    asked = {"metrics": "dice,hd95,nsd_1px,boundary_f,centre_distance", "per_slice": True}
    one = dicecli.score(*masks, **maps, **asked)
    hands = [np.array([NONE if to is None else to for to in table]) for table in (first, second)]
    other = dicecli.score(hands[0][masks[0]], hands[1][masks[1]], ignore_label=NONE, **asked)
    for each in (found := one.results[0], expected := other.results[0]):
        assert each.status == "scored"
    assert found.measured == expected.measured
    assert (found.counted, found.excluded) == (expected.counted, expected.excluded)


def test_nodata_and_thresholds_come_before_a_map(tmp_path):
    """A tag is a value of the file; a threshold makes 0 and 1 of values, and these are mapped."""
    grey = np.array([[9, 200, 130, 250]], np.uint8)
    tif = make.geotiff(tmp_path / "a.tif", grey, nodata=250)
    asked = {"map_reference": {9: 3, 200: 4, "*": 5}}
    found = make.scored(grey, tif, **asked)
    assert found.excluded == {"ignore_label": 0, "nodata": 1}
    assert [*make.counts(found)] == [3, 4, 5, 9, 130, 200]
    found = make.scored(np.array([[0, 7, 7, 7]]), tif, threshold=128, map_reference="1=7")
    assert make.counts(found)[0].tp == 1
    found = make.scored(np.array([[0, 7, 7, 1]]), grey, threshold=128, map_reference="1=7,0=ignore")
    assert found.excluded == {"ignore_label": 1, "nodata": 0}


def test_what_speaks_against_numbers_is_silent_beside_a_map(tmp_path):
    """Neither grey levels nor colours of a palette say more than who maps them; what the map lacks is an error."""
    soft = np.array([[0, 255, 60, 200, 128, 0, 0, 255, 255]], np.uint8)
    with pytest.raises(NotLabels):
        dicecli.score(soft, soft)
    made = dicecli.score(soft, soft > 100, map_prediction="255=1,128-200=1,60=0")
    assert made.dice == 1
    with pytest.raises(
        UnknownLabel, match=r"label 60 \(1 pixel\), 255 \(3 pixels\) is not in the map of the pred"
    ):
        dicecli.score(soft, soft > 100, map_prediction="128-200=1")
    painted = make.png(tmp_path / "a.png", REFERENCE, palette=PALETTE)
    labels = {"labels": {"0": "rest", "9": "one"}, "colours": {"9": PALETTE[:3]}, "map": {"*": 9}}
    assert dicecli.score(painted, REFERENCE, labels=labels).dice == 1


def test_labels_are_declared_by_the_numbers_that_they_are_mapped_to():
    """Names, regions and ignore labels are of mapped labels; an option goes before the file, for its side."""
    labels = {"labels": {"0": "rest", "1": "liver", "2": "void"}, "ignore": 2, "map": {"5": 1, "6": 2}}
    report = dicecli.score(np.array([0, 5, 6]), np.array([0, 5, 6]), labels=labels)
    assert report["liver"].dice == 1
    assert report.results[0].excluded["ignore_label"] == 1
    report = dicecli.score(np.array([0, 1, 1]), np.array([0, 5, 6]), labels=labels, map_prediction="1=1")
    assert report["liver"].dice == 1
    with pytest.raises(UnknownLabel, match=r"label 7 .* is not declared"):
        dicecli.score(np.array([0, 5]), np.array([0, 5]), labels=labels, map_prediction="5=7")


def test_a_prediction_that_is_not_there_is_not_mapped():
    """It is background, whatever a map does with 0."""
    case = dicecli.Case("a", None, np.array([[0, 1]]))
    settings = dicecli.make_settings(missing="zero", map_prediction="0-9:+1")
    found = make.counts(dicecli.score_many([case], settings).results[0])
    assert (found[0].tp, found[0].fp, found[1].fp) == (1, 1, 0)


def test_probability_maps_have_one_of_the_reference():
    """Channels have names of their own; what a file says of both sides is used for one, and that is said."""
    chances = np.stack([[[0.9, 0.2]], [[0.1, 0.8]]])
    report = dicecli.soft(chances, np.array([[0, 5]]), map_reference={5: 1})
    assert report.results[0].status == "scored"
    assert "reference: label 5 is read as 1" in report.notes
    with pytest.raises(UsageError, match="map_prediction is for masks"):
        dicecli.soft(chances, np.array([[0, 5]]), map_prediction={5: 1})
    labels = {"labels": {"0": "rest", "1": "liver"}, "map": {"5": 1}}
    notes = dicecli.soft(chances, np.array([[0, 5]]), labels=labels).notes
    assert any("'map' in the labels file is of masks" in note for note in notes)


def test_runs_with_other_maps_are_other_runs():
    """A map is in the record, in where a run comes from, and in what a journal goes by; shards need one."""
    reports = [dicecli.score(PREDICTION, REFERENCE, map_prediction=text) for text in ("0-4:+1", {"*": 3})]
    record = reports[1].to_dict()
    assert record["settings"]["map_prediction"] == "*=3"
    assert from_dict(record).to_dict() == record
    assert "map_reference" not in record["settings"]
    assert "--map-prediction '*=3'" in str(record["origin"])
    with pytest.raises(UsageError, match="different settings: map_prediction"):
        merged(reports)
    assert options_of(reports[0].settings) != options_of(reports[1].settings)
    evaluator = dicecli.Evaluator(map_prediction="0-4:+1", metrics="dice")
    evaluator.update(PREDICTION, by_hand(PREDICTION, "0-4:+1"), name="a")
    assert evaluator.compute().dice == 1


def test_a_matrix_is_read_by_the_maps_of_a_labels_file():
    """Its labels are those that were counted, of which a file says the same as of masks."""
    labels = {
        "labels": {"0": "rest", "1": "liver"},
        "map": {"reference": {"1": 1, "*": "ignore"}, "prediction": "2=1"},
    }
    counted = dicecli.ConfusionMatrix.from_arrays(prediction=[0, 2, 2, 0, 2], reference=[0, 1, 1, 1, 5])
    report = dicecli.from_matrix(counted, labels=labels)
    assert report["liver"].dice == 0.8
    assert report.results[0].excluded == {"ignore_label": 1, "nodata": 0}
    assert "prediction: label 2 is read as 1" in report.notes


def test_inspect_reads_labels_by_the_map_of_their_side(tmp_path):
    """Of two files the first is the prediction; of one its map is the only one that there is."""
    first, second = (make.png(tmp_path / f"{n}.png", np.array([[0, n]], np.uint8)) for n in (5, 6))
    asked = ["--map-prediction", "5=1", "--map-reference", "6=1", "-f", "json"]
    found = runner().invoke(cli, ["inspect", str(first), str(second), *asked])
    assert [each["encoding"] for each in json.loads(found.stdout)["files"]] == [
        "label 5 is read as 1",
        "label 6 is read as 1",
    ]
    alone = runner().invoke(cli, ["inspect", str(second), "--map-reference", "5=1", "-f", "json"])
    assert "label 6 (1 pixel) is not in the map" in json.loads(alone.stdout)["files"][0]["message"]
