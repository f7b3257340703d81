"""Train a tiny network where 0.5 % of the pixels are foreground, by Dice, by cross-entropy and by both.

Prints the table of docs/soft.md as Markdown, and draws imbalance.png beside this file, with matplotlib::

    python docs/imbalance.py [--steps 300] [--seeds 5] [--plot FILE]

Images are noise with one disc that is somewhat brighter; all is seeded.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch  # noqa: TID253 - this is about torch

from dicecli.losses import DiceCELoss, DiceLoss

SIDE, RADIUS, BRIGHTER = 64, 2.5, 2.0
BATCH, EVERY, RATE = 8, 10, 0.01
LOSSES = {
    "cross-entropy": DiceCELoss(activation="sigmoid", dice_weight=0),
    "Dice": DiceLoss(activation="sigmoid"),
    "both": DiceCELoss(activation="sigmoid"),
}


def images(number: int, numbers: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Make images of noise with a disc in each, and their masks, both of shape (N, 1, 64, 64)."""
    centres = RADIUS + (SIDE - 1 - 2 * RADIUS) * torch.rand((number, 2, 1, 1), generator=numbers)
    rows, columns = torch.arange(SIDE)[:, None], torch.arange(SIDE)
    masks = ((rows - centres[:, 0]) ** 2 + (columns - centres[:, 1]) ** 2 < RADIUS**2).unsqueeze(1)
    noise = torch.randn((number, 1, SIDE, SIDE), generator=numbers)
    return noise + BRIGHTER * masks, masks


def network(seed: int) -> torch.nn.Module:
    """Make a network of three convolutions, about 800 weights."""
    torch.manual_seed(seed)
    layers: list[torch.nn.Module] = [torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.ReLU()]
    layers += [torch.nn.Conv2d(8, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 1, 3, padding=1)]
    return torch.nn.Sequential(*layers)


def judged(model: torch.nn.Module, test: tuple[torch.Tensor, torch.Tensor]) -> dict[str, float]:
    """Return Dice at 0.5, the mean probability, and the share of unsure pixels: 0.1 to 0.9."""
    with torch.no_grad():
        probabilities, masks = model(test[0]).sigmoid(), test[1]
    called = probabilities > 0.5
    dice = 2 * (called & masks).sum() / (called.sum() + masks.sum())
    unsure = (probabilities > 0.1) & (probabilities < 0.9)
    return {
        "dice": dice.item(),
        "mean": probabilities.mean().item(),
        "unsure": unsure.float().mean().item(),
    }


def trained(loss: Any, seed: int, steps: int) -> list[dict[str, float]]:
    """Train once; return what was judged before the first step and after every tenth."""
    numbers = torch.Generator().manual_seed(seed)
    test = images(64, torch.Generator().manual_seed(1000))
    model = network(seed)
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    course = [judged(model, test)]
    for step in range(1, steps + 1):
        batch, masks = images(BATCH, numbers)
        optimizer.zero_grad()
        loss(model(batch), masks).backward()
        optimizer.step()
        if step % EVERY == 0:
            course.append(judged(model, test))
    return course


def courses(steps: int, seeds: int) -> dict[str, torch.Tensor]:
    """Train with every loss and seed; return shape (seeds, moments, what was judged) by loss."""
    return {
        name: torch.tensor(
            [[list(each.values()) for each in trained(loss, seed, steps)] for seed in range(seeds)]
        )
        for name, loss in LOSSES.items()
    }


def table(found: dict[str, torch.Tensor]) -> str:
    """Return the table: medians over the seeds, and the least and the largest of the last."""
    steps = EVERY * (next(iter(found.values())).shape[1] - 1)
    moments = [each // EVERY * EVERY for each in (steps // 10, steps // 3, steps)]
    heads = [*(f"Dice after {step} steps" for step in moments), "of all seeds", "mean p", "p from 0.1 to 0.9"]
    lines = [f"| loss | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
    for name, each in found.items():
        dice, middle = each[:, :, 0], each.median(0).values
        row = [f"{middle[step // EVERY, 0]:.2f}" for step in moments]
        row += [f"{dice[:, -1].min():.2f} to {dice[:, -1].max():.2f}"]
        row += [f"{100 * middle[-1, 1]:.2f} %", f"{100 * middle[-1, 2]:.2f} %"]
        lines.append(f"| {name} | {' | '.join(row)} |")
    return "\n".join(lines)


def draw(found: dict[str, torch.Tensor], path: Path) -> None:
    """Draw hard Dice and the mean probability over the steps: medians of the seeds, and their ranges."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    share = images(64, torch.Generator().manual_seed(1000))[1].float().mean().item()
    for (name, each), colour in zip(found.items(), ("#d55e00", "#0072b2", "#009e73"), strict=True):
        steps = range(0, EVERY * each.shape[1], EVERY)
        for axes, judged_as in ((left, 0), (right, 1)):
            values = each[:, :, judged_as].clamp_min(1e-4 if judged_as else 0)
            low, middle, high = values.amin(0), values.median(0).values, values.amax(0)
            axes.plot(steps, middle.tolist(), color=colour, label=name)
            axes.fill_between(steps, low.tolist(), high.tolist(), color=colour, alpha=0.2, linewidth=0)
    left.set(xlabel="steps", ylabel="Dice of new images, at 0.5", ylim=(0, 1))
    right.set(xlabel="steps", ylabel="mean probability of foreground", yscale="log")
    right.axhline(share, color="black", linestyle=":", label=f"true share, {100 * share:.1f} %")
    figure.legend(handles=left.lines, loc="outside upper center", ncols=3, frameon=False)
    right.legend(handles=right.lines[-1:], loc="upper right", frameon=False)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Train, print the table, draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--plot", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()
    torch.set_num_threads(1)  # so that sums are in one order on every machine
    found = courses(options.steps, options.seeds)
    print(table(found))
    if find_spec("matplotlib"):
        draw(found, options.plot)


if __name__ == "__main__":
    main()
