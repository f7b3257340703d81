"""Hugging Face's ``id2label``: a JSON file that has it, as the ``config.json`` of a model.

Source: transformers, PretrainedConfig. Its keys are numbers, which JSON makes texts of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.records.legends._entries import Entry, scheme_of
from dicecli.records.legends._written import not_labels
from dicecli.records.literals import is_integer

if TYPE_CHECKING:
    from dicecli.records.labels import LabelScheme
    from dicecli.records.legends._written import Written

CALLED = "a config.json of Hugging Face with id2label"


def is_of(written: Written) -> bool:
    """Whether it has that key, and no labels."""
    content = written.content or {}
    return "id2label" in content and "labels" not in content


def read(written: Written) -> LabelScheme:
    """Read it."""
    found = (written.content or {})["id2label"]
    if not isinstance(found, dict) or not all(is_integer(key) for key in found):
        raise not_labels(written.source, "'id2label' is no object whose keys are numbers")
    return scheme_of([Entry(int(key), str(name)) for key, name in found.items()], written)
