"""The keywords of Python: of what type they are, how they are shown, and what is said of those that there are not."""

from __future__ import annotations

import inspect
import os
import pydoc
import re
import subprocess
import sys
import tomllib

import numpy as np
import places
import pytest

import dicecli
from dicecli.errors import DicecliError, UnknownName, UsageError
from dicecli.records.options import table_of
from dicecli.records.settings import AnyOptions, reads_of

FUNCTIONS = {
    "score": (np.zeros(2, int), np.zeros(2, int)),
    "soft": (np.zeros(2), np.zeros(2, int)),
    "batch": ("nowhere", "nowhere"),
    "make_settings": (),
    "Evaluator": (),
}
MASK = np.array([[0, 1], [2, 1]])
#: A user's file; what is said of a line stands beside it.
USER = """
from typing import Any

import dicecli
from dicecli import losses

x: Any = None
report = dicecli.score("p.png", reference="r.png", metrics=["dice"], labels="voc", max_memory="2GB")
reveal_type(report)  # Revealed type is "dicecli.reports.report.Report"
reveal_type(report["liver"].dice)  # Revealed type is "float"
float(report.dice) + report["liver"].iou
report.to_pandas(knd="rows")  # Unexpected keyword argument "knd" for "to_pandas" of "Report"
report.look_up(3)  # Argument 1 to "look_up" of "ByName" has incompatible type "int"
dicecli.from_matrix([[1]], label="voc")  # Unexpected keyword argument "label" for "from_matrix"
dicecli.score(prediction="p.png", reference="r.png", ignore_label=255, name="a")
dicecli.score("p.png", "r.png", metric="dice")  # Unexpected keyword argument "metric" for "score"; did you mean "metrics"?
dicecli.score("p.png", "r.png", threshold="high")  # Argument "threshold" to "score" has incompatible type "str"
dicecli.score("p.png", "r.png", undefined="nothing")  # Argument "undefined" to "score" has incompatible type
dicecli.score("p.png", "r.png", logits="sigmoid")  # Unexpected keyword argument "logits" for "score"
dicecli.score("p.png")  # Missing positional argument "reference" in call to "score"
dicecli.soft("p.npy", "r.png", logits="softmax", channels=[1, "liver"], average="micro")
dicecli.soft("p.npy", "r.png", threshold=0.5)  # Unexpected keyword argument "threshold" for "soft"
dicecli.batch("p", "r", soft=True, logits="sigmoid", jobs=2, missing="skip")
dicecli.batch("p", "r", threshold=0.5, regions={"both": [1, 2]})
dicecli.batch("p", "r", job=2)  # Unexpected keyword argument "job" for "batch"; did you mean "jobs"?
settings = dicecli.make_settings(device="cpu", temperature="hot")  # Argument "temperature" to "make_settings" has
dicecli.score_many([dicecli.Case("a", "p.png", "r.png")], settings)
evaluator = dicecli.Evaluator(labels="voc", metrics="dice")
evaluator = dicecli.Evaluator(lables="voc")  # Unexpected keyword argument "lables" for "Evaluator"; did you mean "labels"?
evaluator.update("p.png", "r.png", name=3)  # Argument "name" to "update" of "Evaluator" has incompatible type "int"
reveal_type(sum([evaluator, evaluator + evaluator], dicecli.Evaluator()).compute())  # Revealed type is "dicecli.reports.report.Report"
dicecli.scores("p.png", "r.png")  # Module has no attribute "scores"
dicecli.load_labels("voc", 1)  # Too many arguments for "load_labels"
dicecli.ConfusionMatrix.from_arrays(prediction=[1], refrence=[1])  # Unexpected keyword argument "refrence"
losses.DiceLoss(form="squared", class_weights=[1, 2])
losses.dice_ce_loss(prediction=x, reference=x, ce_weight=2, reduce_group="world")
losses.DiceLoss(frm="squared")  # Unexpected keyword argument "frm" for "DiceLoss"
losses.DiceLoss(smooth="much")  # Argument "smooth" to "DiceLoss" has incompatible type "str"
losses.dice_ce_loss(x, x, cross=1)  # Unexpected keyword argument "cross" for "__call__" of "Loss"
losses.generalized_dice_loss(x, x, form="squared")  # Unexpected keyword argument "form" for "__call__" of "Loss"
"""


def keywords(function):
    return tuple(inspect.signature(getattr(dicecli, function)).parameters)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_misspelt_keyword_is_told_the_right_one_or_where_all_are(function):
    """The nearest stands first; lists of many are left to help; nothing is computed."""
    call = getattr(dicecli, function)
    known, is_short = keywords(function), len(keywords(function)) <= 16
    listed = (
        f"Known: {', '.join(known)}." if is_short else f"Known: those that help(dicecli.{function}) lists."
    )
    assert all(
        f"\n    {each}" in inspect.getdoc(call) or each in str(inspect.signature(call)) for each in known
    )
    with pytest.raises(UnknownName, match="there is no option 'metric'") as error:
        call(*FUNCTIONS[function], metric="dice")
    assert error.value.hint.startswith("Did you mean metrics")
    assert error.value.hint.endswith(listed)
    for name in ("treshold", "ignore_labels", "zzz"):
        with pytest.raises(UnknownName) as error:
            call(*FUNCTIONS[function], **{name: 1})
        assert error.value.hint.endswith(listed)


