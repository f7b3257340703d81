"""What the README shows, taken apart: commands with their output, and commands alone."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def blocks(text: str, language: str) -> list[str]:
    """Return the content of every fenced block of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def run(command: str, folder: Path, code: int = 0) -> str:
    """Run a ``dicecli`` command in a folder, expect its exit code, and return what a terminal would show."""
    words = shlex.split(command)
    assert words[0] == "dicecli"
    done = subprocess.run(
        [sys.executable, "-m", "dicecli", *words[1:]],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8", "COLUMNS": "80"},
        check=False,
    )
    assert code == done.returncode, done.stdout
    return done.stdout
