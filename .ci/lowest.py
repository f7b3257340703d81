"""Prints constraints by which pip installs the lowest versions that pyproject.toml allows: ``name==lowest``.

The arguments are the extras whose dependencies are wanted, too: ``python .ci/lowest.py dask plot test``.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def constraint(requirement: str) -> str:
    """Return the constraint that holds a requirement at its lower bound.

    Other clauses stay: where one excludes the lower bound itself, pip says so. A constraint names no extras.
    """
    name, clauses = re.fullmatch(r"([\w.-]+)(?:\[[^]]*])?\s*(.*)", requirement).groups()
    if clauses.count(">=") != 1:
        raise SystemExit(f"{requirement}: no lower bound")
    return name + clauses.replace(">=", "==")


def main() -> None:
    """Print the constraints of the dependencies and of the extras that are named."""
    requirements = list(PROJECT["dependencies"])
    for extra in sys.argv[1:]:
        requirements += PROJECT["optional-dependencies"][extra]
    print("\n".join(sorted({constraint(each) for each in requirements})))


if __name__ == "__main__":
    main()
