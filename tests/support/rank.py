"""One of several processes that train together: loss and gradients of a tiny network, written to a file.

Run as ``python rank.py NUMBER PROCESSES FOLDER``; tests/losses/test_ranks.py starts them, and takes its task from
here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from dicecli.losses import DiceCELoss, DiceLoss, GeneralizedDiceLoss

LOSSES = {
    "macro": (DiceLoss, {"activation": "softmax", "class_weights": [1.0, 2.0, 3.0]}),
    "micro of the squared form": (
        DiceLoss,
        {"activation": "softmax", "averaging": "micro", "form": "squared"},
    ),
    "weighted, sigmoid": (DiceLoss, {"activation": "sigmoid", "averaging": "weighted", "form": "jaccard"}),
    "imagewise": (DiceLoss, {"activation": "softmax", "imagewise": True}),
    "generalised": (GeneralizedDiceLoss, {"activation": "softmax"}),
    "with cross-entropy": (DiceCELoss, {"activation": "softmax", "ignore_label": 9}),
    "imagewise with cross-entropy": (DiceCELoss, {"activation": "sigmoid", "imagewise": True}),
    "a rank ignores all": (DiceCELoss, {"activation": "softmax", "ignore_label": 8}),
    "a rank ignores all, imagewise": (
        DiceLoss,
        {"activation": "softmax", "ignore_label": 8, "imagewise": True},
    ),
}
#: The images of each of two ranks: they need not be equally many.
SHARES = (slice(0, 3), slice(3, 4))


def network():
    """Make the same network in every process."""
    torch.manual_seed(3)
    layers = [torch.nn.Conv2d(2, 4, 3, padding=1), torch.nn.Tanh(), torch.nn.Conv2d(4, 3, 1)]
    return torch.nn.Sequential(*layers).double()


def task():
    """Make four images and their labels, which are unlike each other in size; and labels that are 8 in the last."""
    numbers = torch.Generator().manual_seed(4)
    images = torch.randn((4, 2, 6, 5), generator=numbers, dtype=torch.float64)
    labels = (images.sum(1) > torch.tensor([-1.0, 0.5, 1.0, 2.0])[:, None, None]).long()
    labels += (images[:, 0] > 1.5).long()
    void = labels.clone()
    void[3] = 8
    return images, labels, void


def trained(model, images, labels, void, **more):
    """Return the loss and the gradients under every loss."""
    found = {}
    for name, (module, options) in LOSSES.items():
        model.zero_grad()
        reference = void if options.get("ignore_label") == 8 else labels
        loss = module(**options, **more)(model(images), reference)
        loss.backward()
        found[name] = [loss.item(), *(each.grad.flatten().tolist() for each in model.parameters())]
    return found


def main():
    """Train with the others."""
    number, processes, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    meeting = (folder / "meeting").as_uri()
    torch.distributed.init_process_group("gloo", init_method=meeting, rank=number, world_size=processes)
    model = torch.nn.parallel.DistributedDataParallel(network())
    share = [each[SHARES[number]] for each in task()]
    results = {
        "together": trained(model, *share, reduce_group="world"),
        "by group": trained(model, *share, reduce_group=torch.distributed.group.WORLD),
        "apart": trained(model, *share),
    }
    torch.save(results, folder / f"rank{number}.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
