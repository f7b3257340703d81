"""The rows of a CSV file, each by the names of its columns."""

from __future__ import annotations

import csv
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from dicecli.errors import DicecliError
from dicecli.records.alike import did_you_mean_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CALLED = {",": "comma", ";": "semicolon"}


def csv_rows(
    path: str, check_header: Callable[[list[str], str], None], kind: type[DicecliError]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read the rows of a CSV file, each with the number of its line; cells of spaces are empty.

    Parameters
    ----------
    path : str
        UTF-8, the first line names the columns. Between cells stand commas, or semicolons where the first
        line has these and no comma. Empty rows are passed over.
    check_header : callable
        It gets the names of the columns and the path, and raises where they will not do.
    kind : type of DicecliError
        What is raised here.

    Raises
    ------
    DicecliError
        Of that kind: the file cannot be read, or a row has another number of cells than the header.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            between = ";" if ";" in first and "," not in first else ","
            reader = csv.reader(chain([first], file), delimiter=between, skipinitialspace=True, strict=True)
            header = [cell.strip() for cell in next(reader, ())]
            check_header(header, path)
            for row in reader:
                cells = [cell if cell.strip() else "" for cell in row]
                if not any(cells):
                    continue
                if len(cells) != len(header):
                    raise kind(
                        f"line {reader.line_num} has {len(cells)} cells, and the header {len(header)}",
                        f"Put a cell that contains a {_CALLED[between]} between double quotes.",
                        path,
                    )
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except DicecliError:
        raise
    except (OSError, ValueError, csv.Error) as error:
        meant = did_you_mean_file(path)
        raise kind(f"cannot be read: {error}", f"{meant}Give a CSV file in UTF-8.", path) from error
