"""What labels mean: the project's own files, nnU-Net's dataset.json, presets and regions."""

from __future__ import annotations

import json
import re

import numpy as np
import places
import pytest
from make import blobs, brute, counts, png, scored

import dicecli
from dicecli.errors import LabelFileError, UnknownLabel, UnknownName, UsageError
from dicecli.plugins import own
from dicecli.records.labels import LabelScheme
from dicecli.records.schemes import described, load_labels, parse_region, presets

OWN = {
    "description": "two organs",
    "labels": {"2": "tumour", "0": "background", "1": "liver"},
    "regions": {"liver with tumour": [2, 1], "tumour only": 2},
    "ignore": 255,
    "background": 0,
    "colours": {"1": [255, 0, 0], "2": "#00Ff7f", "255": [0, 0, 0]},
}
NNUNET = {
    "channel_names": {"0": "CT"},
    "labels": {"background": 0, "kidney": 1, "tumour": 2},
    "numTraining": 10,
    "file_ending": ".nii.gz",
}
REGIONS = {
    **NNUNET,
    "labels": {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "enhancing": 3, "ignore": 4},
    "regions_class_order": [1, 2, 3],
}
LABELS = blobs((40, 30), 4)
OTHER = blobs((40, 30), 4, seed=1)


def regions(report):
    """Return the counts of the regions of a report on one case, by name."""
    (case,) = report.cases()
    return {row.name: row.counts for row in case.regions}


def written(path, content, encoding="utf-8"):
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding=encoding)
    return path


# The project's own form.


@pytest.mark.parametrize("as_what", ["mapping", "path", "text", "with byte order mark"])
def test_the_own_form(tmp_path, as_what):
    """The own JSON form gives names in order, regions, ignore labels, background and colours."""
    path = written(tmp_path / "a.json", OWN, "utf-8-sig" if "mark" in as_what else "utf-8")
    source = {"mapping": OWN, "path": path}.get(as_what, str(path))
    scheme = load_labels(source)
    assert list(scheme.names.items()) == [(0, "background"), (1, "liver"), (2, "tumour")]
    assert scheme.regions == {"liver with tumour": (1, 2), "tumour only": (2,)}
    assert scheme.ignore == (255,)
    assert scheme.background == 0
    assert scheme.colours == {(255, 0, 0): 1, (0, 255, 127): 2, (0, 0, 0): 255}
    assert scheme.is_declared
    assert frozenset({0, 1, 2, 255}) == scheme.known
    assert scheme.source == ("the labels given" if as_what == "mapping" else str(path))


def test_little_is_needed():
    """Labels alone are enough: no regions, nothing ignored, 0 is the background."""
    scheme = load_labels({"labels": {"-1": "unknown", "7": "road"}})
    assert scheme.names == {-1: "unknown", 7: "road"}
    assert LabelScheme(scheme.names, source="the labels given") == scheme
    assert scheme.name(7) == "road"
    assert scheme.name(8) is None


def test_several_ignore_labels_and_no_background():
    """Several labels may be ignored, and null says that there is no background."""
    scheme = load_labels({"labels": {"1": "road"}, "ignore": [255, 0, 255], "background": None})
    assert scheme.ignore == (0, 255)
    assert scheme.background is None


def test_integer_keys_of_a_mapping_are_labels():
    """From Python, labels may be integers as well as JSON's strings."""
    scheme = load_labels({"labels": {1: "road", 2: "house"}, "colours": {1: [1, 2, 3]}})
    assert scheme.names == {1: "road", 2: "house"}
    assert scheme.colours == {(1, 2, 3): 1}


def test_nothing_and_a_scheme_pass():
    """None is a scheme that declares nothing; a scheme is itself."""
    nothing = load_labels(None)
    assert LabelScheme() == nothing
    assert not nothing.is_declared
    scheme = load_labels(OWN)
    assert load_labels(scheme) is scheme


