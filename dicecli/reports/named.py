"""Mappings whose keys people type: one that is not there is refused with the nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dicecli.errors import NoKey
from dicecli.plugins import unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = TypeVar("Key")
Value = TypeVar("Value")


class Named(dict[Key, Value]):
    """A dict that says of a key that is not there which is near, and which there are.

    Parameters
    ----------
    kind : str
        What the keys are the names of.
    content : mapping
    """

    def __init__(self, kind: str, content: Mapping[Key, Value]) -> None:
        super().__init__(content)
        self.kind = kind

    def __missing__(self, key: object) -> Value:
        error = unknown(self.kind, str(key), tuple(str(each) for each in self))
        raise NoKey(error.message, error.hint)

    def __reduce__(self) -> tuple[object, ...]:
        return Named, (self.kind, dict(self))
