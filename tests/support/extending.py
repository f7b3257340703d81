"""The examples of docs/extending.md: what a stranger would write into a copy, or into a package of its own."""

from __future__ import annotations

import re

from places import ROOT
from readme_blocks import blocks

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
#: The examples of the page that are files, by the path in their first line.
FILES = {
    match[1]: block
    for block in blocks(PAGE, "python")
    if (match := re.match(r"# (dicecli/\S+\.py)\n", block))
}
WRITER = next(block for block in blocks(PAGE, "python") if "in WRITERS" in block)
EXAMPLES = next(block for block in blocks(PAGE, "python") if "in EXAMPLES" in block)
