"""One word for an idea: words that stand for another one of the glossary are no names, and in no docstring.

The glossary is in docs/engineering/architecture.md.
"""

from __future__ import annotations

import ast
import re

import places
import pytest

PACKAGE = places.ROOT / "dicecli"
MODULES = {str(each.relative_to(PACKAGE)): each for each in sorted(PACKAGE.rglob("*.py"))}
#: What must not be said, and what is.
BANNED = {
    r"(?:ground )?truths?|gts?|y_true|y_pred|targets?": "reference, prediction",
    r"softening|softness|casualt(?:y|ies)|spreading": "names that were given up",
    r"hold(?:s|ing)? that|held that|hold_\w+": "check that",
}
#: Where a target is no reference, but a file that is written, what a link leads to, or where an axis goes.
OTHER_TARGETS = {
    *(
        "cli/main.py",
        "cli/outputs.py",
        "reports/outputs.py",
        "cli/report.py",
        "reports/writing.py",
        "runs/journal.py",
        "runs/running.py",
    ),
    *("masks/grid.py", "masks/views.py", "masks/alignment.py"),
}


def defined(code):
    """Yield every name that a module gives to something, and its own."""
    for node in ast.walk(code):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def docstrings(code):
    """Yield every docstring of a module, on one line each."""
    for node in ast.walk(code):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)):
            yield " ".join((ast.get_docstring(node) or "").split())


def words(name):
    """Return the words of a name: ``GroundTruth`` is ``ground truth``, ``_y_true`` is ``y_true``, ``true``."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).strip("_").lower()
    return f"{split} {split.replace('_', ' ')}"


def said(text, allowed=()):
    """Return the banned words in a text."""
    found = re.findall(rf"\b(?:{'|'.join(BANNED)})\b", text.lower())
    return [each for each in found if each not in allowed]


@pytest.mark.parametrize("module", MODULES)
def test_no_banned_word(module):
    """Neither a name nor a docstring of a module has a word that the glossary gives up."""
    code = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    allowed = ("target", "targets") if module in OTHER_TARGETS else ()
    names = [words(name) for name in (module.removesuffix(".py").replace("/", " "), *defined(code))]
    assert [] == [(text, found) for text in (*names, *docstrings(code)) if (found := said(text, allowed))]


@pytest.mark.parametrize(
    "text",
    [
        "The ground truth.",
        words("y_true"),
        words("_gt"),
        words("TargetMask"),
        words("hold_shape"),
        "Hold that a mask has two axes.",
        "It is held that none is larger.",
        words("casualties"),
    ],
)
def test_a_banned_word_is_found(text):
    """In whatever form it comes."""
    assert said(text)


@pytest.mark.parametrize("text", [words("gtiff"), words("true_positives"), "It holds the pixels that count."])
def test_other_words_are_not(text):
    """What only looks alike, or is said of what a thing holds."""
    assert [] == said(text)


def test_the_glossary_has_a_line_for_each_word_of_the_design():
    """The ideas that every part of the package speaks of."""
    page = (places.ROOT / "docs" / "engineering" / "architecture.md").read_text(encoding="utf-8")
    (glossary,) = (part for part in page.split("\n## ") if part.startswith("Words\n"))
    first = {
        word for cell in re.findall(r"^\| ([^|]+) \|", glossary, re.MULTILINE) for word in cell.split(", ")
    }
    sides = {"reference", "prediction", "label", "region", "row", "case", "window", "grid"}
    numbers = {"statistic", "measurement", "metric", "average", "report", "record", "number"}
    assert set() == {*sides, *numbers, "gate", "verdict", "note", "advice"} - first