def test_adding_keeps_what_is_there():
    """Regions and ignore labels of the command line are added to those of the file."""
    scheme = load_labels(OWN).adding(regions={"all": (1, 2)}, ignore=[9, 255])
    assert {"liver with tumour", "tumour only", "all"} == set(scheme.regions)
    assert scheme.ignore == (9, 255)
    assert load_labels(OWN) == load_labels(OWN).adding()


# What cannot be understood.


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ('{"labels": {"1": "a"},}', "JSON"),
        ("[1, 2]", "object is expected, not a list"),
        ('"labels"', "object is expected, not a str"),
        ({}, "'labels' is missing"),
        ({"label": {"1": "a"}}, "'labels' is missing"),
        ({"labels": {}}, "'labels' is missing"),
        ({"labels": ["background", "liver"]}, "'labels' is missing, or is not an object"),
        ({"labels": {"1": "a"}, "colors": {"1": [1, 2, 3]}}, "unknown key: colors"),
        ({"labels": {"1": "a"}, "ignored": 3}, "unknown key: ignored"),
        ({"labels": {"1": "a"}, "regions": [[1, 2]]}, "'regions' must be an object"),
        ({"labels": {"1": "a"}, "regions": {"b": "1,2"}}, "region 'b'"),
        ({"labels": {"1": "a"}, "regions": {"b": []}}, "region 'b'"),
        ({"labels": {"1": "a"}, "regions": {"b": [1, 1.5]}}, "region 'b'"),
        ({"labels": {"1": "a"}, "ignore": "void"}, "ignore"),
        ({"labels": {"1": "a"}, "ignore": True}, "ignore"),
        ({"labels": {"1": "a"}, "background": "none"}, "background 'none'"),
        ({"labels": {"1": "a"}, "background": 0.5}, "background 0.5"),
        ({"labels": {"1": "a"}, "colours": {"a": [1, 2, 3]}}, "colours"),
        ({"labels": {"1": "a"}, "colours": {"1": [1, 2]}}, "no colour"),
        ({"labels": {"1": "a"}, "colours": {"1": [1, 2, 256]}}, "no colour"),
        ({"labels": {"1": "a"}, "colours": {"1": [1, 2, -1]}}, "no colour"),
        ({"labels": {"1": "a"}, "colours": {"1": [0.5, 2, 3]}}, "no colour"),
        ({"labels": {"1": "a"}, "colours": {"1": "red"}}, "no colour"),
        ({"labels": {"1": "a"}, "colours": {"1": "#fff"}}, "no colour"),
        ({"labels": {"1": "a"}, "colours": {"1": "#ff00ff00"}}, "no colour"),
        ({"labels": {"1": "a"}, "colours": {"1": None}}, "no colour"),
        ({"labels": {"1": "a"}, "colours": {"2": [1, 2, 3]}}, "colour of label 2, which is not declared"),
        ({"labels": {"1": "a", "2": "b"}, "colours": {"1": [1, 2, 3], "2": "#010203"}}, "same colour"),
        ({"labels": {"a": 1, "b": 1}}, "two names have the same label"),
        ({"labels": {"a": 1, "b": "x"}}, "label 'b'"),
        ({"labels": {"a": 1, "b": []}}, "label 'b'"),
        ({"labels": {"a": 1, "b": 1.5}}, "label 'b'"),
        ({"labels": {"0": "background", "liver": 1}}, "label '0'"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value),
)
def test_what_is_not_understood_is_an_error_that_says_so(tmp_path, content, said):
    """A labels file that cannot be understood is wrong usage; the message names the file and the fault."""
    path = written(tmp_path / "scheme.json", content)
    with pytest.raises(LabelFileError) as caught:
        load_labels(path)
    assert said in str(caught.value)
    assert "scheme.json" in str(caught.value)
    assert caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("key", ["ignore", "regions", "background", "colours"])
