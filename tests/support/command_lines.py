"""Command lines of any command: from the options that it has, with values that make sense, and others."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import click
from strange import WORDS, disturbed_word

from dicecli.cli.main import COMMANDS, cli

if TYPE_CHECKING:
    from random import Random

#: Commands by how often they are called: those that score have most options.
_OFTEN = {"score": 5, "batch": 6, "soft": 4, "points": 2, "report": 4, "explain": 2, "area": 2, "inspect": 2}
#: Options that call the network, or stay for what is no line of a moment: a cluster, another process.
_LEFT = {"--scheduler"}
_SIDES = (
    *("a.png", "a.png", "b.png", "ones.png", "roi.png", "colour.png", "palette.png", "broken.png"),
    *(
        "v.nii.gz",
        "w.nii.gz",
        "a.tif",
        "b.tif",
        "map.npy",
        "two.npy",
        "map.nii.gz",
        "nowhere.png",
        "p",
        "labels.json",
    ),
)
_FOLDERS = ("p", "r", "p", "r", "soft", "q", "nowhere", "a.tif", ".", "a.png")
_LEGENDS = (
    "labels.json",
    "labels.json",
    "lut.txt",
    "voc",
    "brats",
    "loveda",
    "nowhere.json",
    "a.png",
    "score.json",
)
_RESULTS = (
    *("score.json", "single.json", "batch.json", "slices.json", "later.json", "soft.json", "softs.json"),
    *(
        "points.json",
        "geo.json",
        "schema1.json",
        "labels.json",
        "confusion.json",
        "a.png",
        "nowhere.json",
        "p",
    ),
)
_OUTPUTS = (
    *("o.csv", "o.json", "o.md", "o.html", "o.txt", "o.xml", "o.nnunet.json", "nowhere/o.csv", "o.docx", "o"),
    *("o.csv", "o.json", "a.png", "p", "labels.json", "batch.json", "pairs.csv"),
)
_NUMBERS = (
    "dice",
    "iou@micro",
    "dice[1]",
    "dice[liver]@label-mean",
    "soft_dice",
    "hd95",
    "mcc",
    "overall_accuracy",
)
_GATES = (
    "dice=0.5",
    "dice[1]=0.9",
    "min:iou=0.1",
    "iou@micro=2",
    "hd95=1",
    "soft_dice_standard=0.5",
    "max:fpr=0.1",
)
#: Values that make sense, by the name of an option or of an argument; of others the type alone says.
LIKELY = {
    "prediction": _SIDES,
    "reference": _SIDES,
    "probabilities": ("map.npy", "two.npy", "map.nii.gz", "a.png", "soft/a.npy", "ones.png", "nowhere.npy"),
    "predictions": _FOLDERS,
    "references": _FOLDERS,
    "files": _RESULTS,
    "file": _RESULTS,
    "names": _NUMBERS,
    "matrix": ("confusion.csv", "confusion.json", "matrix.csv", "points.json", "score.json", "areas.csv"),
    "source": _LEGENDS,
    "--areas": ("areas.csv", "areas.csv", "a.tif", "a.png", "v.nii.gz", "matrix.csv"),
    "--baseline": _RESULTS,
    "--boundary-width": ("5px", "3mm", "0px", "1m"),
    "--channel-axis": ("-1", "0", "2", "3"),
    "--channels": ("0,1,2", "1", "1,2", "liver,both", "0"),
    "--class": ("class", "x", "nothing"),
    "--confusion": _OUTPUTS,
    "--crs": ("EPSG:4326", "4326", "EPSG:32632", "EPSG:1", "+proj=longlat"),
    "--curve": _OUTPUTS,
    "--device": ("cpu", "gpu"),  # others load torch, which takes seconds
    "--empty-distance": ("inf", "diagonal", "0", "skip", "5"),
    "--fail-over": ("fnr[1]=0.1", "max:fpr=0.05", "hd95=3", "dice=1"),
    "--fail-under": _GATES,
    "--group-by": ("group", "site", "case"),
    "--ignore-label": ("0", "1", "2", "255", "1,2", "0,1,2", "-1"),
    "--jobs": ("1",),
    "--labels": _LEGENDS,
    "--layout": ("nnunet", "voc", "cityscapes", "bids"),
    "--map-prediction": ("1=2,2=1", "0-9:+1", "1=ignore", "*=1", "1=1"),
    "--map-reference": ("1=2,2=1", "0-9:+1", "1=ignore,*=2", "*=ignore", "0=0"),
    "--max-drop": ("0.01", "dice[1]=0.1", "0", "iou@micro=0.2"),
    "--max-memory": ("1GB", "1", "500MB"),
    "--metric": (
        "dice",
        "iou,mcc",
        "all",
        "boundary",
        "centre_distance",
        "soft_dice",
        "hd95",
        "nsd",
        "brier",
    ),
    "--only": ("1", "1,2", "0", "both", "liver", "7", "1-3"),
    "--output": _OUTPUTS,
    "--pairs": ("pairs.csv", "pairs.csv", "points.csv"),
    "--per-slice": ("o.csv", "o.json"),
    "--pixel-size": ("30m", "30x20m", "1km", "0m"),
    "--prediction-pattern": ("{case}.png", "{case}.npy", "{case}/{label}.png", "a*{case}"),
    "--reference-pattern": ("{case}.png", "{case}.*", "{case}_gt.png"),
    "--region": ("both=1,2", "x=1", "x=7", "both=0"),
    "--smooth": ("0", "1", "1e-5"),
    "--summary": _OUTPUTS,
    "--temperature": ("1", "0.1", "5"),
    "--threshold": ("0.5", "1", "128", "0"),
    "--tolerance": ("1mm", "2px", "1mm,2mm", "0px", "10m"),
    "--within": ("roi.png", "v.nii.gz", "a.tif", "ones.png"),
    "--within-pattern": ("q/{case}.png", "r/{case}.png"),
    "--x": ("x", "y"),
    "--y": ("y", "x"),
}
#: What a line must have to come far: without it most end at once.
_WITH = {"area": ["--areas", "areas.csv"]}


@cache
def parameters(name: str) -> tuple[list[click.Argument], list[click.Option]]:
    """Return the arguments and the options of a command, as click has them."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    options = [each for each in command.params if isinstance(each, click.Option) and not _LEFT & {*each.opts}]
    return arguments, options


