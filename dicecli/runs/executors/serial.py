"""One case after the other, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")


def run(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    jobs: int = 1,
    lost: Callable[[Item, str], Result] | None = None,
) -> Iterator[tuple[int, Result]]:
    """Yield position and result of every item, in their order; `jobs` and `lost` have no use here."""
    del jobs, lost
    for position, item in enumerate(items):
        yield position, function(item)
