"""The record of a case whose prediction is a probability map, and that record as JSON's types."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.records.cases import Case, Failed, Scored
from dicecli.records.softness import Channel
from dicecli.statistics.soft.sums import ChannelSums, JointSums, SoftSums

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class SoftScored:
    """What was summed over one case.

    Attributes
    ----------
    case : Case
    shape : tuple of int
        Of the reference.
    counted : int
        Pixels that were compared.
    excluded : mapping of str to int
        Pixels left out, by ``ignore_label`` and ``nodata`` of the reference.
    channels : tuple of Channel
        Those of the map, then the regions that are sums of them.
    sums : SoftSums
        Of the channels, in their order.
    notes : tuple of str
        What was assumed, and what looks odd.
    """

    case: Case
    shape: tuple[int, ...]
    counted: int
    excluded: Mapping[str, int]
    channels: tuple[Channel, ...]
    sums: SoftSums
    notes: tuple[str, ...] = ()

    status = "scored"

    @property
    def labels(self) -> frozenset[int]:
        """Every label that a channel is about."""
        return frozenset(label for each in self.channels for label in each.members if not each.is_sum)

    def to_dict(self) -> dict[str, Any]:
        """Return the record in JSON's types only; whole numbers that are too large for others as hex."""
        case = self.case
        return {
            "case": [case.name, case.prediction, case.reference, case.group],
            "shape": list(self.shape),
            "counted": self.counted,
            "excluded": dict(self.excluded),
            "channels": [[each.label, each.name, list(each.members), each.is_sum] for each in self.channels],
            "sums": [_written(each) for each in self.sums.channels],
            "joint": None if self.sums.joint is None else _written(self.sums.joint),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> SoftScored:
        """Return the record that :meth:`to_dict` gave."""
        joint = content["joint"]
        return cls(
            case=Case(*content["case"]),
            shape=tuple(content["shape"]),
            counted=content["counted"],
            excluded=content["excluded"],
            channels=tuple(
                Channel(label, name, tuple(of), is_sum) for label, name, of, is_sum in content["channels"]
            ),
            sums=SoftSums(
                tuple(_read(ChannelSums, each) for each in content["sums"]),
                None if joint is None else _read(JointSums, joint),
            ),
            notes=tuple(content["notes"]),
        )


def _written(sums: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in fields(sums):
        value = getattr(sums, each.name)
        if isinstance(value, np.ndarray):
            found[each.name] = value.tolist()
        else:
            found[each.name] = [hex(part) for part in value] if isinstance(value, tuple) else hex(value)
    return found


def _read(kind: Any, content: Mapping[str, Any]) -> Any:
    values: dict[str, Any] = {}
    for each in fields(kind):
        value = content[each.name]
        if isinstance(value, str):
            values[each.name] = int(value, 16)
        elif isinstance(value[0], str):
            values[each.name] = tuple(int(part, 16) for part in value)
        else:
            values[each.name] = np.array(value, np.int64)
    return kind(**values)


#: What can come of a case, whatever its prediction is.
AnyResult = Scored | SoftScored | Failed
