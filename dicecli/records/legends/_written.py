"""A file of labels before it is known which form it has, and the errors of its lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping  # noqa: TC003 - a field of a class
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dicecli.errors import LabelFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicecli.records.labels import Colour

#: No line of a table is longer.
_LONGEST = 1_000


@dataclass(frozen=True)
class Written:
    """A file of labels, read and not yet understood.

    Attributes
    ----------
    source : str
        Its name, for errors.
    content : mapping of str to object, or None
        The object that a JSON file holds, or that is given in Python; None: it is a text.
    text : str
        Empty where there is `content`.
    """

    source: str
    content: Mapping[str, object] | None = None
    text: str = ""

    @property
    def raw(self) -> Sequence[str]:
        """The lines of the text as they are, whatever ends them."""
        return self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    @cached_property
    def lines(self) -> tuple[tuple[int, str], ...]:
        """The lines that say something, with their numbers from 1: neither blank nor a comment after #."""
        numbered = ((n, line.strip()) for n, line in enumerate(self.raw, 1))
        return tuple((n, line) for n, line in numbered if line and not line.startswith("#"))

    def begins_with(self, pattern: re.Pattern[str]) -> bool:
        """Whether the first line that says something is of a pattern, all of it."""
        return bool(self.lines) and _taken(pattern, self.lines[0][1]) is not None

    def says(self, words: str) -> bool:
        """Whether a comment at the beginning has some words, in any case."""
        head = self.raw[: self.lines[0][0] - 1] if self.lines else self.raw
        return any(words.lower() in line.lower() for line in head)

    def matches(self, pattern: re.Pattern[str], right: str) -> Iterator[tuple[int, re.Match[str]]]:
        """Yield every line that says something, with its number, as a pattern has taken it apart.

        Raises
        ------
        LabelFileError
            A line is not of the pattern; the hint shows a line that is `right`.
        """
        for n, line in self.lines:
            found = _taken(pattern, line)
            if found is None:
                raise wrong_line(self, n, f"'{line[:80]}' names no label", right)
            yield n, found

    def rows(self, delimiter: str, right: str) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield every row of a table with a header, with its line: what stands under each name of a column.

        Names of columns are in lower case; rows of nothing are left out.

        Raises
        ------
        LabelFileError
            A row is longer or shorter than the header, or a quote is not closed; the hint shows a row that is
            `right`.
        """
        reader = csv.reader(self.raw, delimiter=delimiter, strict=True)
        header: list[str] = []
        line = 1
        try:
            for row in reader:
                cells = [cell.strip() for cell in row]
                if any(cells) and header and len(cells) != len(header):
                    what = f"{len(cells)} columns, and {len(header)} in the header"
                    raise wrong_line(self, line, what, right)
                if any(cells) and header:
                    yield line, dict(zip(header, cells, strict=True))
                elif any(cells):
                    header = [cell.lower() for cell in cells]
                line = reader.line_num + 1
        except csv.Error as error:
            raise wrong_line(self, line, str(error), right) from error

    def columns(self, delimiter: str) -> list[str]:
        """Return the first line with something in it as names of columns, in lower case."""
        first = next((line for line in self.raw if line.strip()), "")
        try:
            return [
                cell.strip().lower() for cell in next(csv.reader([first], delimiter=delimiter, strict=True))
            ]
        except csv.Error:
            return []


def _taken(pattern: re.Pattern[str], line: str) -> re.Match[str] | None:
    return pattern.fullmatch(line) if len(line) <= _LONGEST else None


def wrong_line(written: Written, line: int, what: str, right: str) -> LabelFileError:
    """Make the error of a line that is not understood, with one that is `right`."""
    return LabelFileError(f"{written.source}, line {line}: {what}", f"Write the line as this one is: {right}")


def not_labels(source: str, what: str) -> LabelFileError:
    """Make the error of a file that is none of labels, with one that is."""
    return LabelFileError(
        f"{source}: {what}",
        'A labels file looks like {"labels": {"0": "background", "1": "liver", "2": "tumour"}}.',
    )


def colour_at(written: Written, line: int, values: Sequence[str], right: str) -> Colour:
    """Return the colour that three numbers of a line are.

    Raises
    ------
    LabelFileError
        One of them is no whole number of 0 to 255.
    """
    if not all(re.fullmatch(r"\d{1,3}(\.0*)?", each) and float(each) <= 255 for each in values):
        what = f"'{' '.join(values)}' is no colour: three whole numbers of 0 to 255 are expected"
        raise wrong_line(written, line, what, right)
    red, green, blue = (int(float(each)) for each in values)
    return red, green, blue
