"""Files of labels in every form: what they say, that each is told by its content, and what damage leads to."""

from __future__ import annotations

import json

import pytest

from dicecli.plugins import load, own
from dicecli.records.label_files import load_labels
from dicecli.records.labels import LabelScheme
from dicecli.records.legends._written import Written

#: Of each form a file, and the names in it. A form that is added needs its own here.
EXAMPLES = {
    "own": ({"labels": {"0": "background", "1": "liver"}, "ignore": 255}, {0: "background", 1: "liver"}),
    "nnunet": ({"labels": {"background": 0, "liver": 1}}, {0: "background", 1: "liver"}),
    "flat": ({"unlabeled": 0, "liver": 1, "ignore": 255}, {0: "unlabeled", 1: "liver", 255: "ignore"}),
}
FORMS = own("legends")


def written(folder, content):
    """Write a file whose name says nothing of its form; JSON of what is no text."""
    path = folder / "labels"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8", newline="")
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
