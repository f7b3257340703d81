"""Where things lie: this project, its sample masks, and the masks of others beside it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
SUPPORT = TESTS / "support"
GOLDEN = TESTS / "golden"
SAMPLES = ROOT / "sample_masks"
#: Real masks, made by others: tests on them are skipped where there are none.
SHARED_MASKS = ROOT.parent / "shared" / "masks"
