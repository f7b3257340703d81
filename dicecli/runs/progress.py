"""How far a run is: a bar on a terminal, a plain line now and then elsewhere, all of it on standard error."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

    from dicecli.records.cases import Result

#: Seconds between two lines where there is no terminal.
_EVERY = 10.0
#: Seconds between two looks of the bar. It has no thread for that: workers are forked from this process.
_SHOWN_EVERY = 0.1


class Progress:
    """Counts cases as they are done; a context manager that is called with position and result."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._total = total
        self._quiet = quiet
        self._done = self._new = self._failed = 0
        self._started = self._said = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task("cases", total=self._total, failed="")
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, result: Result, *, is_new: bool) -> None:
        """Take note of a case that is done, now or in the run that this one goes on with."""
        self._done += 1
        self._new += is_new
        self._failed += result.status == "failed"
        if self._bar is not None:
            failed = f"{self._failed:,} failed" if self._failed else ""
            self._bar.update(self._task, advance=1, failed=failed)
            if time.monotonic() - self._said >= _SHOWN_EVERY:
                self._said = time.monotonic()
                self._bar.refresh()
        elif not self._quiet and time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            sys.stderr.write(f"{self._line()}\n")
            sys.stderr.flush()

    def _line(self) -> str:
        rate = max(self._new, 1) / max(time.monotonic() - self._started, 1e-9)
        left = (self._total - self._done) / rate
        failed = f", {self._failed:,} failed" if self._failed else ""
        done = f"{self._done:,} of {self._total:,} cases"
        return f"{done}, {rate:.3g} a second, about {_duration(left)} left{failed}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    class Rate(ProgressColumn):
        """Cases a second."""

        def render(self, task: Any) -> Text:
            """Say nothing before there is a speed."""
            return Text(f"{task.speed:.3g}/s" if task.speed else "")

    return Bar(
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failed]}", style="red"),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
    )
