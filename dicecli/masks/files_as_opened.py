"""The files of a case as they were when they were opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import CaseError, Changed
from dicecli.masks import files

if TYPE_CHECKING:
    from dicecli.records.cases import Case


class FilesAsOpened:
    """The files of a case as they were when they were opened: none of them may change until it is scored."""

    def __init__(self, case: Case) -> None:
        self._files = case.files
        self._before: list[tuple[str, str, files.State]] = []

    def note(self) -> None:
        """Take note of what they are now, before they are opened."""
        self._before = [(side, path, files.state(path)) for side, path in self._files]

    def check(self) -> None:
        """Make sure that each is still the one that was opened.

        Raises
        ------
        Changed
        """
        for side, path, before in self._before:
            try:
                files.check_unchanged(path, before)
            except Changed as error:
                raise error.on_side(side, path) from None

    def blame(self, error: BaseException | None) -> None:
        """Raise that a file has changed, if it has, in place of what came of that."""
        if isinstance(error, CaseError):
            try:
                self.check()
            except Changed as cause:
                raise cause from error
