"""What every backend promises; a new one is held to it by being in the folder."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

import dicecli
from dicecli.errors import NotLabels, ShapeMismatch, TooManyLabels
from dicecli.plugins import load, own
from dicecli.statistics._confusion import ConfusionMatrix

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]


@pytest.fixture(params=own("backends"))
def backend(request):
    """Load each backend of the folder."""
    if request.param == "torch":
        pytest.importorskip("torch", reason="torch is not installed")
    if request.param == "native" and not load("backends", "native").is_available():
        pytest.skip("the C extension was not built")
    return load("backends", request.param)


@pytest.fixture
def torch():
    """Import torch, where it is installed."""
    return pytest.importorskip("torch", reason="torch is not installed")


def brute(reference, prediction):
    """Count the pairs of labels one by one."""
    return dict(Counter(zip(np.ravel(reference).tolist(), np.ravel(prediction).tolist(), strict=True)))


def cells(matrix):
    """Read a matrix as a mapping: how often each pair (reference, prediction) occurs."""
    numbers = zip(itertools.product(matrix.labels, matrix.labels), matrix.table.ravel().tolist(), strict=True)
    return {pair: n for pair, n in numbers if n}


def masks(seed, shape, labels):
    """Make a reference and a prediction of some labels from a seed."""
    numbers = np.random.default_rng(seed)
    return tuple(numbers.choice(np.array(labels), shape) for _ in range(2))


def check(backend, reference, prediction):
    """Hold a backend's matrix to the loop's, and to the form that every matrix has."""
    matrix = backend.count_block(reference, prediction)
    expected = brute(reference, prediction)
    assert expected == cells(matrix)
    assert tuple(sorted({label for pair in expected for label in pair})) == matrix.labels
    assert {int} == {type(label) for label in matrix.labels}
    assert isinstance(matrix.table, np.ndarray)
    assert np.dtype(np.int64) == matrix.table.dtype


# --- The same matrix as a loop ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtypes", list(itertools.product(INTEGERS, repeat=2)), ids="-".join)
def test_every_width(backend, dtypes):
    """Integers of every width, mixed, are counted as a loop counts them."""
    reference, prediction = masks(1, (7, 9), [0, 1, 2, 5, 100])
    check(backend, reference.astype(dtypes[0]), prediction.astype(dtypes[1]))


@pytest.mark.parametrize("dtype", [*INTEGERS, "bool"])
def test_one_label_on_either_side(backend, dtype):
    """A mask of one label against one of several is counted alike from both sides."""
    constant, other = np.ones((5, 6), dtype), masks(2, (5, 6), [0, 1])[0].astype(dtype)
    check(backend, constant, other)
    check(backend, other, constant)
    check(backend, constant, constant)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_the_ends_of_every_width(backend, dtype):
    """The smallest and the largest value of a width are labels like others, up to 63 bits."""
    info = np.iinfo(dtype)
    ends = [max(info.min, -(2**63) + 1), 0, 1, min(info.max, 2**63 - 1)]
    reference, prediction = (mask.astype(dtype) for mask in masks(3, (40,), ends))
    check(backend, reference, prediction)
    check(backend, reference[:1], prediction[:1])


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1],
        [0, 255],
        [-1, 0, 256],
        [300, 555],
        [300, 556],
        list(range(-200, 200)),
        [0, 2**17 - 1],
        [-5, 2**17 - 5],
        [2**31, 2**31 + 1, 2**40, -(2**40)],
        [-(2**62), 2**62 + 5],
    ],
    ids=lambda labels: f"{labels[0]} to {labels[-1]}",
)
def test_every_spread(backend, labels):
    """Labels close together, far apart, negative and wide are told apart."""
    check(backend, *masks(4, (30, 20), labels))
    check(backend, masks(4, (30, 20), labels)[0], masks(5, (30, 20), [0, 3, 2**33])[0])


def layouts(array):
    """Lay the same pixels out in memory in several ways, by name."""
    spaced = np.full([2 * n for n in array.shape], 77, array.dtype)
    spaced[::2, ::2] = array
    frozen = array.copy()
    frozen.flags.writeable = False
    return {
        "C": np.ascontiguousarray(array),
        "Fortran": np.asfortranarray(array),
        "strided": spaced[::2, ::2],
        "reversed": array[::-1, ::-1].copy()[::-1, ::-1],
        "one axis reversed": array[:, ::-1].copy()[:, ::-1],
        "big-endian": array.astype(array.dtype.newbyteorder(">")),
        "read-only": frozen,
    }


@pytest.mark.parametrize("dtype", INTEGERS)
def test_every_layout(backend, dtype):
    """However the same pixels lie in memory, on either side, the matrix is the same."""
    reference, prediction = (mask.astype(dtype) for mask in masks(6, (5, 8), [0, 1, 2, 9]))
    expected = brute(reference, prediction)
    for first, second in itertools.product(layouts(reference).values(), layouts(prediction).values()):
        assert expected == cells(backend.count_block(first, second))


def test_repeated_pixels(backend):
    """Arrays that repeat one pixel or row without memory of their own are counted in full."""
    row = np.array([0, 1, 2])
    check(backend, np.broadcast_to(row, (4, 3)), np.broadcast_to(np.array(1), (4, 3)))


@pytest.mark.parametrize("shape", [(1,), (2, 3, 4), (2, 1, 3, 2), (1, 2, 1, 2, 3)], ids=len)
def test_every_number_of_axes(backend, shape):
    """One axis or five."""
    check(backend, *masks(7, shape, [0, 1, 2]))


@pytest.mark.parametrize("dtypes", [("bool", "bool"), ("bool", "uint8"), ("int64", "bool")], ids="-".join)
def test_booleans(backend, dtypes):
    """Booleans are the labels 0 and 1."""
    reference, prediction = (
        mask.astype(dtype) for mask, dtype in zip(masks(8, (50,), [0, 1]), dtypes, strict=True)
    )
    matrix = backend.count_block(reference, prediction)
    assert (0, 1) == matrix.labels
    assert brute(reference.astype(int), prediction.astype(int)) == cells(matrix)


@pytest.mark.parametrize("shape", [(0,), (0, 4), (3, 0, 2)], ids=str)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "uint64"])
def test_no_pixel(backend, shape, dtype):
    """Arrays without a pixel give the empty matrix."""
    matrix = backend.count_block(np.zeros(shape, dtype), np.zeros(shape, dtype))
    assert () == matrix.labels
    assert (0, 0) == matrix.table.shape


def test_one_pixel_without_axes(backend):
    """An array without axes is one pixel."""
    assert {(3, 5): 1} == cells(backend.count_block(np.array(3), np.array(5, np.uint8)))


def test_plain_lists(backend):
    """Whatever NumPy takes for an array of integers is taken."""
    assert {(0, 1): 1, (1, 1): 2, (-1, 0): 1} == cells(
        backend.count_block([[0, 1], [1, -1]], [[1, 1], [1, 0]])
    )


def changing_labels():
    """Make a long pair whose labels change on the way: few, many, negative, wide, and few again."""
    numbers = np.random.default_rng(9)
    part = 50_000
    parts = [[numbers.integers(0, top, part) for _ in range(2)] for top in (2, 300, 3)]
    parts += [[numbers.integers(-4, 1, part), numbers.choice([0, 2**40, -(2**40)], part)]]
    parts += [[np.full(part, 2), np.full(part, 3)], [numbers.integers(0, 2, part) for _ in range(2)]]
    return tuple(np.concatenate(side) for side in zip(*parts, strict=True))


def test_labels_that_change_on_the_way(backend):
    """A long array whose labels change from one stretch to the next is counted as a loop counts it."""
    check(backend, *changing_labels())


def test_many_labels_on_both_sides(backend):
    """Eleven hundred labels on each side of a long array, so that most pairs meet rarely or never."""
    check(backend, *masks(10, (300, 500), range(0, 9900, 9)))


# --- What is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shapes",
    [((3, 4), (4, 3)), ((3, 4), (12,)), ((3, 4), (1, 4)), ((3, 1), (3,)), ((0,), (1,)), ((2, 0), (0, 2))],
    ids=str,
)
def test_shapes_must_be_equal(backend, shapes):
    """Shapes that differ are an error that names both; nothing is broadcast or flattened."""
    reference, prediction = (np.ones(shape, np.uint8) for shape in shapes)
    with pytest.raises(ShapeMismatch) as caught:
        backend.count_block(reference, prediction)
    assert f"prediction {shapes[1]}, reference {shapes[0]}" in caught.value.message


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "complex64", "datetime64[s]", "U1", "object"]
)
@pytest.mark.parametrize("side", ["reference", "prediction"])
def test_only_integers_are_labels(backend, dtype, side):
    """Floats, even whole ones, and whatever else is no integer are refused on either side."""
    pair = {"reference": np.zeros(3, np.uint8), "prediction": np.zeros(3, np.uint8)}
    pair[side] = np.zeros(3, dtype)
    with pytest.raises(NotLabels):
        backend.count_block(**pair)


@pytest.mark.parametrize("values", [[2**63], [2**64 - 1, 2**64 - 1], [0, 2**63 + 5, 1]], ids=len)
@pytest.mark.parametrize("side", ["reference", "prediction"])
def test_labels_beyond_63_bits_are_refused(backend, values, side):
    """A label that the matrix cannot hold is an error, and never another label."""
    pair = {"reference": np.zeros(len(values), np.uint64), "prediction": np.zeros(len(values), np.uint64)}
    pair[side] = np.array(values, np.uint64)
    with pytest.raises(NotLabels):
        backend.count_block(**pair)


def test_too_many_labels(backend):
    """More than 4,096 labels are an error."""
    with pytest.raises(TooManyLabels):
        backend.count_block(np.arange(4097), np.zeros(4097, np.uint8))


def test_masks_are_left_as_they_are(backend):
    """Counting writes to neither mask."""
    reference, prediction = masks(11, (6, 6), [0, 1, 300])
    copies = reference.copy(), prediction.copy()
    backend.count_block(reference, prediction)
    assert [each.tolist() for each in copies] == [reference.tolist(), prediction.tolist()]


def test_a_backend_says_what_it_is(backend):
    """A line says what counts, beginning with the backend's name."""
    line = backend.describe()
    assert line.startswith(backend.__name__.rpartition(".")[2])
    assert "\n" not in line


