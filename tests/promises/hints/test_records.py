"""Hints on options, limits, files of labels and names of metrics, followed to the letter."""

from __future__ import annotations

import re

import make
import numpy as np
import pytest
from following import DICE, PREDICTION, REFERENCE, Table

import dicecli
from dicecli.masks.formats.nifti._voxels import Voxels

TABLE = Table("records")
_SCORE = "score p.png r.png"
_LABELS = f"{_SCORE} --labels l.json"
#: A label file in the form that hints show.
_BY_HAND = {"labels": {"0": "background", "1": "liver"}}


@TABLE("metrics._catalogue._unknown: 'dicecli metrics' lists every one.")
def a_metric_of_nobody(scene):
    scene.pair()
    scene.refused(f"{_SCORE} -m xyzzy")
    assert "dice" in scene.works("metrics")
    scene.right(DICE, f"{_SCORE} -m dice")


@TABLE("metrics._catalogue._unknown: Did you mean")
def a_metric_with_a_slip(scene):
    scene.pair()
    word = scene.refused(f"{_SCORE} -m dicee").removeprefix("Did you mean ").split()[0].rstrip("?")
    scene.right(DICE, f"{_SCORE} -m {word}", number=word)


@TABLE("metrics._catalogue._unknown: Ask for the metric: -m")
def an_average_for_a_metric(scene):
    scene.pair()
    hint = scene.refused(f"{_SCORE} -m miou")
    name = hint.partition(" -m ")[2].partition(".")[0]
    scene.right(DICE / (2 - DICE), f"{_SCORE} -m {name}", number=hint.rpartition(" ")[2].rstrip("."))
    scene.do(f"{_SCORE} -m {name} -o r.json")
    assert "0.66666666" in scene.works(f"explain r.json {name}@macro")


@TABLE("metrics._catalogue._unknown: 'dicecli metrics' lists what there is;")
def a_metric_to_come(scene):
    scene.pair()
    scene.refused(f"{_SCORE} -m pq")
    assert "centre_distance" in scene.works("metrics")
    scene.right(DICE, _SCORE)


@TABLE("metrics._parameter.read: Write ….", "metrics._parameter.read: It lies from")
def a_metric_without_its_number(scene):
    scene.pair()
    word = "fbeta_{beta}" if "Write" in scene.place.name else "fbeta_5000"
    metric = re.search(r"fbeta_[0-9.]*[0-9]", scene.refused(f"{_SCORE} -m '{word}'"))[0]
    beta = float(metric.removeprefix("fbeta_"))
    scene.right((1 + beta**2) * 2 / ((1 + beta**2) * 2 + 1), f"{_SCORE} -m {metric}", number=metric)


@TABLE("records.calling.check_call: Write …(…)")
def a_call_without_its_reference(scene):
    if "by their names" in scene.place.name:
        assert scene.refused(dicecli.score, PREDICTION).startswith("Write score(prediction, reference);")
        scene.right(DICE, dicecli.score, PREDICTION, REFERENCE)
        return
    cases, settings = [dicecli.Case("a", PREDICTION, REFERENCE)], dicecli.make_settings()
    assert "Write score_many(cases, settings)." == scene.refused(dicecli.score_many, cases)
    scene.right(DICE, dicecli.score_many, cases, settings)


@TABLE("records.calling.no_keyword: … Known: ….")
def a_keyword_of_another_library(scene):
    hint = scene.refused(dicecli.score, PREDICTION, REFERENCE, ignore_index=7)
    name, _, value = hint.removeprefix("Here it is ").partition(". ")[0].partition("=")
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE, **{name: int(value)})


@TABLE("records.given.named_regions: It is a mapping of names")
def regions_that_are_no_mapping(scene):
    scene.refused(dicecli.score, PREDICTION * 2, REFERENCE * 2, regions=["kidneys"])
    regions = {"kidneys": [2, 3]}
    scene.right(DICE, dicecli.score, PREDICTION * 2, REFERENCE * 2, regions=regions, number="dice[kidneys]")