def test_own_keys_beside_nnunets_labels_are_not_dropped(key):
    """The own form's keys beside labels written name first are an error, not left out in silence."""
    with pytest.raises(LabelFileError, match=key):
        load_labels({"labels": {"background": 0, "liver": 1, "void": 2}, key: OWN[key]})


def test_one_label_written_twice_is_an_error():
    """Two keys of one label would lose a name: an error."""
    with pytest.raises(LabelFileError):
        load_labels({"labels": {"1": "liver", "01": "tumour"}})


def test_whole_floats_of_colours_are_whole_or_refused(tmp_path):
    """Colours written as 128.0 mean 128, or are refused; they never end in a traceback."""
    path = png(tmp_path / "a.png", np.full((3, 3, 3), (128, 64, 128), np.uint8))
    try:
        scheme = load_labels({"labels": {"1": "road"}, "colours": {"1": [128.0, 64.0, 128.0]}})
    except LabelFileError:
        return
    result = scored(path, np.ones((3, 3), np.uint8), labels=scheme)
    assert set(counts(result)) == {1}


@pytest.mark.parametrize("name", ["nothing.json", "folder/scheme", "scheme.txt"])
def test_a_missing_file_is_an_error(tmp_path, monkeypatch, name):
    """What looks like a path and is none is an error on the file, not on a preset."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LabelFileError, match="no such file"):
        load_labels(name)


def test_a_folder_is_no_labels_file(tmp_path):
    """A folder in place of a labels file is an error."""
    with pytest.raises(LabelFileError):
        load_labels(tmp_path)


def test_bytes_that_are_no_text_are_an_error(tmp_path):
    """A binary file in place of a labels file is an error, not a traceback."""
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(LabelFileError, match="JSON"):
        load_labels(tmp_path / "a.json")


# nnU-Net.


def test_nnunets_dataset_json():
    """A dataset.json of nnU-Net is read as it is: names of labels, and no regions."""
    scheme = load_labels(NNUNET)
    assert scheme.names == {0: "background", 1: "kidney", 2: "tumour"}
    assert scheme.regions == {}
    assert scheme.ignore == ()
    assert scheme.background == 0


def test_nnunets_ignore_label():
    """The name "ignore" is nnU-Net's word for the label that is left out."""
    scheme = load_labels({**NNUNET, "labels": {**NNUNET["labels"], "ignore": 3}})
    assert scheme.ignore == (3,)
    assert 3 not in scheme.names
    assert 3 in scheme.known


def test_nnunets_regions():
    """Lists are regions; once there is one, single labels other than the background are regions too."""
    scheme = load_labels(REGIONS)
    assert scheme.regions == {"whole": (1, 2, 3), "core": (2, 3), "enhancing": (3,)}
    assert scheme.names == {0: "background", 1: "label 1", 2: "label 2", 3: "enhancing"}
    assert scheme.ignore == (4,)
    assert frozenset({0, 1, 2, 3, 4}) == scheme.known


def test_nnunets_first_version():
    """In nnU-Net's first version labels were the keys; its other keys are let pass."""
    first = {
        "name": "Task",
        "modality": {"0": "CT"},
        "labels": {"0": "background", "1": "spleen"},
        "numTraining": 41,
        "training": [],
        "test": [],
    }
    scheme = load_labels(first)
    assert scheme.names == {0: "background", 1: "spleen"}
    assert scheme.regions == {}


def test_regions_are_counted_as_unions():
    """A region's counts are those of the union of its labels, found without another pass."""
    report = dicecli.score(OTHER, LABELS, labels={**REGIONS, "labels": {**REGIONS["labels"], "ignore": 9}})
    for name, members in {"whole": (1, 2, 3), "core": (2, 3), "enhancing": (3,)}.items():
        expected = brute(np.isin(OTHER, members).astype(int), np.isin(LABELS, members).astype(int))[1]
        assert expected == regions(report)[name]
    assert brute(OTHER, LABELS) == counts(*report.scored)


