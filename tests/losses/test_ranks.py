"""Losses in several processes: with the sums of all ranks, they train as one process does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import rank  # noqa: E402 - without torch there is nothing to import

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="gloo needs more than a file to meet on Windows"),
    pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no torch.distributed"),
]


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """Train with two processes over gloo and DistributedDataParallel; return what each found."""
    folder = tmp_path_factory.mktemp("ranks")
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": loopback, "OMP_NUM_THREADS": "1"}
    script = Path(rank.__file__)
    started = [
        subprocess.Popen([sys.executable, script, str(number), "2", folder], env=environment)
        for number in range(2)
    ]
    try:
        assert [0, 0] == [each.wait(timeout=300) for each in started]
    finally:
        for each in started:
            each.kill()
    return [torch.load(folder / f"rank{number}.pt", weights_only=True) for number in range(2)]


@pytest.fixture(scope="module")
def alone():
    """Train with one process and the whole batch."""
    return rank.trained(rank.network(), *rank.task())


def flat(found):
    """Put the loss and all gradients into one tensor."""
    return torch.cat([torch.tensor(each, dtype=torch.float64).flatten() for each in found])


@pytest.mark.parametrize("name", rank.LOSSES)
def test_two_processes_train_as_one(ranks, alone, name):
    """Loss and averaged gradients of two processes with unequal shares are those of one with all images."""
    for each in ranks:
        for way in ("together", "by group"):
            assert (flat(alone[name]) - flat(each[way][name])).abs().max() < 1e-12


def test_without_the_sums_of_all_they_would_not(ranks, alone):
    """The mean of the processes' own losses is another loss: the task is one that shows it."""
    for name in rank.LOSSES:
        mean = sum(each["apart"][name][0] for each in ranks) / 2
        assert abs(mean - alone[name][0]) > 1e-4
        assert (flat(ranks[0]["apart"][name][1:]) - flat(alone[name][1:])).abs().max() > 1e-4