@TABLE("records.schemes._in_one_form: Rename one of them.")
def two_regions_of_one_name(scene):
    scene.pair()
    scene.text("l.json", {"labels": {"1": "a"}, "regions": {"caf\u00e9": [1], "cafe\u0301": [1]}})
    scene.refused(f"{_SCORE} --labels l.json")
    scene.text("l.json", {"labels": {"1": "a"}, "regions": {"caf\u00e9": [1], "other": [1]}})
    scene.right(DICE, f"{_SCORE} --labels l.json")


_MAP = f"{_SCORE} --map-prediction"


@TABLE(
    "records.label_maps.texts.parse_map: Write '5=1,6=1' for single labels,",
    "records.label_maps.texts._parsed: Write '5=1,6=1' for single labels,",
)
def a_map_that_is_none(scene):
    """Write each of the forms that the hint has."""
    scene.pair(PREDICTION * 5)
    for wrong in ["''", ","] if "parse_map" in scene.place.name else ["5", "'5>1'", "'*:+1'", "5:1", "a=1"]:
        scene.refused(f"{_MAP} {wrong}")
    scene.right(DICE, f"{_MAP} 5=1,6=1")
    scene.pair(PREDICTION * 149, REFERENCE * 150)
    scene.right(DICE, f"{_MAP} 0-149:+1", number="dice[150]")
    scene.pair(PREDICTION * 12)
    scene.right(DICE, f"{_MAP} 11-34=1")
    scene.pair(PREDICTION * 10)
    scene.right(DICE, f"{_MAP} '10=1,*=ignore'")


@TABLE("records.label_maps.texts._parsed: Write …-….")
def a_range_from_its_end(scene):
    scene.pair(PREDICTION * 5)
    word = scene.refused(f"{_MAP} 6-4=1").removeprefix("Write ").removesuffix(".")
    scene.right(DICE, f"{_MAP} {word}=1")


@TABLE("records.label_maps.check_fit: Labels lie between")
def a_label_of_more_bits(scene):
    scene.pair(PREDICTION * 5)
    hint = scene.refused(f"{_MAP} 5={2**63}")
    scene.refused(f"{_MAP} '*=-{2**64}'")
    largest = int(hint.split()[3].lstrip("-"))
    scene.right(0.0, f"{_MAP} 5={largest}", number="dice[1]")


@TABLE(
    "records.label_maps.texts._checked: Let each label stand once:",
    "records.label_maps.texts._checked: Leave out one of both.",
)
def a_label_that_is_mapped_twice(scene):
    scene.pair(PREDICTION * 5)
    is_rest = "Leave" in scene.place.name
    scene.refused(f"{_MAP} '{'5=1,*=2,*=ignore' if is_rest else '5=1,4-6=2'}'")
    scene.right(DICE, f"{_MAP} '{'5=1,*=2' if is_rest else '5=1,6-7=2'}'")
    scene.right(DICE, f"{_MAP} 5=1")


@TABLE("records.legends.own._maps: Put labels into one of")
def a_label_beside_a_side(scene):
    scene.pair(PREDICTION * 5)
    scene.text("l.json", _BY_HAND | {"map": {"prediction": {"5": 1}, "6": 1}})
    scene.refused(_LABELS)
    scene.text("l.json", _BY_HAND | {"map": {"prediction": {"5": 1}}})
    scene.right(DICE, _LABELS)
    scene.text("l.json", _BY_HAND | {"map": {"5": 1, "1": 1}})
    scene.right(DICE, _LABELS)


@TABLE("records.lengths.parse_length: Write …, without a space:")
def a_length_without_its_unit(scene):
    """Of two volumes of 3 mm: a point of five is a step off."""
    _thick(scene)
    scene.refused(f"{_THICK} --tolerance 2")
    scene.right(4 / 5, f"{_THICK} --tolerance 2mm", number="nsd_2mm")
    scene.right(1.0, f"{_THICK} --tolerance 1px --spacing voxel", number="nsd_1px")
    scene.refused(f"{_THICK} -m boundary_f --boundary-width 2cm")
    scene.right(1.0, f"{_THICK} -m boundary_f --boundary-width 5px", number="boundary_f")