def test_a_region_over_ignored_pixels():
    """Ignored pixels of the reference count in no region; as a prediction they are outside every region."""
    report = dicecli.score(
        OTHER, LABELS, labels={"labels": {"1": "a", "2": "b"}, "regions": {"ab": [1, 2]}, "ignore": 3}
    )
    kept = LABELS != 3
    expected = brute(np.isin(OTHER, (1, 2))[kept].astype(int), np.isin(LABELS, (1, 2))[kept].astype(int))[1]
    assert expected == regions(report)["ab"]


def test_regions_from_python():
    """Regions can be named in the call, without any file."""
    report = dicecli.score(OTHER, LABELS, regions={"high": [3, 2]})
    expected = brute((OTHER >= 2).astype(int), (LABELS >= 2).astype(int))[1]
    assert expected == regions(report)["high"]


# Regions of the command line.


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("a=1", ("a", (1,))),
        ("whole tumour=1,2,4", ("whole tumour", (1, 2, 4))),
        (" b = 4 , 1,1 ", ("b", (1, 4))),
        ("void=-1,255", ("void", (-1, 255))),
    ],
)
def test_parse_region(text, region):
    """NAME=1,2,3 is a name and its labels, in ascending order and once each."""
    assert region == parse_region(text)


@pytest.mark.parametrize(
    "text", ["", "a", "=1", " =1", "a=", "a=x", "a=1,", "a=,1", "a=1 2", "a=1.5", "a=1=2"]
)
def test_parse_region_refuses_the_rest(text):
    """Anything else is an error that shows the right form."""
    with pytest.raises(LabelFileError) as caught:
        parse_region(text)
    assert "--region" in caught.value.hint
    assert isinstance(caught.value, UsageError)


# Presets.


def test_presets_are_listed_by_name():
    """The listing of presets is that of its folder."""
    assert {"ade20k", "brats", "cityscapes", "cityscapes-train", "voc", "worldcover"} <= set(presets())
    assert sorted(presets()) == list(presets())


def test_the_page_has_every_preset_and_form():
    """docs/labels.md lists each preset, and each form of files, once."""
    page = (places.ROOT / "docs" / "labels.md").read_text(encoding="utf-8")
    section = page.partition("| name | what it is |")[2]
    assert [*presets()] == sorted(re.findall(r"^\| `([a-z0-9-]+)` \| ", section, re.MULTILINE))
    table = page.partition("| form | ")[2].partition("\n\n")[0]
    assert len(own("legends")) == table.count("\n| ")


@pytest.mark.parametrize("name", presets())
def test_every_preset_keeps_the_contract(name):
    """A preset has a description, names that say something, and declares whatever else it mentions."""
    scheme = load_labels(name)
    first, _, rest = described(name).partition(". ")
    assert 10 < len(first) < 62
    assert "Source: " in rest
    assert rest.endswith(".")
    assert scheme.source == name
    assert scheme.is_declared
    assert all(each.strip() for each in scheme.names.values())
    assert len({*scheme.names.values(), *scheme.regions}) == len(scheme.names) + len(scheme.regions)
    assert not set(scheme.ignore) & set(scheme.names)
    assert scheme.background is None or scheme.background in scheme.names
    for members in scheme.regions.values():
        assert set(members) <= set(scheme.names)
    assert set(scheme.colours.values()) <= scheme.known
    assert all(channel in range(256) for colour in scheme.colours for channel in colour)
    assert not scheme.colours or set(scheme.names) <= set(scheme.colours.values())


