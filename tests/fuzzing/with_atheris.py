"""Fuzz one reader, guided by the coverage of the package's Python code.

It needs atheris, which pip installs where there is a build of it::

    python tests/fuzzing/with_atheris.py nii -max_total_time=300

Options after the format are libFuzzer's. What it finds is written to a file ``crash-...`` in the current
folder; score that against itself under the suffix of its format. The judge is the one of run.py.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

with atheris.instrument_imports(include=["dicecli"]):
    import mutants
    import oracle


def main() -> None:
    """Run libFuzzer from the valid masks of a format on."""
    kind = sys.argv[1]
    folder = Path(tempfile.mkdtemp(prefix="mutants"))
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, files in enumerate(mutants.seeds(kind)):
        (corpus / str(number)).write_bytes(next(iter(files.values())))
    other = {end: content for end, content in mutants.seeds(kind)[0].items() if end != kind}

    def judged(data: bytes) -> None:
        oracle.judge(mutants.Mutant({kind: data} | other).write(folder))

    atheris.Setup([sys.argv[0], *sys.argv[2:], str(corpus)], judged)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