@TABLE("records.lengths.parse_length: Write ….")
def a_width_of_nothing(scene):
    _thick(scene)
    scene.refused(f"{_THICK} -m boundary_f --boundary-width 0mm")
    scene.right(1.0, f"{_THICK} -m boundary_f --boundary-width 5px", number="boundary_f")


@TABLE("records.surfaces.parse_empty_distance: Write --empty-distance diagonal, or")
def a_word_for_the_distance_to_nothing(scene):
    scene.pair(PREDICTION * 0)
    ask = f"{_SCORE} -m hd --empty-distance"
    for wrong in ("farthest", "-1", "nan"):
        scene.refused(f"{ask} {wrong}")
    scene.right(13**0.5, f"{ask} diagonal", number="hd")
    scene.right(374, f"{ask} 374", number="hd")


@TABLE(
    "records.surfaces.parse_empty_distance: Did you mean",
    but={"--empty-distance": "the scenario of the hint without a slip follows the rest"},
)
def a_slip_in_the_distance_to_nothing(scene):
    scene.pair(PREDICTION * 0)
    scene.refused(f"{_SCORE} -m hd --empty-distance diagnal")
    scene.right(13**0.5, f"{_SCORE} -m hd --empty-distance {scene.meant()}", number="hd")


#: A pair of volumes.
_THICK = "score p.nii r.nii"


def _thick(scene):
    """Write the small masks as volumes of one plane, of 3 mm."""
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.nii(f"{side}.nii", array[:, :, None], affine=np.diag([3, 3, 3, 1]))


@TABLE("metrics._parameter.read: Write ….")
def a_share_without_its_tolerance(scene):
    _thick(scene)
    metric = scene.refused(f"{_THICK} -m nsd").removeprefix("Write ").rstrip(".")
    scene.right(4 / 5, f"{_THICK} -m {metric}", number=metric)


@TABLE("metrics._parameter.read: Write …, or whatever unit is")
def a_tolerance_without_its_unit(scene):
    """Write what the hint says; or a unit that is meant: of pixels all is within two steps."""
    _thick(scene)
    metric = scene.refused(f"{_THICK} -m nsd_2").removeprefix("Write ").partition(",")[0]
    scene.right(4 / 5, f"{_THICK} -m {metric}", number=metric)
    scene.right(1.0, f"{_THICK} -m nsd_2px --spacing voxel", number="nsd_2px")


#: What is wrong with a file of labels, by the place of the hint; the file that shows it.
_BAD_FILES = [
    *("{", "[]", "", {"labels": []}),
    *({**_BY_HAND, "background": "none"}, {**_BY_HAND, "regions": []}, {**_BY_HAND, "colours": 1}),
]


@TABLE("records.legends._written.not_labels: A labels file looks like")
def a_labels_file_that_is_none(scene):
    """Paste the example: it is right for masks of its labels, and refuses others; 255 is never left out by it."""
    scene.pair()
    for content in _BAD_FILES:
        scene.text("l.json", content)
        scene.text("l.json", scene.refused(_LABELS).removeprefix("A labels file looks like ").rstrip("."))
        scene.right(DICE, _LABELS, number="dice[1]")
        scene.png("q.png", REFERENCE * 255)
        scene.refused_again("score p.png q.png --labels l.json")
    scene.refused(dicecli.score, PREDICTION, REFERENCE, labels=7)
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE, labels=_BY_HAND)


