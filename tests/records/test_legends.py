"""Files of labels in every form: what they say, that each is told by its content, and what damage leads to."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make import brute, counts, png, scored

from dicecli.errors import LabelFileError
from dicecli.plugins import load, own
from dicecli.records.labels import LabelScheme
from dicecli.records.legends._written import Written
from dicecli.records.schemes import load_labels

#: Of each form a file, and the names in it. A form that is added needs its own here.
EXAMPLES = {
    "own": ({"labels": {"0": "background", "1": "liver"}, "ignore": 255}, {0: "background", 1: "liver"}),
    "nnunet": ({"labels": {"background": 0, "liver": 1}}, {0: "background", 1: "liver"}),
    "hugging_face": (
        {"model_type": "segformer", "id2label": {"0": "void", "1": "liver"}, "label2id": {"void": 0}},
        {0: "void", 1: "liver"},
    ),
    "bids": (
        "index\tname\tabbreviation\tcolor\tmapping\r\n0\tBackground\tBG\tn/a\t0\r\n"
        '\r\n100\tGray Matter\tGM\t#ff53bb\t1\r\n101\t"White Matter"\tWM\t#2f8bbe\tn/a\r\n',
        {0: "Background", 100: "Gray Matter", 101: "White Matter"},
    ),
    "freesurfer": (
        "#$Id: LUT.txt\n\n#No. Label Name:       R   G   B   A\n\n0   Unknown       0   0   0   0\n"
        "3   Left-Cortex   205 62  78  0\n# right\n42  Right-Cortex  205 62  78  0\n120 SC-Fat/Muscle 1 2 3 0\n",
        {0: "Unknown", 3: "Left-Cortex", 42: "Right-Cortex", 120: "SC-Fat/Muscle"},
    ),
    "itksnap": (
        "####\n# ITK-SnAP Label Description File\n#    IDX:   Zero-based index\n####\n"
        '    0     0    0    0        0  0  0    "Clear Label"\n'
        "    7   255   10    0     0.50  1  1    \"CA1 (left), 'in'\"\n",
        {0: "Clear Label", 7: "CA1 (left), 'in'"},
    ),
    "slicer": (
        "# Color table file /home/a.ctbl\n# 3 values\n0 Background 0 0 0 0\n1 'artery' 216 101 79 255\n"
        "3 connective_tissue 111.0 184 210\n",
        {0: "Background", 1: "artery", 3: "connective_tissue"},
    ),
    "cvat": (
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\nperson:0,0,255:hand,foot:jumping\nsea: deep:::\n",
        {0: "background", 1: "person", 2: "sea: deep"},
    ),
    "class_dict": (
        'name, r, g, b\n_background_,0,0,0\n"Road, paved",128,64,128\nCar,64,0,128\n',
        {0: "_background_", 1: "Road, paved", 2: "Car"},
    ),
    "flat": ({"unlabeled": 0, "liver": 1, "ignore": 255}, {0: "unlabeled", 1: "liver", 255: "ignore"}),
}
FORMS = own("legends")


def written(folder, content):
    """Write a file whose name says nothing of its form; JSON of what is no text."""
    path = folder / "labels"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8-sig", newline="")
    return path


@pytest.mark.parametrize("form", FORMS)
def test_a_form_keeps_the_contract(tmp_path, form):
    """It reads its file, which no other form takes for its own; no name makes a label that is left out."""
    content, names = EXAMPLES[form]
    scheme = load_labels(written(tmp_path, content))
    assert scheme.names == names
    assert scheme.source == str(tmp_path / "labels")
    assert scheme.ignore == ((255,) if form == "own" else ())
    assert scheme.background == 0
    assert len(scheme.sha256) == 64
    assert load("legends", form).CALLED.strip()
    file = Written("a", None, content) if isinstance(content, str) else Written("a", content)
    assert [form] == [each for each in FORMS if load("legends", each).is_of(file)]


@pytest.mark.parametrize(
    ("content", "background"),
    [
        ({"0": "Background", "1": "liver"}, 0),
        ({"0": "_background_", "1": "liver"}, 0),
        ({"Un-labelled": 0, "liver": 1}, 0),
        ({"void": 0, "liver": 1}, 0),
        ({"liver": 1, "tumour": 2}, 0),
        ({"road": 0, "sidewalk": 1}, None),
        ({"0": "road", "7": "background"}, None),
    ],
)
def test_only_0_is_the_background_and_where_its_name_says_so(tmp_path, content, background):
    """In a mapping alone any other 0 is a label that counts; from Python as well."""
    assert background == load_labels(written(tmp_path, content)).background
    assert background == load_labels(content).background
    by_number = {int(k): v for k, v in content.items()} if "0" in content else content
    assert load_labels(content) == load_labels(by_number)


def test_a_mapping_from_python_may_have_integers_as_keys():
    """As a mapping of labels to names always could."""
    expected = LabelScheme({1: "liver", 2: "tumour"}, source="the labels given")
    assert expected == load_labels({1: "liver", 2: "tumour"}) == load_labels({"liver": 1, "tumour": "2"})


@pytest.mark.parametrize(
    ("form", "colours"),
    [
        ("bids", {(0xFF, 0x53, 0xBB): 100, (0x2F, 0x8B, 0xBE): 101}),
        ("freesurfer", {(0, 0, 0): 0, (1, 2, 3): 120}),  # two labels have the fourth: it stands for none
        ("itksnap", {(0, 0, 0): 0, (255, 10, 0): 7}),
        ("slicer", {(0, 0, 0): 0, (216, 101, 79): 1, (111, 184, 210): 3}),
        ("cvat", {(0, 0, 0): 0, (0, 0, 255): 1}),
        ("class_dict", {(0, 0, 0): 0, (128, 64, 128): 1, (64, 0, 128): 2}),
    ],
)
def test_colours_are_those_of_colour_coded_masks(tmp_path, form, colours):
    """A colour that one label has is read as that label."""
    scheme = load_labels(written(tmp_path, EXAMPLES[form][0]))
    assert colours == scheme.colours
    assert scheme.alike == {}


def test_a_table_reads_a_colour_coded_mask(tmp_path):
    """A mask in the colours of a class_dict.csv scores as one of its numbers."""
    labels = np.array([[0, 1, 1], [2, 2, 1]], np.uint8)
    table = written(tmp_path, EXAMPLES["class_dict"][0])
    colours = np.array([[0, 0, 0], [128, 64, 128], [64, 0, 128]], np.uint8)
    result = scored(png(tmp_path / "a.png", colours[labels]), png(tmp_path / "b.png", labels), labels=table)
    assert brute(labels, labels) == counts(result)


@pytest.mark.parametrize(
    ("content", "background"),
    [
        ("car:0,0,1::\nbackground:0,0,0::\n", 1),
        ("name,r,g,b\nwater,0,0,255\nforest,0,255,0\nunknown,0,0,0\n", 2),
        ("road:1,1,1::\ncar:2,2,2::\n", None),
        ("index\tname\n1\tbackground\n2\tliver\n", 0),
        ("index\tname\n0\troad\n1\tbackground\n", None),
    ],
)
def test_where_order_numbers_labels_the_background_may_be_any(tmp_path, content, background):
    """Where the file gives the numbers, it is 0 or none."""
    assert background == load_labels(written(tmp_path, content)).background


def test_a_file_in_latin_1(tmp_path):
    """What is not UTF-8 is read as Latin-1."""
    (tmp_path / "a.txt").write_bytes("1 Noyau-caudé 1 2 3 0\r2 Putamen 4 5 6 0".encode("latin-1"))
    assert load_labels(tmp_path / "a.txt").names == {1: "Noyau-caudé", 2: "Putamen"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("index\tname\n1\tliver\n\n1\ttumour\n", "line 4: label 1 is there a second time"),
        ("index\tname\n1\tliver\tx\n", "line 2: 3 columns, and 2 in the header"),
        ("index\tname\n1.5\tliver\n", "line 2: '1.5' with 'liver' is no label"),
        ("index\tname\n1\tn/a\n", "line 2: '1' with 'n/a' is no label"),
        ('index\tname\n1\t"liver\n', "line 2: unexpected end of data"),
        ("index\tname\tcolor\n1\tliver\tred\n", "line 2: 'red' is no colour"),
        ("index\tname\n", "no label is in it"),
        ("1 a 1 2 3 0\n\n2 b 1 2 3\n", "line 3: '2 b 1 2 3' names no label"),
        ("1 a 1 2 256 0\n", "line 1: '1 2 256' is no colour"),
        ("9223372036854775808 a 1 2 3 0\n", "does not fit into 63 bits"),
        ('1 1 1 1 1 1 1 "a"\n2 1 1 1 1 1 1 b\n', "line 2: '2 1 1 1 1 1 1 b' names no label"),
        ("# Color table file\nbone\n", "line 2: 'bone' names no label"),
        ("# Color table file\n", "no label is in it"),
        ("a:0,0,1::\nb:0,0,1::\n", "line 2: 'b' has the same colour as 'a'"),
        ("a:0,0,1::\na:0,0,2::\n", "line 2: the name 'a' is there a second time"),
        ("a:0,0,1::\nb:0,0::\n", "line 2: 'b:0,0::' names no label"),
        ("name,r,g,b\n,1,2,3\n", "line 2: it has no name"),
        ("name,r,g,b\na,1,2,-3\n", "line 2: '1 2 -3' is no colour"),
        ('{"id2label": ["a"]}', "'id2label' is no object whose keys are numbers"),
        ('{"id2label": {"a": 1}}', "'id2label' is no object whose keys are numbers"),
        ('{"1": "a", "01": "b"}', "label 1 is there a second time"),
        ('{"1": 2}', "'labels' is missing"),
        (f'{{"{"1" * 5000}": "a"}}', "'labels' is missing"),
        ('{"a": "b"}', "'labels' is missing"),
        ("liver;1\n", "it is of no form that is read"),
        ("", "it is of no form that is read"),
    ],
)
def test_what_is_not_understood_names_file_and_line(tmp_path, content, said):
    """A line that no form has, and a label that is there twice."""
    with pytest.raises(LabelFileError, match=re.escape(said)) as caught:
        load_labels(written(tmp_path, content))
    assert str(caught.value).startswith(str(tmp_path / "labels"))
    assert caught.value.hint


def outcome(path):
    """Return the names that a file gives, or the hint of its error."""
    try:
        return load_labels(path).names
    except LabelFileError as error:
        return error.hint


@settings(max_examples=150)
@given(st.sampled_from(FORMS), st.data())
def test_damage_never_ends_in_a_traceback(form, data):
    """A file of any form with any bytes in place of some of its own is read, or is refused with a hint."""
    content = EXAMPLES[form][0]
    whole = (content if isinstance(content, str) else json.dumps(content)).encode()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(start + 8, len(whole))))
    junk = data.draw(
        st.binary(max_size=6) | st.sampled_from([b"\0", b'"', b"\n", b"\t", b"9" * 30, b":", b"{"])
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels"
        path.write_bytes(whole[:start] + junk + whole[end:])
        assert outcome(path)


@given(st.binary(max_size=60) | st.text(alphabet='019 ,:#"\t\nindexamrgb', max_size=60).map(str.encode))
def test_what_is_foreign_is_refused(content):
    """Bytes of anything are refused with a hint, or say what labels are."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.txt"
        path.write_bytes(content)
        assert outcome(path)


def test_a_line_of_a_million_signs_is_no_label(tmp_path):
    """It takes no time."""
    with pytest.raises(LabelFileError, match="of no form"):
        load_labels(written(tmp_path, "1 a" + " " * 1_000_000 + "x"))
