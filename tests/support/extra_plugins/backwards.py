"""One case after the other in this process, the last one first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def run(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    jobs: int = 1,
    lost: Callable[[Any, str], Any] | None = None,
) -> Iterator[tuple[int, Any]]:
    """Yield position and result of every item, from the last to the first."""
    del jobs, lost
    for position, item in reversed(list(enumerate(items))):
        yield position, function(item)
