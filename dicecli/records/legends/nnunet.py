"""nnU-Net's ``dataset.json``, where ``labels`` maps a name to an integer or to a list of them: a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import LabelFileError
from dicecli.records.labels import LabelScheme
from dicecli.records.legends._entries import checked
from dicecli.records.literals import integers, is_integer

if TYPE_CHECKING:
    from dicecli.records.legends._written import Written

CALLED = "nnU-Net's dataset.json"


def is_of(written: Written) -> bool:
    """Whether it has labels whose keys are names."""
    return not all(is_integer(key) for key in _labels(written))


def _labels(written: Written) -> dict[str, object]:
    labels = (written.content or {}).get("labels")
    return labels if isinstance(labels, dict) else {}


def read(written: Written) -> LabelScheme:
    """Read it; ``ignore`` is nnU-Net's word for the label that is left out.

    nnU-Net evaluates regions alone once one is declared, single labels among them; so do ``regions`` here.
    """
    labels, source = _labels(written), written.source
    mixed = {"ignore", "regions", "background", "colours", "map"} & set(written.content or {})
    if mixed:
        raise LabelFileError(
            f"{source}: '{min(mixed)}' beside labels written as name: number",
            'Write them as number: name, {"1": "liver"}; or put "ignore" among the labels, as nnU-Net does.',
        )
    members = {name: integers(value, source, f"label '{name}'") for name, value in labels.items()}
    ignore = members.pop("ignore", ())
    has_regions = any(isinstance(value, list) for value in labels.values())
    names = {value[0]: name for name, value in members.items() if len(value) == 1}
    regions = {name: value for name, value in members.items() if has_regions and value != (0,)}
    if has_regions:
        inside = {label for value in members.values() for label in value}
        names = {label: names.get(label, f"label {label}") for label in inside}
    singles = [value for value in members.values() if len(value) == 1]
    if len({*singles}) < len(singles):
        raise LabelFileError(f"{source}: two names have the same label", "Give each label one name.")
    return checked(LabelScheme(dict(sorted(names.items())), regions, ignore, source=source))