@TABLE("records.literals.integers: Write the number of a label")
def labels_that_are_no_integers(scene):
    scene.pair(PREDICTION, REFERENCE + 2 * (PREDICTION - REFERENCE))
    for key, bad in (("ignore", "void"), ("regions", {"both": "all"})):
        scene.text("l.json", {**_BY_HAND, key: bad})
        scene.refused(_LABELS)
        good = 2 if key == "ignore" else {"both": [1]}
        scene.text("l.json", {"labels": {"0": "background", "1": "liver", "2": "void"}, key: good})
        scene.right(1.0 if key == "ignore" else DICE, _LABELS, number="dice[1]")


@TABLE("records.legends.nnunet.read: Write them as number: name")
def both_forms_at_once(scene):
    scene.pair(PREDICTION, np.where(PREDICTION > REFERENCE, 2, REFERENCE))
    scene.text("l.json", {"labels": {"background": 0, "liver": 1}, "ignore": 2})
    scene.refused(_LABELS)
    scene.text("l.json", {"labels": {"0": "background", "1": "liver"}, "ignore": 2})
    scene.right(1.0, _LABELS)
    scene.text("l.json", {"labels": {"background": 0, "liver": 1, "ignore": 2}})
    scene.right(1.0, _LABELS)


@TABLE(
    "records.schemes.load_labels: A labels file is …; presets",
    "records.schemes._read: A labels file is …; presets",
)
def no_file_of_labels(scene):
    scene.pair()
    scene.text("l.txt", "name;number")
    hint = scene.refused(f"{_SCORE} --labels {'l.txt' if '_read' in scene.place.name else 'xyzzy.json'}")
    assert '{"liver": 1}' in hint
    scene.text("l.json", {"liver": 1})
    scene.right(DICE, _LABELS, number="dice[liver]")
    assert ", voc, " in hint
    scene.right(DICE, f"{_SCORE} --labels voc", number="dice[1]")


@TABLE("records.schemes.load_labels: Did you mean …? A labels")
def a_slip_in_the_name_of_a_labels_file(scene):
    scene.pair()
    scene.text("organs.json", _BY_HAND)
    for given, meant in (("organ.json", "organs.json"), ("voc.json", "voc")):
        scene.refused(f"{_SCORE} --labels {given}")
        assert meant == scene.meant()
        scene.right(DICE, f"{_SCORE} --labels {meant}", number="dice[1]")


@TABLE("records.legends.own.read: Known:")
def a_key_of_nobody(scene):
    scene.pair()
    scene.text("l.json", {**_BY_HAND, "xyzzy": 1})
    assert "regions" in scene.refused(_LABELS).removeprefix("Known: ").rstrip(".").split(", ")
    scene.text("l.json", {**_BY_HAND, "regions": {"both": [1]}})
    scene.right(DICE, _LABELS, number="dice[both]")


@TABLE("records.legends.own.read: Did you mean")
def a_key_with_a_slip(scene):
    scene.pair()
    scene.text("l.json", {**_BY_HAND, "regoins": {"both": [1]}})
    scene.refused(_LABELS)
    assert scene.meant() == "regions"
    scene.text("l.json", {**_BY_HAND, "regions": {"both": [1]}})
    scene.right(DICE, _LABELS, number="dice[both]")


@TABLE("records.legends.own.read: Give each label one name.")
def a_label_twice(scene):
    scene.pair()
    scene.text("l.json", '{"labels": {"1": "liver", "01": "tumour"}}')
    scene.refused(_LABELS)
    scene.text("l.json", _BY_HAND)
    scene.right(DICE, _LABELS, number="dice[liver]")


@TABLE("records.legends._entries.scheme_of: Give each label one name.")
def a_label_twice_in_a_mapping(scene):
    scene.pair()
    scene.text("l.json", {"1": "liver", "01": "tumour"})
    scene.refused(_LABELS)
    scene.text("l.json", {"1": "liver"})
    scene.right(DICE, _LABELS, number="dice[liver]")


@TABLE("records.legends._entries.scheme_of: Give each label its own")
def a_colour_twice_in_a_table(scene):
    scene.pair()
    scene.text("l.txt", "rest:0,0,0::\nliver:0,0,0::\n")
    table = f"{_SCORE} --labels l.txt"
    scene.refused(table)
    scene.text("l.txt", "rest:0,0,0::\nliver:1,0,0::\n")
    scene.right(DICE, table, number="dice[liver]")