def line(chance: Random) -> list[str]:
    """Return the words of a command line."""
    if chance.random() < 0.01:
        return [chance.choice(WORDS) for _ in range(chance.randrange(4))]
    name = chance.choices([*COMMANDS], [_OFTEN.get(each, 1) for each in COMMANDS])[0]
    arguments, options = parameters(name)
    # Most lines are of a kind: one strange word in each would let none come far.
    strangeness = chance.choice((0.0, 0.0, 0.0, 0.1, 0.5))
    words = [
        _value(each, each.name or "", chance, strangeness) for each in arguments for _ in _count(each, chance)
    ]
    if chance.random() < 0.7:
        words += _WITH.get(name, [])
    for option in chance.choices(options, k=chance.choice((0, 1, 1, 2, 2, 3, 4, 6)) if options else 0):
        long = max(option.opts, key=len)
        words.append(chance.choice(option.opts))
        if not option.is_flag:
            words.append(_value(option, long, chance, 0 if long == "--jobs" else strangeness))
    if chance.random() < strangeness / 4:
        words.insert(chance.randrange(len(words) + 1), chance.choice(WORDS))
    return [name, *(each for each in words if _is_moment(each))]


def _count(argument: click.Argument, chance: Random) -> range:
    """Return how many words an argument gets: mostly as many as it takes."""
    if argument.nargs == 1:
        return range(1 if chance.random() < 0.95 else chance.choice((0, 2)))
    return range(chance.choice((0, 1, 1, 1, 2, 3)))


def _value(parameter: click.Parameter, name: str, chance: Random, strangeness: float) -> str:
    if chance.random() >= strangeness:
        return likely(parameter, chance, name)
    return (
        chance.choice(WORDS)
        if chance.random() < 0.5
        else disturbed_word(likely(parameter, chance, name), chance)
    )


def likely(parameter: click.Parameter, chance: Random, name: str = "") -> str:
    """Return a value that makes sense for a parameter, as far as its name or its type says which these are."""
    kind, name = parameter.type, name or max(parameter.opts, key=len)
    if name in LIKELY:
        return chance.choice(LIKELY[name])
    if isinstance(kind, click.Choice):
        return chance.choice([str(each) for each in kind.choices if _is_moment(str(each))])
    if isinstance(kind, click.types.IntRange | click.types.FloatRange):
        return chance.choice(("1", "2", "0", "100"))
    return chance.choice(WORDS if isinstance(kind, click.types.StringParamType) else ("0.5", "1", "0"))


def _is_moment(word: str) -> bool:
    """Whether a word starts no cluster."""
    return word != "dask"