@pytest.mark.parametrize(
    ("name", "count", "label", "called", "colour", "ignored"),
    [
        ("cityscapes", 19, 26, "car", (0, 0, 142), 0),
        ("cityscapes-train", 19, 13, "car", (0, 0, 142), 255),
        ("voc", 21, 15, "person", (192, 128, 128), 255),
        ("ade20k", 150, 1, "wall", None, 0),
        ("brats", 5, 0, "background", None, None),
        ("coco-stuff", 171, 0, "person", None, 255),
        ("coco-stuff", 171, 89, "toothbrush", None, 255),
        ("coco-stuff", 171, 91, "banner", None, 255),
        ("coco-stuff", 171, 181, "wood", None, 255),
        ("loveda", 7, 5, "barren", (159, 129, 183), 0),
        ("loveda", 7, 1, "background", (255, 255, 255), 0),
        ("worldcover", 11, 95, "Mangroves", (0, 207, 117), 0),
        ("worldcover", 11, 100, "Moss and lichen", (250, 230, 160), 0),
        ("scl", 11, 6, "water", (0, 0, 255), 0),
        ("scl", 11, 11, "snow or ice", (255, 150, 255), 0),
        ("totalsegmentator", 118, 5, "liver", None, None),
        ("totalsegmentator", 118, 90, "brain", None, None),
        ("totalsegmentator", 118, 117, "costal_cartilages", None, None),
    ],
)
def test_facts_of_presets(name, count, label, called, colour, ignored):
    """Well-known labels of the data sets have their published numbers and colours."""
    scheme = load_labels(name)
    assert len(scheme.names) == count
    assert scheme.names[label] == called
    assert colour is None or scheme.colours[colour] == label
    assert ignored is None or ignored in scheme.ignore


@pytest.mark.parametrize(
    ("name", "regions"),
    [
        ("totalsegmentator", {"part organs": 24, "part vertebrae": 26, "part cardiac": 18, "part ribs": 26}),
        (
            "coco-stuff",
            {"things": 80, "stuff": 91, "animal-things": 10, "water-stuff": 5, "ground-stuff": 11},
        ),
        ("scl", {"cloud": 3}),
    ],
)
def test_categories_of_presets(name, regions):
    """Categories that a data set defines are regions, with as many classes as are published."""
    scheme = load_labels(name)
    assert regions == {each: len(scheme.regions[each]) for each in regions}
    inside = [
        label for each, members in scheme.regions.items() if each.startswith("part ") for label in members
    ]
    assert name != "totalsegmentator" or inside == [*range(1, 118)]
    if name == "coco-stuff":
        both = sorted(scheme.regions["things"] + scheme.regions["stuff"])
        assert both == sorted(scheme.names) == sorted(sum([*scheme.regions.values()][2:], ()))
        # COCO's things of which there are no pixels are none of its classes.
        assert {11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90} == {*range(182)} - {*scheme.names}


@pytest.mark.parametrize(
    ("given", "near"), [("cityscape", "cityscapes"), ("VOC", "voc"), ("nothing", "brats")]
)
def test_an_unknown_preset_is_named_with_the_known_ones(given, near):
    """The error for a preset that does not exist lists those that do."""
    with pytest.raises(UnknownName, match=given) as caught:
        load_labels(given)
    assert near in caught.value.hint


def test_a_preset_reads_coloured_masks(tmp_path):
    """A preset with colours reads the data set's coloured masks, and refuses what it does not declare."""
    scheme = load_labels("voc")
    by_label = {label: colour for colour, label in scheme.colours.items()}
    labels = np.where(LABELS == 3, 255, LABELS)
    colours = np.array([by_label.get(label, (0, 0, 0)) for label in range(256)], np.uint8)[labels]
    result = scored(
        png(tmp_path / "a.png", colours), png(tmp_path / "b.png", labels.astype(np.uint8)), labels="voc"
    )
    kept = labels != 255
    assert brute(labels[kept], labels[kept]) == counts(result)
    with pytest.raises(UnknownLabel, match="label 40"):
        scored(np.full((4, 4), 40), np.ones((4, 4), int), labels="voc")