#: A line of each form that is not understood, below the header that the form has.
_BAD_LINES = {
    "bids": ("index\tname\tcolor\n", "1\tliver\tred"),
    "class_dict": ("name,r,g,b\nrest,0,0,0\n", "liver,1,2"),
    "cvat": ("# label:color_rgb:parts:actions\nrest:0,0,0::\n", "liver"),
    "freesurfer": ("0 Unknown 0 0 0 0\n1 liver 1 2 3 0\n", "2 spleen 1 2 3"),
    "itksnap": ('0 0 0 0 0 0 0 "Clear Label"\n', "1 1 2 3 1 1 1 liver"),
    "slicer": ("# Color table file\n1 liver 1 2 3 255\n", "spleen"),
}


@TABLE("records.legends._written.wrong_line: Write the line as this one")
def a_line_of_no_label(scene):
    """Put the line that the hint shows in its place: the file is read."""
    scene.pair()
    for head, line in _BAD_LINES.values():
        scene.text("l.txt", head + line)
        right = scene.refused(f"{_SCORE} --labels l.txt").removeprefix("Write the line as this one is: ")
        scene.text("l.txt", head + right)
        scene.right(DICE, f"{_SCORE} --labels l.txt", number="dice[1]")


@TABLE("records.legends.nnunet.read: Give each label one name.")
def two_names_of_a_label(scene):
    scene.pair()
    scene.text("l.json", {"labels": {"background": 0, "liver": 1, "tumour": 1}})
    scene.refused(_LABELS)
    scene.text("l.json", {"labels": {"background": 0, "liver": 1}})
    scene.right(DICE, _LABELS, number="dice[liver]")


@TABLE("records.literals.colours_of: Give each label its own colour.")
def two_labels_of_a_colour(scene):
    scene.pair()
    labels = {"0": "background", "1": "road", "2": "sky"}
    scene.text("l.json", {"labels": labels, "colours": {"1": "#804080", "2": [128, 64, 128]}})
    scene.refused(_LABELS)
    scene.text("l.json", {"labels": labels, "colours": {"0": "#000000", "1": "#804080", "2": "#0000ff"}})
    painted = np.stack([PREDICTION * 128, PREDICTION * 64, PREDICTION * 128], -1)
    scene.png("p.png", painted.astype(np.uint8))
    scene.right(DICE, _LABELS)


@TABLE("records.legends._entries.checked: Number the labels from 0, in")
def a_declared_label_beyond_63_bits(scene):
    scene.pair()
    scene.text("l.json", {"labels": {"0": "rest", str(2**63): "liver"}})
    scene.refused(_LABELS)
    scene.text("l.json", _BY_HAND)
    scene.right(DICE, _LABELS)


@TABLE("records.legends._entries.checked: Declare it under 'labels', or")
def a_colour_of_no_label(scene):
    scene.png("p.png", np.stack([PREDICTION * 128, PREDICTION * 64, PREDICTION * 128], -1).astype(np.uint8))
    scene.png("r.png", REFERENCE)
    colours = {"0": "#000000", "1": "#804080"}
    scene.text("l.json", {"labels": {"0": "background"}, "colours": colours})
    scene.refused(_LABELS)
    scene.text("l.json", {"labels": {"0": "background", "1": "road"}, "colours": colours})
    scene.right(DICE, _LABELS)
    scene.text("l.json", {"labels": {"0": "background"}, "ignore": 1, "colours": colours})
    # What is under 'ignore' is left out of the reference: no pixel of a label is left.
    assert scene.do(_LABELS).report.scored[0].excluded["ignore_label"] == int(REFERENCE.sum())