# --- All of them --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in own("backends") if name != "numpy"])
def test_backends_agree(name):
    """Backends agree bit for bit, in labels and in table."""
    if name == "torch":
        pytest.importorskip("torch", reason="torch is not installed")
    if name == "native" and not load("backends", "native").is_available():
        pytest.skip("the C extension was not built")
    pairs = [
        changing_labels(),
        masks(12, (40, 30), [0, 1, 2]),
        masks(13, (9, 8, 7), range(300, 700)),
        masks(14, (50,), [-(2**40), -1, 2**31]),
    ]
    for reference, prediction in pairs:
        first, second = (
            load("backends", each).count_block(reference, prediction) for each in ("numpy", name)
        )
        assert first.labels == second.labels
        assert first.table.dtype == second.table.dtype
        assert first.table.tolist() == second.table.tolist()


@pytest.mark.parametrize("kind", ["array", "tensor"])
@pytest.mark.parametrize("side", ["reference", "prediction"])
def test_nan_cast_to_integers_is_refused(kind, side):
    """What NaN becomes when it is cast to integers is no label, in an array nor in a tensor."""
    pair = {"reference": np.array([0, 1]), "prediction": np.array([0, 1])}
    pair[side] = np.array([-(2**63), 1])
    if kind == "tensor":
        torch = pytest.importorskip("torch", reason="torch is not installed")
        pair = {name: torch.from_numpy(mask) for name, mask in pair.items()}
    with pytest.raises(NotLabels, match="9223372036854775808"):
        ConfusionMatrix.from_arrays(**pair)
    with pytest.raises(NotLabels, match="9223372036854775808"):
        dicecli.score(**pair)