def test_json_that_is_nested_too_deep(tmp_path):
    """A file of 200,000 brackets is no labels file, and no traceback."""
    path = tmp_path / "labels.json"
    path.write_text("[" * 200_000)
    with pytest.raises(LabelFileError, match="cannot be read as JSON"):
        load_labels(path)


#: Published in cityscapesScripts, helpers/labels.py: id, trainId and colour of the classes of the data set.
CITYSCAPES = """
0 255 000000, 1 255 000000, 2 255 000000, 3 255 000000, 4 255 000000, 5 255 6f4a00, 6 255 510051,
7 0 804080, 8 1 f423e8, 9 255 faaaa0, 10 255 e6968c, 11 2 464646, 12 3 66669c, 13 4 be9999,
14 255 b4a5b4, 15 255 966464, 16 255 96785a, 17 5 999999, 18 255 999999, 19 6 faaa1e, 20 7 dcdc00,
21 8 6b8e23, 22 9 98fb98, 23 10 4682b4, 24 11 dc143c, 25 12 ff0000, 26 13 00008e, 27 14 000046,
28 15 003c64, 29 255 00005a, 30 255 00006e, 31 16 005064, 32 17 0000e6, 33 18 770b20, -1 -1 00008e
"""


@pytest.mark.parametrize("train", [False, True])
def test_coloured_masks_of_cityscapes(tmp_path, train):
    """Masks in all 35 published colours score as those of numbers do, and say which class a shared colour is."""
    rows = [each.split() for each in CITYSCAPES.replace("\n", " ").split(",")]
    ids = np.array([int(row[train]) for row in rows])
    colours = np.array([list(bytes.fromhex(row[2])) for row in rows], np.uint8)
    preset = "cityscapes-train" if train else "cityscapes"
    scheme = load_labels(preset)
    assert {*scheme.known} == {*ids.tolist()}
    prediction, reference = np.random.default_rng(14).integers(0, 34, (2, 60, 50))
    paint, number = tmp_path / "colour.png", tmp_path / "number.png"
    references = ids[reference].astype(np.uint8)
    prediction[:5] = 34
    result = scored(png(paint, colours[prediction]), png(number, references), labels=preset)
    read_as = ids[prediction]
    read_as[prediction == 18], read_as[prediction == 34] = ids[17], ids[26]
    kept = np.isin(references, [*scheme.names])
    expected = brute(read_as[kept], references[kept])
    assert {label: expected[label] for label in scheme.names} == counts(result)
    car, pole = ("13", "5") if train else ("26", "17")
    said = f"labels share one, #00008e as {car}, not as -1; #999999 as {pole}, not as {ids[18]}"
    assert said in " ".join(result.notes)


def test_labels_of_one_colour():
    """A label may have several colours, and those that are left out the colour of another one, alone."""
    table = {"labels": {"1": "car", "2": "road"}, "ignore": [3, 4]}
    scheme = load_labels(table | {"colours": {"3": ["#0000ff", [0, 0, 0]], "1": "#0000ff", "4": "#000000"}})
    assert scheme.colours == {(0, 0, 255): 1, (0, 0, 0): 3}
    assert scheme.alike == {(0, 0, 255): (3,), (0, 0, 0): (4,)}
    with pytest.raises(LabelFileError, match="two labels have the same colour"):
        load_labels(table | {"colours": {"1": "#0000ff", "2": ["#ff0000", "#0000ff"]}})


def test_a_palette_may_paint_labels_in_the_colour_of_another_one(tmp_path):
    """Numbers of labels that are left out keep their meaning under a palette with the published colours."""
    labels = np.array([[0, 1, 17], [18, 26, 26]], np.uint8)
    rows = [each.split() for each in CITYSCAPES.replace("\n", " ").split(",")][:34]
    palette = [channel for row in rows for channel in bytes.fromhex(row[2])]
    result = scored(
        png(tmp_path / "a.png", labels, palette=palette), png(tmp_path / "b.png", labels), labels="cityscapes"
    )
    assert sum(result.excluded.values()) == 3