@TABLE("records.legends._entries.checked: Declare it under 'labels'.")
def a_region_of_no_label(scene):
    scene.pair(PREDICTION * 2, REFERENCE * 2)
    scene.text("l.json", {**_BY_HAND, "regions": {"both": [1, 2]}})
    scene.refused(_LABELS)
    scene.text(
        "l.json", {"labels": {"0": "background", "1": "liver", "2": "tumour"}, "regions": {"both": [1, 2]}}
    )
    scene.right(DICE, _LABELS, number="dice[both]")


@TABLE("records.literals._colour: Write [red, green, blue]")
def a_colour_that_is_none(scene):
    scene.png("p.png", np.stack([PREDICTION * 128, PREDICTION * 64, PREDICTION * 128], -1).astype(np.uint8))
    scene.png("r.png", REFERENCE)
    labels = {"labels": {"0": "background", "1": "road"}}
    scene.text("l.json", {**labels, "colours": {"0": "black", "1": "purple"}})
    scene.refused(_LABELS)
    scene.text("l.json", {**labels, "colours": {"0": [0, 0, 0], "1": "#804080"}})
    scene.right(DICE, _LABELS)
    scene.text("l.json", {**labels, "colours": {"0": ["#000000"], "1": [[128, 64, 128], "#ff0000"]}})
    scene.right(DICE, _LABELS)


@TABLE("records.schemes.parse_region: Write a name, an equals sign")
def a_region_that_is_none(scene):
    scene.pair(PREDICTION * 2, REFERENCE * 2)
    hint = scene.refused(f"{_SCORE} --region both")
    scene.right(DICE, f"{_SCORE} {hint[hint.index('--region') :].rstrip('.')}", number="dice[whole tumour]")


@TABLE("records.schemes.parse_region: Write --region")
def a_region_of_names(scene):
    scene.pair()
    scene.text("l.json", _BY_HAND)
    hint = scene.refused(f"{_LABELS} --region 'both parts=liver'")
    scene.right(DICE, f"{_LABELS} {hint.removeprefix('Write ').rstrip('.')}", number="dice[both parts]")


@TABLE("records.labels.adding: Declared are")
def a_region_beside_what_is_declared(scene):
    scene.pair()
    scene.text("l.json", _BY_HAND)
    hint = scene.refused(f"{_LABELS} --region both=1,2")
    assert "1 (liver)" in hint
    scene.right(DICE, f"{_LABELS} --region both=1", number="dice[both]")


@TABLE("records.labels.labels_of: Labels are integers:")
def a_label_that_is_none(scene):
    for bad, good in (("void", 255), ([1.5], [255])):
        scene.refused(dicecli.score, PREDICTION, REFERENCE, ignore_label=bad)
        scene.right(DICE, dicecli.score, PREDICTION, REFERENCE, ignore_label=good)


@TABLE("records.limits.check_pixels: If the mask is meant to")
def more_pixels_than_are_allowed(scene):
    scene.pair()
    hint = scene.refused(f"{_SCORE} --max-pixels 3")
    scene.right(DICE, f"{_SCORE} {hint[hint.index('--max-pixels') :].rstrip('.')}")


@TABLE("records.limits.check_memory: Save it so that it")
def more_memory_than_is_allowed(scene):
    prediction, reference = make.blobs((64, 64), 2), make.blobs((64, 64), 2, seed=1)
    expected = dicecli.score(prediction, reference).look_up("dice").value
    scene.pair(prediction, reference)
    told = _memory(scene.refused(f"{_SCORE} --max-memory 3000"))
    scene.refused_again(f"{_SCORE} {told}")  # the other mask takes more
    scene.right(expected, f"{_SCORE} {_memory(scene.refused(f'{_SCORE} {told}'))}")
    for side, array in (("p", prediction), ("r", reference)):
        scene.tif(f"{side}.tif", array, tiled=True, blockxsize=16, blockysize=16, crs=None, transform=None)
    scene.right(expected, "score p.tif r.tif --max-memory 3000")
    # A volume that has to be turned is held whole, unless it is a plain one.
    volume, other = prediction.reshape(16, 16, 16), reference.reshape(16, 16, 16)
    affine = np.diag([-1.0, 1, 1, 1]) @ np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    turned, place = make.turned(volume, affine, (1, 0, 2), (True, False, True))
    for end in ("nii.gz", "nii"):
        scene.nii(f"r.{end}", other, affine=affine)
        scene.nii(f"p.{end}", turned, affine=place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Voxels, "_start_of", lambda *_: None)  # as of a volume of many windows
        told = _memory(scene.refused("score p.nii.gz r.nii.gz --max-memory 3000"))
        scene.right(expected, "score p.nii r.nii --max-memory 3000")
        scene.right(expected, f"score p.nii.gz r.nii.gz {told}")


