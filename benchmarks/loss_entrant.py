"""One loss, forward and backward, in a process of its own; prints what it took as JSON.

Usage: loss_entrant.py NAME --device DEVICE --rounds N [--threads N] [--quick]

The extra memory is the most that was held beside the inputs during the first forward and backward, the
gradient itself included: on a GPU by torch's own account, on the processor by the system's of this process.
What the first call loads of a library is loaded before, by a call on a few voxels.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch  # noqa: TID253 - this is about torch

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPE = (2, 4, 128, 128, 128)
QUICK = (1, 4, 16, 16, 16)


def ours(module: str) -> Callable[..., Any]:
    """Return a loss of dicecli."""
    import dicecli.losses

    return getattr(dicecli.losses, module)(activation="softmax")


def monai(module: str) -> Callable[..., Any]:
    """Return a loss of MONAI that means the same."""
    import monai.losses

    return getattr(monai.losses, module)(softmax=True, to_onehot_y=True, batch=True)


def smp() -> Callable[..., Any]:
    """Return segmentation_models.pytorch's loss that means the same; it takes labels without a channel."""
    from smp_losses import load

    loss = load().DiceLoss("multiclass")
    return lambda logits, labels: loss(logits, labels[:, 0])


#: Every entrant, by contest and name, with the package that it needs.
ENTRANTS: dict[str, tuple[str, str, Callable[[], Callable[..., Any]]]] = {
    "dicecli DiceLoss": ("dice", "dicecli", lambda: ours("DiceLoss")),
    "MONAI DiceLoss": ("dice", "monai", lambda: monai("DiceLoss")),
    "smp DiceLoss": ("dice", "segmentation_models_pytorch", smp),
    "dicecli DiceCELoss": ("dice-ce", "dicecli", lambda: ours("DiceCELoss")),
    "MONAI DiceCELoss": ("dice-ce", "monai", lambda: monai("DiceCELoss")),
}


class Account:
    """The memory that is held now, and the most that was, since :meth:`start`."""

    def __init__(self, device: str) -> None:
        self._is_cuda = device == "cuda"

    def start(self) -> None:
        """Note what is held; forget earlier peaks, where the system can."""
        if self._is_cuda:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            self._before = torch.cuda.memory_allocated()
        else:
            resets = Path("/proc/self/clear_refs")
            if resets.exists():
                resets.write_text("5", encoding="ascii")
            self._before = self._resident()

    def extra(self) -> int:
        """Return the most that was held, in bytes, beyond what was held at the start."""
        if self._is_cuda:
            torch.cuda.synchronize()
            return torch.cuda.max_memory_allocated() - self._before
        return self._peak() - self._before

    @staticmethod
    def _resident() -> int:
        import psutil

        return psutil.Process().memory_info().rss

    @staticmethod
    def _peak() -> int:
        status = Path("/proc/self/status")
        if status.exists():
            (line,) = [each for each in status.read_text("ascii").splitlines() if each.startswith("VmHWM")]
            return int(line.split()[1]) * 1024
        import psutil

        memory = psutil.Process().memory_info()
        if hasattr(memory, "peak_wset"):
            return int(memory.peak_wset)
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def inputs(shape: tuple[int, ...], device: str) -> tuple[Any, Any]:
    """Make logits and labels (int64, with a channel axis) from a seed, as many labels as channels."""
    numbers = torch.Generator().manual_seed(0)
    logits = torch.randn(shape, generator=numbers).to(device).requires_grad_()
    labels = torch.randint(0, shape[1], (shape[0], 1, *shape[2:]), generator=numbers)
    return logits, labels.to(device)


def timed(loss: Callable[..., Any], logits: Any, labels: Any, device: str) -> tuple[float, ...]:
    """Return the seconds of forward and of backward, the processor's seconds of both, and the loss."""
    logits.grad = None
    moments: list[float] = []
    spent = time.process_time()

    def note() -> None:
        if device == "cuda":
            torch.cuda.synchronize()
        moments.append(time.perf_counter())

    note()
    value = loss(logits, labels)
    note()
    value.backward()
    note()
    return moments[1] - moments[0], moments[2] - moments[1], time.process_time() - spent, value.item()


def main() -> None:
    """Measure one entrant."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=ENTRANTS)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    loss = ENTRANTS[options.name][2]()
    timed(loss, *inputs((1, 4, 8, 8, 8), options.device), options.device)
    logits, labels = inputs(QUICK if options.quick else SHAPE, options.device)
    account = Account(options.device)
    account.start()
    *_, value = timed(loss, logits, labels, options.device)
    extra = account.extra()
    rounds = [timed(loss, logits, labels, options.device)[:3] for _ in range(options.rounds)]
    print(json.dumps({"loss": value, "extra_bytes": extra, "rounds": rounds}))


if __name__ == "__main__":
    main()