# --- Tensors ------------------------------------------------------------------------------------------------

TENSORS = ["bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]
EXPECTED = {(0, 0): 1, (0, 1): 1, (1, 1): 2, (1, 0): 2}
REFERENCE, PREDICTION = np.array([[0, 0, 1], [1, 1, 1]]), np.array([[0, 1, 1], [1, 0, 0]])


@pytest.mark.parametrize("dtype", TENSORS)
def test_tensors(torch, dtype):
    """Tensors of every integer type and booleans are counted."""
    reference, prediction = (
        torch.tensor(mask.tolist()).to(getattr(torch, dtype)) for mask in (REFERENCE, PREDICTION)
    )
    matrix = ConfusionMatrix.from_arrays(prediction=prediction, reference=reference)
    assert (0, 1) == matrix.labels
    assert EXPECTED == cells(matrix)


@pytest.mark.parametrize("dtype", TENSORS)
def test_tensors_mixed_with_arrays(torch, dtype):
    """A tensor on one side and an array or a list on the other are counted."""
    tensors = [torch.tensor(mask.tolist()).to(getattr(torch, dtype)) for mask in (REFERENCE, PREDICTION)]
    for other in (PREDICTION.astype(dtype), PREDICTION.tolist(), PREDICTION[:, ::-1].copy()[:, ::-1]):
        assert EXPECTED == cells(ConfusionMatrix.from_arrays(prediction=other, reference=tensors[0]))
    for other in (REFERENCE.astype(dtype), REFERENCE.tolist(), np.asfortranarray(REFERENCE)):
        assert EXPECTED == cells(ConfusionMatrix.from_arrays(prediction=tensors[1], reference=other))


def test_tensors_in_any_layout(torch):
    """Transposed, strided and expanded tensors are counted as they look."""
    reference = torch.arange(24).reshape(4, 6)
    other = torch.arange(24).reshape(6, 4)
    pairs = [
        (reference.T, other),
        (reference[::2, 1::2], other[::2, :3][:2]),
        (torch.tensor([[1], [2]]).expand(2, 3), reference[:2, :3]),
    ]
    for first, second in pairs:
        matrix = ConfusionMatrix.from_arrays(prediction=second, reference=first)
        assert brute(first.numpy(), second.numpy()) == cells(matrix)


def test_tensors_are_scored(torch):
    """A pair of tensors, or of a tensor and an array, gets the report that the arrays get."""
    first, second = (torch.from_numpy(mask) for mask in (REFERENCE, PREDICTION))
    expected = dicecli.score(PREDICTION, REFERENCE).scored[0]
    for prediction, reference in ((second, first), (PREDICTION, first), (second, REFERENCE)):
        actual = dicecli.score(prediction, reference).scored[0]
        assert expected.measured == actual.measured
        assert expected.counted == actual.counted
        assert expected.shape == actual.shape


def test_tensors_are_ignored_where_the_reference_says(torch):
    """An ignored label is left out of tensors as of arrays."""
    reference, prediction = torch.tensor([0, 1, 255, 1]), torch.tensor([0, 1, 1, 255])
    matrix = ConfusionMatrix.from_arrays(prediction=prediction, reference=reference, ignore_label=255)
    assert 3 == matrix.total
    assert 1 == matrix.unlabelled
    assert (1, 0, 1, 1) == tuple(matrix.counts(1))


def test_tensors_of_floats_are_refused(torch):
    """A tensor of scores is not a tensor of labels."""
    with pytest.raises(NotLabels):
        ConfusionMatrix.from_arrays(prediction=torch.zeros(3), reference=torch.zeros(3, dtype=torch.int64))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_tensors_of_fractions_are_refused_by_score(torch, dtype):
    """Probabilities without a threshold are an error of the mask, in every floating type."""
    with pytest.raises(NotLabels):
        dicecli.score(torch.tensor([0.25, 0.75]).to(getattr(torch, dtype)), np.array([0, 1]))


def test_tensors_beyond_63_bits_are_refused(torch):
    """A label that the matrix cannot hold is an error in a tensor, too."""
    wide = torch.from_numpy(np.array([0, 2**63 + 5], np.uint64))
    with pytest.raises(NotLabels):
        ConfusionMatrix.from_arrays(prediction=wide, reference=wide)


def test_tensors_of_other_shapes_are_refused(torch):
    """Tensors are not broadcast either, in counting as in scoring."""
    reference, prediction = torch.zeros((2, 3), dtype=torch.int64), torch.zeros((1, 3), dtype=torch.int64)
    with pytest.raises(ShapeMismatch):
        ConfusionMatrix.from_arrays(prediction=prediction, reference=reference)
    with pytest.raises(ShapeMismatch):
        dicecli.score(prediction, reference)


def test_tensors_without_axes_and_without_pixels(torch):
    """A tensor without axes is one pixel, and one without pixels gives the empty matrix."""
    one = ConfusionMatrix.from_arrays(prediction=torch.tensor(4), reference=torch.tensor(2))
    assert {(2, 4): 1} == cells(one)
    none = torch.zeros((0, 3), dtype=torch.uint8)
    assert () == ConfusionMatrix.from_arrays(prediction=none, reference=none).labels