def _memory(hint):
    return hint[hint.index("--max-memory") :].rstrip(".")


@TABLE("records.limits.parse_bytes: Write it as 500MB,")
def a_size_that_is_none(scene):
    scene.pair()
    hint = scene.refused(f"{_SCORE} --max-memory much")
    for size in hint.removeprefix("Write it as ").rstrip(".").replace(" or ", ", ").split(", "):
        scene.right(DICE, f"{_SCORE} --max-memory {size}")


@TABLE("records.given._checked: It is")
def a_value_that_an_option_does_not_take(scene):
    for name, bad, good in (("undefined", "half", "skip"), ("band", 0, 1), ("threshold", -1, 1)):
        hint = scene.refused(dicecli.score, PREDICTION, REFERENCE, **{name: bad})
        assert {"undefined": "skip", "band": "from 1", "threshold": "above 0"}[name] in hint
        scene.right(DICE, dicecli.score, PREDICTION, REFERENCE, **{name: good})


@TABLE("records.given._checked: Did you mean")
def a_value_with_a_slip(scene):
    scene.refused(dicecli.score, PREDICTION, REFERENCE, undefined="skp")
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE, undefined=scene.meant())


@TABLE("records.probabilities.check: Leave it out for probabilities; of")
def a_temperature_alone(scene):
    """To the letter: what are probabilities are scored without it; what are logits, as it says."""
    scene.npy("p.npy", PREDICTION * 0.5 + 0.25)
    scene.npy("l.npy", PREDICTION * 4.0 - 2)
    scene.npy("two.npy", np.stack([2 - PREDICTION * 4.0, PREDICTION * 4.0 - 2]))
    scene.png("r.png", REFERENCE)
    scene.refused("soft p.npy r.png --temperature 2")
    scene.right(DICE, "soft p.npy r.png", number="dice_at_half[1]")
    scene.right(DICE, "soft l.npy r.png --temperature 2 --logits sigmoid", number="dice_at_half[1]")
    scene.right(DICE, "soft two.npy r.png --temperature 2 --logits softmax", number="dice_argmax[1]")


@TABLE("records.probabilities.check: Leave out one of the two.")
def independent_channels_of_a_softmax(scene):
    scene.npy("p.npy", np.stack([2 - PREDICTION * 4.0, PREDICTION * 4.0 - 2]))
    scene.png("r.png", REFERENCE)
    scene.refused("soft p.npy r.png --logits softmax --independent")
    scene.right(DICE, "soft p.npy r.png --logits softmax", number="dice_argmax[1]")
    scene.refused_again("soft p.npy r.png --independent")


@TABLE("records.only.parse_only: No mask holds it:")
def a_label_alone_of_too_many_bits(scene):
    scene.pair()
    scene.refused(f"{_SCORE} --only 1,{1 << 63}")
    scene.right(DICE, f"{_SCORE} --only 1")


@TABLE("records.only.parse_only: Leave it out of --only, or")
def an_ignored_label_alone(scene):
    scene.pair(reference=_SECOND)
    scene.refused(f"{_SCORE} --only 1,2 --ignore-label 2")
    scene.right(DICE, f"{_SCORE} --only 1 --ignore-label 2")
    scene.right(DICE / 2, f"{_SCORE} --only 1,2")


