"""The examples of docs/extending.md: what a stranger would write into a copy, or into a package of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from places import ROOT
from readme_blocks import blocks

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
_FIRST = re.compile(r"# ([\w/]+\.py)(?:: (above|below) (.+))?\n")


class Step(NamedTuple):
    """One example: a new file, or text that goes above or below a line of one that is there."""

    path: str
    where: str | None
    line: str | None
    text: str

    def take(self, folder: Path) -> None:
        """Do as the page says, in a copy of the project."""
        path = folder / self.path
        if self.where is None:
            assert not path.exists(), path
            path.write_text(self.text, encoding="utf-8")
            return
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        (at,) = (place for place, line in enumerate(lines) if line.strip() == self.line)
        text = self.text
        if self.where == "below":
            at += 1
        else:
            while lines[at - 1].startswith(("#", "@")):
                at -= 1
            text += "\n\n" * text.startswith(("def ", "class ", "@"))
        lines.insert(at, text)
        path.write_text("".join(lines), encoding="utf-8")


STEPS = [
    Step(*match.groups(), block if match[2] is None else block[match.end() :])
    for block in blocks(PAGE, "python")
    if (match := _FIRST.match(block))
]
#: The examples that are files, by their paths.
FILES = {each.path: each.text for each in STEPS if each.where is None}
#: What the page has typed, by the heading above it.
COMMANDS = [
    (section.partition("\n")[0], line)
    for section in re.split(r"^##+ ", PAGE, flags=re.MULTILINE)[1:]
    for block in blocks(section, "sh")
    for line in block.splitlines()
]
