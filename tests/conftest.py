"""What tests share: folders of masks, golden files, records that keep their schema, signals, Hypothesis without a clock."""

from __future__ import annotations

import os
import signal

import make
import numpy as np
import places
import pytest
import record_schema
from batches import MANY, all_outputs, both, call, contents, sound
from hypothesis import HealthCheck, settings

# How long an example takes is no promise: a busy machine takes its time. No test sets a deadline of its own.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
# Reports are compared byte by byte, also those of other processes, and across midnight.
os.environ["SOURCE_DATE_EPOCH"] = "1767225600"


def _heed_signals():
    """Let processes that tests start heed signals, though this one was started to ignore them: by nohup, or by ``&``.

    What is ignored stays ignored in every child; what is handled is not.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGHUP", "SIGQUIT", "SIGTERM"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


_heed_signals()
record_schema.watch()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """Fail a test in which this process made a record that breaks its JSON Schema."""
    found = yield
    faults = record_schema.FAULTS[:]
    record_schema.FAULTS.clear()
    assert faults == []
    return found


def pytest_addoption(parser):
    """Add the option that writes golden files instead of comparing with them."""
    parser.addoption(
        "--rewrite-golden",
        action="store_true",
        help="write the files in tests/golden anew, to be looked at in a diff",
    )


@pytest.fixture
def golden(request):
    """Return a function that compares text with a file of tests/golden, to the byte."""

    def compare(name, text):
        path = places.GOLDEN / name
        if request.config.getoption("--rewrite-golden"):
            path.write_bytes(text.encode())
        assert path.is_file(), f"there is no golden {name}: python -m pytest --rewrite-golden writes it"
        assert path.read_bytes() == text.encode()

    return compare


@pytest.fixture(scope="session")
def faulty(tmp_path_factory):
    """Write pairs of which a few cannot be scored, and one prediction too many."""
    folder = tmp_path_factory.mktemp("faulty")
    sound(folder, 12, 24)
    predictions, references = both(folder)
    (predictions / "case003.png").write_bytes(b"")
    (predictions / "case005.png").unlink()
    (references / "case007.png").write_bytes((references / "case007.png").read_bytes()[:60])
    make.png(predictions / "case008.png", make.blobs((20, 20)))
    make.png(predictions / "extra.png", make.blobs((20, 20)))
    for side in (predictions, references):
        make.png(side / "nothing.png", np.zeros((24, 24), np.uint8))
    return folder


@pytest.fixture(scope="session")
def many(tmp_path_factory):
    """Write pairs enough for a run that takes a while, one of them broken, so that the journal is kept at the end."""
    folder = tmp_path_factory.mktemp("many")
    sound(folder, MANY, 64)
    (folder / "predictions" / "case100.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


@pytest.fixture(scope="session")
def undisturbed(many, tmp_path_factory):
    """Run over `many` undisturbed, and return what it writes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert call(*both(many), *all_outputs(folder)).exit_code == 3
    return contents(folder)