@TABLE("records.only._every_meant: Write --only", "records.only._every_meant: A mask has up to")
def a_range_alone_that_is_none(scene):
    scene.pair()
    scene.refused(f"{_SCORE} --only " + ("3-1" if "Write" in scene.place.name else "1-5000"))
    scene.right(DICE, f"{_SCORE} --only 1-3")


@TABLE("records.only._words: Labels are numbers,", but={"--labels": "a file is given to Python as labels"})
def what_is_no_label_alone(scene):
    pair = PREDICTION, _SECOND
    scene.refused(dicecli.score, *pair, only=[1.5])
    scene.right(DICE, dicecli.score, *pair, only=[1, "liver"], labels=_BY_HAND)


@TABLE("records.only._meant: Write a label's number,")
def a_name_of_a_label_and_another_region_alone(scene):
    scene.pair(reference=_SECOND)
    labels = {"labels": {"0": "rest", "1": "liver", "2": "spleen"}}
    scene.text("l.json", labels | {"regions": {"liver": [1, 2]}})
    number = scene.refused(f"{_LABELS} --only liver").partition("--only ")[2].partition(",")[0]
    scene.right(DICE, f"{_LABELS} --only {number}")
    scene.text("l.json", labels | {"regions": {"both": [1, 2]}})
    scene.right(DICE, f"{_LABELS} --only liver")


@TABLE("records.only._unknown: Write numbers, --only 1,2; or")
def a_name_alone_of_no_file(scene):
    scene.pair(reference=_SECOND)
    scene.refused(f"{_SCORE} --only liver --region both=1,2")
    scene.right(2 / 3, f"{_SCORE} --only both --region both=1,2", number="dice@macro-regions")
    scene.refused(f"{_SCORE} --only liver")
    scene.right(DICE / 2, f"{_SCORE} --only 1,2")
    scene.text("l.json", _BY_HAND)
    scene.right(DICE, f"{_LABELS} --only liver")


@TABLE("records.only._unknown: Declared are")
def a_name_alone_of_nobody(scene):
    scene.pair()
    scene.text("l.json", _BY_HAND)
    hint = scene.refused(f"{_LABELS} --only xyzzy")
    scene.right(DICE, f"{_LABELS} --only {hint.partition('1 (')[2].partition(')')[0]}")


@TABLE("records.only._unknown: Did you mean …? Declared are")
def a_name_alone_with_a_slip(scene):
    scene.pair()
    scene.text("l.json", _BY_HAND)
    scene.refused(f"{_LABELS} --only livre")
    scene.right(DICE, f"{_LABELS} --only {scene.meant()}")


@TABLE("records.only._unknown: Name some of these:", "records.only._unknown: Did you mean …? Name some")
def a_class_of_no_file_alone(scene):
    scene.folders("a", "liver")
    hint = scene.refused(f"score p r --only {'livre' if 'Did' in scene.place.name else 'xyzzy'}")
    scene.right(DICE, f"score p r --only {hint.rpartition(': ')[2].partition(',')[0]}")


@TABLE("records.only.parse_only: Name it: --only")
def the_background_beside_others_alone(scene):
    scene.pair()
    hint = scene.refused("score p.png r.png --only 1 --include-background")
    words = hint.partition(" --only ")[2].partition(";")[0]
    scene.right((DICE + 6 / 7) / 2, f"score p.png r.png --only {words} --include-background")
    scene.right(DICE, "score p.png r.png --only 1")


@pytest.mark.parametrize("place", TABLE.places(), ids=lambda place: place.name)
def test_a_hint_leads_to_a_right_number_or_a_further_error(place, tmp_path):
    TABLE.follow(place, tmp_path)


def test_every_scenario_is_of_a_hint_that_is_there():
    assert TABLE.stale() == []


#: A reference with a second label, which the prediction lacks.
_SECOND = np.array([[0, 0, 2], [1, 1, 0]], np.uint8)
