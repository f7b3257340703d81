"""Cases as they come in, from whatever place: each once, and all of them in one order."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import UsageError
from dicecli.records.codec import written
from dicecli.records.natural import natural
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicecli.records.cases import Result

#: Cases may come from several threads. One lock for all, as what has its own would not travel.
_TAKING = Lock()


class Entry(NamedTuple):
    """What came of a case.

    Attributes
    ----------
    result : Scored or Failed
        Of a case without a name, which is an empty one then.
    is_doubtful : bool
        Whether it may have been a batch that was taken for a volume.
    number : int
        Of a case without a name: which one it was where it came in, from 1; 0: it is only coming in.
    """

    result: Result
    is_doubtful: bool = False
    number: int = 0


class Gathered:
    """Cases by their names, and cases without names.

    One that comes again with the same name and numbers counts once.
    """

    def __init__(self) -> None:
        self._named: dict[str, Result] = {}
        self._unnamed: list[Entry] = []
        self._again = self._last = 0

    def __len__(self) -> int:
        return len(self._named) + len(self._unnamed)

    def number(self, status: str) -> int:
        """Return how many cases have a status."""
        every = [*self._named.values(), *(each.result for each in self._unnamed)]
        return sum(each.status == status for each in every)

    def take(self, entries: Iterable[Entry], again: int = 0) -> None:
        """Take cases in; none, where one of them cannot be taken.

        Raises
        ------
        UsageError
            Another case has the name.
        """
        with _TAKING:
            named: dict[str, Result] = {}
            unnamed, last = [], self._last
            for each in entries:
                name = each.result.case.name
                known = named.get(name) or self._named.get(name)
                if not name:
                    last = max(last, each.number or last + 1)
                    unnamed.append(each._replace(number=each.number or last))
                elif known is None:
                    named[name] = each.result
                elif _text(known) == _text(each.result):
                    again += 1
                else:
                    raise UsageError(
                        f"two cases are named '{name}', and their numbers differ",
                        "Give each case a name of its own: update(..., name=...); or begin anew: reset().",
                    )
            self._named |= named
            self._unnamed += unnamed
            self._again, self._last = self._again + again, last

    def take_all(self, other: Gathered) -> None:
        """Take in the cases of another, as :meth:`take` does."""
        self.take([*(Entry(each) for each in other._named.values()), *other._unnamed], other._again)

    def results(self) -> list[Result]:
        """Return what came of every case, in the natural order of names; who has none is given a number.

        That is the number that it came in by; of several with the same the order depends on what is known of
        them alone.
        """
        numbers = Counter(each.number for each in self._unnamed)
        unnamed = sorted(
            self._unnamed,
            key=lambda each: (each.number, _text(each.result) if numbers[each.number] > 1 else ""),
        )
        free = (name for name in map(str, count(1)) if name not in self._named)
        found = [*self._named.values(), *(_called(each.result, next(free)) for each in unnamed)]
        return sorted(found, key=lambda each: natural(each.case.name))

    def notes(self) -> Iterator[str]:
        """Yield what is to be noted of how they came."""
        doubtful = sum(each.is_doubtful for each in self._unnamed)
        if doubtful:
            verb = "has" if doubtful == 1 else "have"
            yield (
                f"{counted(doubtful, 'array')} without a name {verb} three axes "
                "or more: each is a volume here, and one case; batches of images are for update_batch"
            )
        if self._again:
            yield f"{counted(self._again, 'case')} came again, with the same name and numbers, counted once"


def _text(result: Result) -> str:
    """Return all that is known of a case as a text."""
    return json.dumps([result.status, written(result)])


def _called(result: Result, name: str) -> Result:
    return replace(result, case=replace(result.case, name=name))
