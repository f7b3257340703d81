"""Boundary metrics against brute force, all switches crossed; and what changes a mask and no number."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from itertools import permutations, product

import make
import nibabel
import numpy as np
import pytest
import surfaces_brute as surfaces
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import dicecli

IGNORED = 9
LABELS = {"labels": {"1": "one", "2": "two"}, "regions": {"both": [1, 2]}}
#: Rows by what they are asked as, with the labels they have.
ROWS = {1: (1,), 2: (2,), "both": (1, 2)}
#: Distances of both directions; of one.
UNDIRECTED = ("hd", "hd95", "hd50", "assd", "masd")
DIRECTED = tuple(
    f"{name}_to_{side}" for name in ("hd", "hd95", "hd30", "asd") for side in ("reference", "prediction")
)
SPACINGS = st.sampled_from([0.5, 0.7, 1.0, 1.5, 3.0])


@dataclass(frozen=True)
class Pair:
    """Two label maps, their spacing, and the switches by which they are compared."""

    prediction: np.ndarray
    reference: np.ndarray
    spacing: tuple[float, ...]
    switches: dict
    tolerances: tuple[str, ...] = ("1mm",)

    @property
    def ndim(self):
        """How many axes it has."""
        return self.reference.ndim

    @property
    def is_image(self):
        """Whether it is an image, or a volume of one slice, which is the same."""
        return self.ndim == 2 or 1 in self.reference.shape

    @property
    def metrics(self):
        """Every metric of such masks."""
        return [
            *UNDIRECTED,
            *DIRECTED,
            *(f"nsd_{each}" for each in self.tolerances),
            "boundary_iou",
            *["boundary_f"][: self.is_image],
        ]

    def turned(self, turn, spacing=None):
        """Return it with the same done to both sides."""
        return replace(
            self,
            prediction=turn(self.prediction),
            reference=turn(self.reference),
            spacing=spacing or self.spacing,
        )

    def scored(self):
        """Score it."""
        return dicecli.score(
            surfaces.image(self.prediction, self.spacing),
            surfaces.image(self.reference, self.spacing),
            metrics=self.metrics,
            labels=LABELS,
            ignore_label=IGNORED,
            name="pair",
            **self.switches,
        )

    def values(self, metrics=None):
        """Return its values by metric and row."""
        return of_report(self.scored(), metrics or self.metrics)


def of_report(report, metrics):
    """Return the values of the case by metric and row."""
    case = next(each for each in report.cases() if each.result.case.name == "pair")
    rows = {**{each.label: each for each in case.labels}, **{each.name: each for each in case.regions}}
    plain = {
        row: {re.sub("_(mm|px)$", "", name): value for name, value in rows[row].values.items()}
        for row in ROWS
    }
    return {(metric, row): plain[row][metric] for metric in metrics for row in ROWS}


def differing(one, other):
    """Return which values are not the same to the bit; undefined ones are."""
    assert one.keys() == other.keys()
    return {
        each: (one[each], other[each])
        for each in one
        if one[each] != other[each] and not (math.isnan(one[each]) and math.isnan(other[each]))
    }


@st.composite
def label_maps(draw, ndim=None):
    """Draw two label maps that are alike in places, with ignored pixels in the reference."""
    ndim = ndim or draw(st.sampled_from([2, 3]))
    sides = st.integers(1, 8) if ndim == 2 else st.integers(2, 5)
    shape = draw(st.lists(sides, min_size=ndim, max_size=ndim))
    if ndim == 3 and draw(st.integers(0, 5)) == 0:
        shape[draw(st.integers(0, 2))] = 1
    rng = np.random.default_rng(draw(st.integers(0, 1 << 20)))
    of = draw(st.sampled_from([(0, 1, 2), (0, 0, 0, 0, 1), (1, 1, 1, 0), (0, 2), (1, 2), (0,)]))
    reference = rng.choice(of, shape)
    other = np.roll(reference, 1, draw(st.integers(0, ndim - 1)))
    prediction = np.where(
        rng.random(shape) < draw(st.sampled_from([0.0, 0.2, 1.0])), rng.choice(of, shape), other
    )
    reference[rng.random(shape) < draw(st.sampled_from([0.0, 0.0, 0.1, 0.5]))] = IGNORED
    return prediction.astype(np.uint8), reference.astype(np.uint8)


@st.composite
def pairs(draw, ndim=None, **fixed):
    """Draw a pair with every switch that is not fixed."""
    prediction, reference = draw(label_maps(ndim))
    spacing = tuple(draw(st.lists(SPACINGS, min_size=reference.ndim, max_size=reference.ndim)))
    switches = {
        "surface": draw(st.sampled_from(["voxel", "corner"])),
        "rim": draw(st.sampled_from(["face", "edge", "all"])),
        "percentile_rule": draw(st.sampled_from(["linear", "step", "index"])),
        "directions": draw(st.sampled_from(["max", "pool", "mean"])),
        "nsd_directions": draw(st.sampled_from([None, "pool", "mean"])),
        "spacing": draw(st.sampled_from(["header", "voxel"])),
        "empty_distance": draw(st.sampled_from(["inf", "diagonal", "skip", "374"])),
    }
    switches |= fixed
    unit = "px" if switches["spacing"] == "voxel" else "mm"
    lengths = [0.7, 1.0, 1.5, 2.0, 3.0]
    widths = [None, "1px", "2px", "1.5px", *(f"{each:g}{unit}" for each in lengths)]
    switches.setdefault("boundary_width", draw(st.sampled_from(widths)))
    tolerances = draw(
        st.lists(st.sampled_from([f"{each:g}{unit}" for each in lengths]), min_size=1, unique=True)
    )
    return Pair(prediction, reference, spacing, switches, tuple(tolerances))


# --- Brute force --------------------------------------------------------------------------------------------


class Expected:
    """The numbers of one row of a pair, by brute force."""

    def __init__(self, prediction, reference, left_out, spacing, switches):
        self.prediction, self.reference, self.left_out = (
            prediction & ~left_out,
            reference & ~left_out,
            left_out,
        )
        self.switches = switches
        self.spacing = (1.0,) * reference.ndim if switches["spacing"] == "voxel" else spacing
        if reference.ndim == 3 and 1 in reference.shape:
            self.prediction, self.reference, self.left_out = map(
                np.squeeze, (self.prediction, self.reference, self.left_out)
            )
            self.spacing = tuple(
                step for step, n in zip(self.spacing, reference.shape, strict=False) if n > 1
            )
        self.shape = self.reference.shape
        self.found = surfaces.Surfaces.of(
            self.prediction,
            self.reference,
            self.spacing,
            self.left_out,
            self.switches["surface"],
            self.switches["rim"],
        )

    def value(self, metric):
        """Return a number by its name."""
        if not self.prediction.any() and not self.reference.any():
            return math.nan
        if metric in {"boundary_iou", "boundary_f"}:
            if not (self.prediction.any() and self.reference.any()):
                return 0.0
            return self._iou() if metric == "boundary_iou" else self._f()
        is_share = metric.startswith("nsd")
        if not len(self.found.reference.at) or not len(self.found.prediction.at):
            return self._without_surface(is_share=is_share)
        if is_share:
            tolerance = float(metric.removeprefix("nsd_").rstrip("pxm"))
            directions = self.switches["nsd_directions"] or self.switches["directions"]
            return self.found.nsd(tolerance, directions)
        name, _, side = metric.partition("_to_")
        if name in {"assd", "masd"}:
            return getattr(self.found, name)()
        if name == "asd":
            return self.found.asd_to(side)
        rule, p = self.switches["percentile_rule"], float(name.removeprefix("hd") or 100)
        if side:
            return self.found.hd_to(side, p, rule)
        return self.found.hd(p, rule, self.switches["directions"])

    def _without_surface(self, *, is_share):
        if self.prediction.any() and self.reference.any():
            return math.nan
        if is_share:
            return 0.0
        given = self.switches["empty_distance"]
        if given == "diagonal":
            return math.hypot(*(n * step for n, step in zip(self.shape, self.spacing, strict=True)))
        return {"inf": math.inf, "skip": math.nan}.get(given) or float(given)

    def _width(self):
        given = self.switches["boundary_width"]
        if given is None:
            return None, True
        return float(given.rstrip("pxm")), given.endswith("px")

    def _iou(self):
        width, is_pixels = self._width()
        if width is None:
            width = max(1, round(0.02 * math.hypot(*self.shape)))
        both = self.prediction, self.reference
        if is_pixels and len(self.shape) == 2 and width == int(width):
            return surfaces.iou(*(surfaces.square_band(each, int(width), self.left_out) for each in both))
        spacing = (1.0,) * len(self.shape) if is_pixels else self.spacing
        return surfaces.iou(*(surfaces.round_band(each, width, spacing, self.left_out) for each in both))

    def _f(self):
        width, is_pixels = self._width()
        if width is None:
            width = math.ceil(0.008 * math.hypot(*self.shape))
        spacing = (1.0, 1.0) if is_pixels else self.spacing
        return surfaces.boundary_f(self.prediction, self.reference, width, spacing, self.left_out)


@given(pairs())
@settings(max_examples=60)
def test_brute_force(pair):
    """Every metric of every row is what all pairs of points give."""
    report = pair.scored()
    spacing = report.scored[0].spacing
    found = of_report(report, pair.metrics)
    left_out = pair.reference == IGNORED
    expected = {
        (metric, row): each.value(metric)
        for row, members in ROWS.items()
        for both in [[np.isin(each, members) for each in (pair.prediction, pair.reference)]]
        for each in [Expected(*both, left_out, spacing, pair.switches)]
        for metric in pair.metrics
    }
    assert {key: pytest.approx(value, rel=1e-12, nan_ok=True) for key, value in expected.items()} == found
    exact = [(name, row) for name, row in found if name in {"hd", "hd_to_reference", "hd_to_prediction"}]
    assert not differing({each: found[each] for each in exact}, {each: expected[each] for each in exact})


@given(pairs(ndim=3), st.integers(0, 1 << 20), st.booleans())
@settings(max_examples=20)
def test_brute_force_of_binary_layers(pair, seed, is_map):
    """Masks that overlap in one file are measured one by one; those of a label map are its regions."""
    shape = tuple(max(3, n) for n in pair.reference.shape)
    metrics = [each for each in pair.metrics if each != "boundary_f"]
    rng = np.random.default_rng(seed)
    names = ["whole", "core", "rest"]
    prediction = rng.random((3, *shape)) < 0.5
    labels = rng.integers(0, 4, shape).astype(np.uint8)
    regions = {"whole": [1, 2, 3], "core": [1, 3], "rest": [3]}
    reference = np.stack([np.isin(labels, regions[name]) for name in names])
    # A file of layers has at least one pixel in each; and some that overlap.
    for mask in (prediction, reference):
        assume(mask.any(axis=(1, 2, 3)).all())
        assume((mask.sum(axis=0) > 1).any())
    stored = [
        surfaces.image(each if each.ndim == 3 else np.moveaxis(each, 0, -1), pair.spacing)
        for each in (prediction, labels if is_map else reference)
    ]
    declared = {"labels": {"1": "a", "2": "b", "3": "c"}, "regions": regions}
    report = dicecli.score(*stored, metrics=metrics, labels=declared, name="pair", **pair.switches)
    case = next(report.cases())
    rows = {
        each.name: {re.sub("_(mm|px)$", "", name): value for name, value in each.values.items()}
        for each in case.regions
    }
    assert names == list(rows)
    none = np.zeros(shape, bool)
    for name, one, other in zip(names, prediction, reference, strict=True):
        expected = Expected(one, other, none, report.scored[0].spacing, pair.switches)
        for metric in metrics:
            assert pytest.approx(expected.value(metric), rel=1e-12, nan_ok=True) == rows[name][metric]


# --- Laws ---------------------------------------------------------------------------------------------------


def swapped(metric):
    """Return what a metric is called from the other side."""
    name, _, side = metric.partition("_to_")
    return f"{name}_to_{'prediction' if side == 'reference' else 'reference'}" if side else metric


@given(pairs())
@settings(max_examples=20)
def test_swapping_sides(pair):
    """The undirected ones stay, to the bit; a directed one is that of the other direction."""
    without = replace(pair, reference=np.where(pair.reference == IGNORED, 0, pair.reference))
    other = replace(without, prediction=without.reference, reference=without.prediction)
    found = {(swapped(metric), row): value for (metric, row), value in other.values().items()}
    assert not differing(without.values(), found)


@given(pairs(empty_distance="inf"))
@settings(max_examples=20)
def test_order_of_values(pair):
    """A smaller percentile is no larger distance, and a larger tolerance no smaller share."""
    unit = pair.tolerances[0].lstrip(".0123456789")
    tolerances = [f"{each}{unit}" for each in (0.5, 1, 1.5, 2, 4)]
    metrics = [*(f"hd{p}" for p in (5, 50, 95, 100)), "hd"]
    shares = [f"nsd_{each}" for each in tolerances]
    report = dicecli.score(
        surfaces.image(pair.prediction, pair.spacing),
        surfaces.image(pair.reference, pair.spacing),
        metrics=[*metrics, *shares],
        labels=LABELS,
        ignore_label=IGNORED,
        name="pair",
        **pair.switches,
    )
    for row in ROWS:
        distances, within = (
            [report.value(name, "pair", row) for name in names] for names in (metrics, shares)
        )
        assert math.isnan(distances[0]) or distances == sorted(distances)
        assert math.isnan(within[0]) or within == sorted(within)
        assert all(0 <= each <= 1 for each in within if not math.isnan(each))


@given(pairs(), st.data())
@settings(max_examples=20)
def test_flips(pair, data):
    """Nothing changes in a mirror, but boundary_f, whose boundary is to the right and below."""
    axes = data.draw(st.sets(st.integers(0, pair.ndim - 1), min_size=1))
    metrics = [each for each in pair.metrics if each != "boundary_f"]
    assert not differing(
        pair.values(metrics), pair.turned(lambda each: np.flip(each, tuple(axes))).values(metrics)
    )


@given(pairs(), st.data())
@settings(max_examples=20)
def test_permutations(pair, data):
    """Nothing changes where axes go by another order, and the spacing with them."""
    axes = tuple(data.draw(st.permutations(range(pair.ndim))))
    other = pair.turned(lambda each: each.transpose(axes), tuple(pair.spacing[axis] for axis in axes))
    assert not differing(pair.values(), other.values())


@given(pairs(boundary_width="1.5px", empty_distance="inf"), st.data())
@settings(max_examples=20)
def test_padding_and_cropping(pair, data):
    """Nothing changes by more background around, or less, where one pixel of it is left on each side."""
    pair = pair.turned(lambda each: np.pad(each, 1))
    width = data.draw(st.lists(st.tuples(*[st.integers(0, 3)] * 2), min_size=pair.ndim, max_size=pair.ndim))
    assert not differing(pair.values(), pair.turned(lambda each: np.pad(each, width)).values())


@given(pairs(boundary_width="2px", empty_distance="inf"))
@settings(max_examples=20)
def test_the_edge_of_the_array(pair):
    """Beyond the array is outside: a frame of background changes nothing, but the boundaries of boundary_f."""
    metrics = [each for each in pair.metrics if each != "boundary_f"]
    # A volume of one slice is an image, and one of three slices is none.
    frame = [int(pair.ndim == 2 or n > 1) for n in pair.reference.shape]
    framed = pair.turned(lambda each: np.pad(each, [(width, width) for width in frame]))
    assert not differing(pair.values(metrics), framed.values(metrics))


@given(pairs(ndim=2), st.integers(0, 2))
@settings(max_examples=20)
def test_a_volume_of_one_slice(pair, axis):
    """It is the image that the slice is, along whichever axis it lies: else every pixel would be surface."""
    assume(1 not in pair.reference.shape)
    spacing = (*pair.spacing[:axis], 5.0, *pair.spacing[axis:])
    assert not differing(
        pair.values(), pair.turned(lambda each: np.expand_dims(each, axis), spacing).values()
    )


@given(pairs(), st.integers(1, 40))
@settings(max_examples=20)
def test_windows(pair, pixels):
    """Nothing changes by the size of the windows that are read."""
    whole = pair.values()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dicecli.masks.pair.WINDOW_PIXELS", pixels)
        assert not differing(whole, pair.values())


@given(pairs(spacing="header"), st.sampled_from([-2, -1, 1, 3]))
@settings(max_examples=20)
def test_scaling_the_spacing(pair, power):
    """Distances scale with the spacing, to the bit where by a power of two; shares and bands stay."""
    pair = replace(pair, switches=pair.switches | {"boundary_width": "2px", "empty_distance": "diagonal"})
    scale = 2.0**power
    wider = tuple(f"{scale * float(each.removesuffix('mm')):g}mm" for each in pair.tolerances)
    other = replace(pair, spacing=tuple(scale * each for each in pair.spacing), tolerances=wider)
    names = dict(zip(other.metrics, pair.metrics, strict=True))
    found = {
        (names[metric], row): value / (scale if metric in {*UNDIRECTED, *DIRECTED} else 1)
        for (metric, row), value in other.values().items()
    }
    assert not differing(pair.values(), found)


@given(pairs())
@settings(max_examples=20)
def test_order_in_memory(pair):
    """Nothing changes by the order in which an array has its pixels in memory, or where between them."""
    metrics = [each for each in pair.metrics if each.endswith("px") or not each.startswith("nsd")]
    options = {
        "metrics": metrics,
        "labels": LABELS,
        "ignore_label": IGNORED,
        "name": "pair",
        **pair.switches,
        "boundary_width": "2px",
    }
    both = pair.prediction, pair.reference
    wide = [np.repeat(each, 2, axis=-1)[..., ::2] for each in both]
    orders = [both, [np.asfortranarray(each) for each in both], [both[0], np.asfortranarray(both[1])], wide]
    first, *others = (of_report(dicecli.score(*each, **options), metrics) for each in orders)
    for each in others:
        assert not differing(first, each)


# --- Files --------------------------------------------------------------------------------------------------

SPACING = (0.5, 1.25, 3.0)
SWITCHES = [
    {},
    {"surface": "corner", "percentile_rule": "step"},
    {"rim": "all", "directions": "pool", "boundary_width": "2mm"},
]


def volume():
    """Return a pair of volumes without any symmetry, that touch the edge, with ignored pixels."""
    reference = make.blobs((9, 7, 6), 3, 5)
    prediction = make.blobs((9, 7, 6), 3, 5)
    prediction[1:] = prediction[:-1].copy()
    prediction[4, 2:5, 3] = 2
    reference[6, 4:6, :2] = IGNORED
    return prediction, reference


def of_files(paths, switches, threads=1):
    """Score two files, or images, and return the values."""
    options = {"metrics": FILE_METRICS, "labels": LABELS, "ignore_label": IGNORED, **switches}
    return of_report(dicecli.score(*paths, name="pair", threads=threads, **options), FILE_METRICS)


FILE_METRICS = [*UNDIRECTED, *DIRECTED, "nsd_1.25mm", "boundary_iou"]


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_every_orientation_of_a_file(tmp_path, switches):
    """The result is the same to the bit for all 48 ways to store a volume, and for sides stored in different ways."""
    affine = np.diag([*SPACING, 1.0])
    both, first, last = volume(), None, None
    for number, (axes, flips) in enumerate(product(permutations(range(3)), product([False, True], repeat=3))):
        paths = []
        for side, voxels in enumerate(both):
            stored, placed = make.turned(voxels, affine, axes, flips)
            paths.append(make.nifti(tmp_path / f"{number}_{side}.nii", stored, affine=placed))
        found = of_files(paths, switches)
        first, last = first or found, last or paths[1]
        assert not differing(first, found)
        if number % 7 == 3:
            assert not differing(first, of_files([paths[0], last], switches))
        last = paths[1]


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_every_way_to_read_it(tmp_path, switches):
    """A file, a gzipped one, and an image in memory give the same to the bit, with however many threads."""
    affine = np.diag([*SPACING, 1.0])
    both = volume()
    images = [nibabel.Nifti1Image(each, affine) for each in both]
    first = of_files(images, switches)
    assert not differing(first, of_files(images, switches, threads=3))
    for suffix in (".nii", ".nii.gz"):
        paths = [
            make.nifti(tmp_path / f"{side}{suffix}", each, affine=affine) for side, each in enumerate(both)
        ]
        assert not differing(first, of_files(paths, switches))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dicecli.masks.pair.WINDOW_PIXELS", 90)
            assert not differing(first, of_files(paths, switches, threads=3))


def test_worker_processes(tmp_path):
    """A batch gives the same to the bit with however many processes."""
    affine = np.diag([*SPACING, 1.0])
    for side, voxels in zip(("predictions", "references"), volume(), strict=True):
        (tmp_path / side).mkdir()
        for case in ("pair", "other"):
            make.nifti(tmp_path / side / f"{case}.nii.gz", voxels, affine=affine)
    options = {"metrics": FILE_METRICS, "labels": LABELS, "ignore_label": IGNORED}
    first = of_files([tmp_path / side / "pair.nii.gz" for side in ("predictions", "references")], {})
    for jobs in (1, 2):
        report = dicecli.batch(tmp_path / "predictions", tmp_path / "references", jobs=jobs, **options)
        assert not differing(first, of_report(report, FILE_METRICS))
