"""Tensors of torch: counted where they are, exactly, in bounded memory; what is no map of labels is refused."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make import counts

import dicecli
from dicecli.errors import NotLabels, TooManyLabels, UsageError
from dicecli.plugins import load
from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics.backends import torch as backend

torch = pytest.importorskip("torch", reason="torch is not installed")


def counted(reference, prediction):
    """Count two arrays with NumPy, as lists."""
    matrix = load("backends", "numpy").count_block(reference, prediction)
    return matrix.labels, matrix.table.tolist()


def of_tensors(reference, prediction):
    """Count two tensors with torch, on the processor, and by what counts arrays; as lists."""
    matrix = backend.count_block(reference, prediction)
    assert matrix == ConfusionMatrix.from_arrays(prediction=prediction, reference=reference)
    return matrix.labels, matrix.table.tolist()


@st.composite
def masks(draw):
    """Draw two masks of one length: runs and noise, some labels, a type, and where in its memory each begins."""
    seed, length = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 4000))
    labels = draw(st.sampled_from([[0], [0, 1], [3, 4], range(20), range(200), [0, 255], [7, 60_000, 9]]))
    run = draw(st.sampled_from([1, 8, 60, 500]))
    random = np.random.default_rng(seed)
    made = []
    for _ in range(2):
        values = np.repeat(random.choice(np.array(labels), length), run)[:length]
        values[: length // 2] = 0 if draw(st.booleans()) else values[: length // 2]
        dtype = draw(st.sampled_from(["uint8", "int16", "uint16", "int32", "int64"]))
        dtype = "int32" if max(labels) > 255 and dtype in {"uint8", "int16"} else dtype
        made.append((values.astype(dtype), draw(st.integers(0, 9))))
    return made


@given(masks())
@settings(max_examples=150)
def test_words_and_pixels_are_the_same_counts(pair):
    """Runs, background, noise, and masks that begin anywhere in memory are counted as NumPy counts them."""
    tensors = []
    for values, start in pair:
        whole = torch.from_numpy(np.concatenate([np.zeros(start, values.dtype), values]))
        tensors.append(whole[start:])
    assert counted(pair[0][0], pair[1][0]) == of_tensors(*tensors)


@pytest.mark.parametrize("piece", [64, 1000, 4096])
def test_pieces_of_any_size_add_up(monkeypatch, piece):
    """However small the pieces and however tensors lie in memory, the sum over the pieces is the same."""
    monkeypatch.setattr(backend, "PIECE", piece)
    random = np.random.default_rng(5)
    first = random.integers(0, 5, (7, 12, 33), dtype=np.uint8)
    second = np.where(random.random(first.shape) < 0.2, 1, first).astype(np.int32)
    one, other = torch.from_numpy(first), torch.from_numpy(second)
    expected = counted(first, second)
    assert expected == of_tensors(one, other)
    assert expected == of_tensors(one.permute(2, 0, 1), other.permute(2, 0, 1))
    assert expected == of_tensors(one.permute(2, 0, 1).contiguous(), other.permute(2, 0, 1))
    assert counted(first[::2, 1::3], second[::2, 1::3]) == of_tensors(one[::2, 1::3], other[::2, 1::3])
    assert counted(*np.broadcast_arrays(first[:1], second)) == of_tensors(one[:1].expand(7, 12, 33), other)


def test_pieces_that_are_copied_are_small(monkeypatch):
    """Tensors that lie differently in memory are made flat piece by piece, never whole."""
    monkeypatch.setattr(backend, "PIECE", 1000)
    one = torch.zeros((40, 50, 30), dtype=torch.uint8)
    pieces = list(backend._pieces(one, one.permute(2, 1, 0).reshape(30, 50, 40).permute(2, 1, 0), 1000))
    assert sum(first.numel() for first, _ in pieces) == one.numel()
    assert max(first.numel() for first, _ in pieces) <= 1000


def test_deterministic_algorithms_are_enough():
    """Counting needs nothing that torch refuses where only deterministic algorithms are allowed."""
    random = np.random.default_rng(6)
    pairs = [np.repeat(random.integers(0, top, (2, 600)), 9, axis=1) for top in (3, 40, 900)]
    torch.use_deterministic_algorithms(True)
    try:
        found = [of_tensors(torch.from_numpy(first), torch.from_numpy(second)) for first, second in pairs]
    finally:
        torch.use_deterministic_algorithms(False)
    assert [counted(*pair) for pair in pairs] == found


def test_images_are_refused_before_a_table_is_made():
    """Where every pixel is a label of its own, that is said: no table of all pairs is tried for."""
    image = torch.arange(3_000_000, dtype=torch.int32)
    for pair in ((image, image * 700), (image * 700, image), (image, image)):
        with pytest.raises(TooManyLabels):
            backend.count_block(*pair)


def strange_tensors():
    """Make tensors that hold no labels that could be counted as they lie, by what is said of them."""
    from torch._subclasses import FakeTensorMode

    whole = torch.eye(3, dtype=torch.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = {
            "layout torch.sparse_coo": whole.to_sparse(),
            "layout torch.sparse_csr": whole.to_sparse_csr(),
            "quantised": torch.quantize_per_tensor(torch.ones(3, 3), 1.0, 0, torch.quint8),
            "without values": torch.zeros((3, 3), dtype=torch.uint8, device="meta"),
            "nested": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        }
    with FakeTensorMode():
        made["a fake one"] = torch.zeros((3, 3), dtype=torch.uint8)
    return made


@pytest.mark.parametrize("side", ["reference", "prediction"])
@pytest.mark.parametrize("said", strange_tensors())
def test_tensors_that_are_no_plain_map_are_refused(said, side):
    """Sparse, quantised, nested, meta and fake tensors are an error that says what they are, on either side."""
    pair = dict.fromkeys(("reference", "prediction"), torch.eye(3, dtype=torch.int64))
    pair[side] = strange_tensors()[said]
    with pytest.raises(NotLabels, match=said):
        ConfusionMatrix.from_arrays(**pair)
    with pytest.raises(NotLabels, match=f"{side}.*{said}"):
        dicecli.score(**pair)


def test_a_map_of_floats_is_scored_as_an_array_is():
    """Whole numbers in floats, thresholds, and a masked array beside a tensor mean what they mean in arrays."""
    labels = np.array([[0, 1, 2], [2, 1, 0]])
    whole = torch.tensor(labels.tolist(), dtype=torch.bfloat16)
    integers = torch.from_numpy(labels)
    expected = counts(dicecli.score(labels, labels).scored[0])
    assert expected == counts(dicecli.score(whole, integers).scored[0])
    report = dicecli.score(integers, whole)
    assert expected == counts(report.scored[0])
    (run,) = report.origin.runs
    assert (run.prediction, run.reference) == ("tensor 2 x 3 int64 on cpu", "tensor 2 x 3 bfloat16 on cpu")
    probable = torch.tensor([[0.2, 0.5, 0.7], [0.7, 0.1, 0.6]], requires_grad=True)
    reference = (labels > 0).astype(np.uint8)
    by_array = counts(dicecli.score(probable.detach().numpy(), reference, threshold=0.5).scored[0])
    assert by_array == counts(dicecli.score(probable, torch.from_numpy(reference), threshold=0.5).scored[0])
    masked = np.ma.masked_equal(labels, 2)
    by_array = counts(dicecli.score(labels, masked).scored[0])
    assert by_array == counts(dicecli.score(integers, masked).scored[0])


def test_tensors_in_the_memory_of_the_host_are_not_copied():
    """A tensor that lies where arrays do is counted as the array that it is, whatever its layout or type."""
    from dicecli.masks.tensors import on_host

    for dtype in ("bool", "uint8", "int16", "uint16", "uint32", "int64", "uint64"):
        tensor = torch.zeros((4, 6), dtype=getattr(torch, dtype)).T
        assert on_host(tensor).__array_interface__["data"][0] == tensor.data_ptr()
        assert dtype == on_host(tensor).dtype.name


def test_lists_without_a_pixel_beside_a_tensor():
    """An empty list is as good as an empty tensor."""
    empty = torch.zeros(0, dtype=torch.int16)
    assert ((), []) == of_tensors(empty, [])
    assert ((), []) == of_tensors([], empty)


def test_a_device_that_loses_pixels_is_found_out(monkeypatch):
    """Counts that do not add up to the pixels are never a result."""
    monkeypatch.setattr(backend, "_pieces", lambda first, second, _: [(first[1:], second[1:])])
    with pytest.raises(RuntimeError, match="2 of 3 pixels"):
        of_tensors(*[torch.ones(3, dtype=torch.uint8)] * 2)


@pytest.mark.skipif(
    torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU here"
)
def test_the_processor_counts_where_there_is_no_gpu():
    """Without a GPU, auto and a device by name fall back to the processor, each with a note that says so."""
    assert (None, "there is no GPU here: counted on the processor") == backend.device("auto")
    assert (None, "there is no mps device here: counted on the processor") == backend.device("mps")


def test_without_torch_auto_falls_back_and_a_name_is_an_error():
    """Where torch is not installed, auto counts on the processor with a note; cuda says what to install."""
    code = """
import sys
sys.modules["torch"] = None
from dicecli.statistics.backends import torch as backend
from dicecli.errors import UsageError
print(backend.device("auto"))
try:
    backend.device("cuda")
except UsageError as error:
    print(error.hint)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert "(None, 'torch is not installed" in done.stdout
    assert "pip install 'dicecli[torch]'" in done.stdout
    with pytest.raises(UsageError):
        dicecli.score([0], [0], device="tpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_tensors_on_a_gpu():
    """On a GPU, and one there against one on the host: the same integers, beyond 2^24 too."""
    random = np.random.default_rng(8)
    first = np.repeat(random.integers(0, 5, 4_000_000, dtype=np.uint8), 5)
    second = np.where(random.random(first.size) < 0.01, 1, first).astype(np.uint8)
    expected = counted(first, second)
    one, other = torch.from_numpy(first), torch.from_numpy(second)
    for pair in ((one.cuda(), other.cuda()), (one, other.cuda()), (one.cuda(), other)):
        assert expected == of_tensors(*pair)