@pytest.mark.parametrize("name", [name for name in table_of(AnyOptions) if len(reads_of(name)) == 1])
def test_an_option_of_the_other_kind_is_refused(name):
    """The function that has it is named; where both kinds are taken, a value that is the default is none."""
    table, (reads,) = table_of(AnyOptions), reads_of(name)
    other, home = ("score", "soft") if reads == "probabilities" else ("soft", "score")
    said = f"{name} is for {'masks' if reads == 'labels' else 'probability maps'}"
    with pytest.raises(UsageError, match=said) as error:
        getattr(dicecli, other)(*FUNCTIONS[other], **{name: table[name].default})
    assert f"dicecli.{home} has it" in error.value.hint
    assert name in keywords(home)
    soft = reads == "labels"
    value = {"flag": True, "number": 0.5}.get(table[name].type, "2")
    value = table[name].choices[-1] if table[name].choices else value
    with pytest.raises(UsageError, match=said):
        dicecli.make_settings(soft=soft, **{name: value})
    assert dicecli.make_settings(soft=soft) == dicecli.make_settings(soft=soft, **{name: table[name].default})


@pytest.mark.parametrize("name", [name for name, each in table_of(AnyOptions).items() if each.choices])
def test_a_wrong_choice_lists_the_right_ones(name):
    """The message says what was given, the hint every choice that there is."""
    with pytest.raises(UsageError, match=rf"^{name} is 'nothing'\n") as error:
        dicecli.make_settings(soft=reads_of(name) == ("probabilities",), **{name: "nothing"})
    for each in table_of(AnyOptions)[name].choices:
        assert re.search(rf"\b{re.escape(each)}\b", error.value.hint)


@pytest.mark.parametrize(
    ("function", "given", "said"),
    [
        *[(each, {"metrics": [3]}, "metrics is \\[3\\]") for each in FUNCTIONS],
        ("score", {"metrics": 3}, "metrics is 3"),
        ("score", {"regions": ["a=1"]}, "regions is \\['a=1'\\]"),
        ("soft", {"labels": 3}, "labels is 3: a file, a preset or a mapping is expected"),
        ("make_settings", {"labels": ["a"]}, "labels is \\['a'\\]"),
        ("score", {"threads": 0}, "threads is 0"),
        ("soft", {"threads": "2"}, "threads is '2'"),
        ("batch", {"jobs": 0}, "jobs is 0"),
        ("batch", {"jobs": "2"}, "jobs is '2'"),
        ("batch", {"jobs": True}, "jobs is True"),
    ],
)
def test_a_value_of_another_type_is_an_error_with_a_hint(function, given, said):
    """Nothing that Python alone would say of it, and nothing is computed."""
    with pytest.raises(DicecliError, match=said) as error:
        getattr(dicecli, function)(*FUNCTIONS[function], **given)
    assert error.value.hint


def test_both_sides_are_taken_by_position_and_by_name():
    """Prediction and reference; what is missing, given twice or too much is said, with how to write it."""
    expected = dicecli.score(MASK, MASK).to_dict()
    assert expected == dicecli.score(MASK, reference=MASK).to_dict()
    assert expected == dicecli.score(reference=MASK, prediction=MASK).to_dict()
    for said, given, named in (
        ("score: missing a required argument: 'reference'", (MASK,), {}),
        ("score: too many positional arguments", (MASK, MASK, "dice"), {}),
        ("score: multiple values for argument 'prediction'", (MASK, MASK), {"prediction": MASK}),
    ):
        with pytest.raises(UsageError, match=said) as error:
            dicecli.score(*given, **named)
        assert error.value.hint.startswith("Write score(prediction, reference); by their names also metrics,")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_help_shows_every_keyword(function):
    """The signature and help() have all of them, with their types; nothing is left of how that is done."""
    said = pydoc.render_doc(getattr(dicecli, function), renderer=pydoc.plaintext)
    for name in keywords(function):
        assert f"{name}: " in said
    assert "given" not in keywords(function)
    assert "    options\n" not in said
    assert getattr(dicecli, function).__name__ == function


def test_a_type_checker_finds_what_is_wrong(tmp_path):
    """A strict mypy says of each line of a user's file what stands beside it, and of the others nothing."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    path = tmp_path / "user.py"
    path.write_text(USER, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--config-file",
            str(places.ROOT / "pyproject.toml"),
            "--follow-imports",
            "silent",
            "--cache-dir",
            str(places.ROOT / ".mypy_cache"),
            path.name,
        ],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(places.ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    found = {}
    for line, text in re.findall(r"^user\.py:(\d+): (?:error|note): (.*)$", done.stdout, re.MULTILINE):
        found.setdefault(int(line), text)
    lines = enumerate(USER.splitlines(), start=1)
    expected = {number: line.partition("  # ")[2] for number, line in lines if "  # " in line}
    assert expected.keys() == found.keys(), done.stdout + done.stderr
    for number, text in expected.items():
        assert text in found[number]


def test_the_page_on_python_shows_real_keywords():
    """Whatever docs/python.md gives to a function is one of its keywords."""
    page = (places.ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    for function in FUNCTIONS:
        for call in re.findall(rf"\b{function}\(([^()]*(?:\([^()]*\)[^()]*)*)\)", page):
            for name in re.findall(r"(?:^|[\s,(])(\w+)=", re.sub(r"#.*", "", call)):
                assert name in keywords(function)


def test_the_types_ship():
    """The marker that lets type checkers look into the package is there, and among what goes into wheels and sdists."""
    content = tomllib.loads((places.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "py.typed" in content["tool"]["setuptools"]["package-data"]["dicecli"]
    assert (places.ROOT / "dicecli" / "py.typed").is_file()
