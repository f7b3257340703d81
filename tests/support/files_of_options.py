"""Files of options, written into a folder."""

from __future__ import annotations

TABLE = "[tool.dicecli]\nband = 1\n"


def own(folder, text):
    """Write a dicecli.toml and return its path."""
    path = folder / "dicecli.toml"
    path.write_text(text, encoding="utf-8")
    return path


def shared(folder, text=TABLE):
    """Write a pyproject.toml and return its path."""
    path = folder / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    return path
