"""What every format promises: parametrised by the folder's listing, so that a new format inherits all of it.

A format that is added must be writable here: one line in `WRITERS` per plugin.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import shutil
import sys
from pathlib import Path

import decoders
import make
import numpy as np
import oracle
import pytest
import watch

from dicecli.errors import CaseError, EmptyFile, Missing, NotARegularFile, TooLarge, UnknownFormat
from dicecli.masks.blocks import plan
from dicecli.masks.opening import open_mask
from dicecli.masks.reading import Reading
from dicecli.plugins import load, own
from dicecli.runs.scoring import make_settings

LABELS = make.blobs((13, 17))


def array(path, labels):
    """Write a NumPy array as it is."""
    np.save(path, labels)
    # numpy appends its own suffix to a path that has another one.
    written = Path(f"{path}.npy")
    return written.rename(path) if written.exists() else path


#: How a mask of each plugin is written, whatever its suffix.
WRITERS = {
    "png": make.png,
    "nifti": make.nifti,
    "geotiff": make.geotiff,
    "npy": array,
}
EVERY = [(name, suffix) for name in own("formats") for suffix in load("formats", name).SUFFIXES]
#: Those that hold masks, and those that hold probabilities; a format may do both.
FORMATS = [each for each in EVERY if hasattr(load("formats", each[0]), "open_mask")]
MASKS = list(dict.fromkeys(name for name, _ in FORMATS))
SOFT = [each for each in EVERY if hasattr(load("formats", each[0]), "open_probabilities")]
each_soft = pytest.mark.parametrize(("name", "suffix"), SOFT, ids=[suffix for _, suffix in SOFT])
each_format = pytest.mark.parametrize(("name", "suffix"), FORMATS, ids=[suffix for _, suffix in FORMATS])


def written(folder, name, suffix, labels=LABELS, stem="mask"):
    """Write labels as a mask of a plugin under one of its suffixes."""
    assert name in WRITERS, f"the format '{name}' needs a line in WRITERS, to be held to the contract"
    return WRITERS[name](folder / f"{stem}{suffix}", labels)


def files_of(path):
    """Return the files that a mask is made of."""
    return sorted(each for each in path.parent.iterdir() if each.name.startswith(path.name.split(".")[0]))


def reads(path):
    """Read a mask to its end; return its labels, or the error that it ends in."""
    try:
        return make.read(path)
    except CaseError as error:
        return error


@pytest.mark.parametrize("name", own("formats"))
def test_a_format_is_a_module_with_two_words(name):
    """A format names its suffixes, in lower case with a dot, which no other format has; and opens masks, or
    probabilities, or both.
    """
    module = load("formats", name)
    assert module.SUFFIXES
    assert all(each == each.lower() and each.startswith(".") for each in module.SUFFIXES)
    taken = [
        suffix for other in own("formats") if other != name for suffix in load("formats", other).SUFFIXES
    ]
    assert not set(module.SUFFIXES) & set(taken)
    opening = [getattr(module, word, None) for word in ("open_mask", "open_probabilities")]
    assert any(opening)
    assert all("Raises" in each.__doc__ for each in opening if each is not None)


@each_format
def test_labels_come_back(tmp_path, name, suffix):
    """The labels are those that were written, in integers; what the header says fits them."""
    path = written(tmp_path, name, suffix)
    with open_mask(str(path)) as source:
        assert (LABELS.shape, len(LABELS.shape)) == (source.shape, len(source.chunks))
        assert all(step >= 1 for step in source.chunks)
        assert source.order in {"C", "F"}
        assert source.grid.shape == source.shape
        assert str(path) == source.path
        assert source.facts["format"]
    found = make.read(path)
    assert found.dtype.kind in "iu"
    assert LABELS.tolist() == found.tolist()


@each_format
def test_windows_in_any_order(tmp_path, name, suffix):
    """Windows of any size, forwards, backwards, crosswise and twice, are those parts of the mask."""
    path = written(tmp_path, name, suffix)
    rows = [slice(at, min(at + 5, 13)) for at in range(0, 13, 5)]
    columns = [slice(at, min(at + 7, 17)) for at in range(0, 17, 7)]
    windows = list(itertools.product(rows, columns))
    random.Random(7).shuffle(windows)  # noqa: S311 - it must be repeatable, not secret
    for order in (windows, windows[::-1], sorted(windows, key=str), [windows[0]] * 2):
        with open_mask(str(path)) as source:
            for window in order:
                assert LABELS[window].tolist() == source.read(window).tolist()
            source.finish()


@each_format
def test_blocks_are_the_readers_own(tmp_path, name, suffix):
    """What a block is changed to does not change what is read next."""
    path = written(tmp_path, name, suffix)
    whole = (slice(0, 13), slice(0, 17))
    with open_mask(str(path)) as source:
        block = source.read(whole)
        if block.flags.writeable:
            block[...] = 9
            with open_mask(str(path)) as again:
                assert LABELS.tolist() == again.read(whole).tolist()


@each_format
def test_a_mask_that_is_not_read_is_checked_all_the_same(tmp_path, name, suffix):
    """finish() without any window holds what only the end of a file shows, and passes for a sound one."""
    path = written(tmp_path, name, suffix)
    with open_mask(str(path)) as source:
        source.finish()


@each_format
def test_what_is_no_mask(tmp_path, name, suffix):
    """Nothing there, 0 bytes, a folder, text, and another format's bytes are refused, each by its own name."""
    path = written(tmp_path, name, suffix)
    is_bare = suffix.startswith(".img")  # voxels alone: any bytes can be some
    for change, kind in (
        (lambda each: each.write_bytes(b""), EmptyFile),
        (lambda each: each.write_bytes(b"a text, no mask\n" * 40), CaseError if is_bare else UnknownFormat),
        (lambda each: each.unlink(), Missing),
        (lambda each: each.mkdir(), NotARegularFile),
    ):
        change(path)
        with pytest.raises(kind) as caught:
            open_mask(str(path))
        assert caught.value.hint
        assert str(path) in str(caught.value)
    path.rmdir()
    for other in MASKS:
        if other != name:
            shutil.copy(written(tmp_path, other, load("formats", other).SUFFIXES[0], stem="other"), path)
            with pytest.raises(CaseError if is_bare else UnknownFormat):
                open_mask(str(path))


@each_format
def test_a_cut_anywhere_gives_no_number(tmp_path, name, suffix):
    """A mask that is cut off at any of 60 places, its very last byte among them, is a CaseError."""
    path = written(tmp_path, name, suffix)
    for part in files_of(path):
        content = part.read_bytes()
        places = {len(content) - 1, *(len(content) * n // 60 for n in range(60))}
        for length in sorted(places):
            part.write_bytes(content[:length])
            assert isinstance(reads(path), CaseError), (part.name, length)
        part.write_bytes(content)


@each_format
def test_a_changed_byte_anywhere_is_an_error_or_a_number(tmp_path, name, suffix):
    """A mask with any byte changed is a CaseError that says what to do, or labels; never another exception."""
    path = written(tmp_path, name, suffix)
    rng = random.Random(suffix)  # noqa: S311 - as above
    for part in files_of(path):
        content = part.read_bytes()
        for _ in range(120):
            data = bytearray(content)
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            part.write_bytes(data)
            found = reads(path)
            assert isinstance(found, np.ndarray) or (found.hint and found.message)
        part.write_bytes(content)


@each_format
@pytest.mark.parametrize("digits", ["0", "9" * 13, "9" * 5000, "-1"], ids=["none", "many", "no end", "less"])
def test_sizes_that_are_written_in_digits(tmp_path, name, suffix, digits):
    """Any number that a file writes in digits may be 0, negative, huge or endless: a CaseError or labels, and soon."""
    path = written(tmp_path, name, suffix)
    for part in files_of(path):
        content = part.read_bytes()
        for match in itertools.islice(re.finditer(rb"[0-9]+", content), 40):
            part.write_bytes(content[: match.start()] + digits.encode() + content[match.end() :])
            found = reads(path)
            assert isinstance(found, CaseError) or 0 < found.size <= 10**6
        part.write_bytes(content)


@each_format
def test_limits_are_held(tmp_path, name, suffix):
    """A mask of more pixels than --max-pixels is TooLarge; of as many it is read."""
    path = str(written(tmp_path, name, suffix))
    with pytest.raises(TooLarge, match="220 are allowed"):
        open_mask(path, make_settings(max_pixels=220))
    open_mask(path, make_settings(max_pixels=221)).close()


@each_format
def test_nothing_else_is_opened(tmp_path, name, suffix):
    """Reading a mask opens its own files, writes nothing, and calls nobody; files beside it stay closed."""
    path = written(tmp_path, name, suffix)
    allowed = [each.name for each in files_of(path)]
    for end in (".aux.xml", ".msk", ".ovr", ".json", ".txt", ".hdr.bak"):
        (tmp_path / f"{path.name}{end}").write_bytes(b"beside")
    make.read(path)
    with watch.Watch(tmp_path) as seen:
        seen.clear()
        make.read(path)
        assert [] == seen.strange(*allowed)


#: What a file may say so that a reader opens another one: by the name of a way, what stands in the file.
NAMING = {
    "a virtual raster": '<VRTDataset rasterXSize="17" rasterYSize="13"><VRTRasterBand dataType="Byte" band="1">'
    '<SimpleSource><SourceFilename relativeToVRT="0">{path}</SourceFilename></SimpleSource></VRTRasterBand>'
    "</VRTDataset>",
    "a virtual raster beside it": '<VRTDataset rasterXSize="17" rasterYSize="13"><VRTRasterBand dataType="Byte" '
    'band="1"><SimpleSource><SourceFilename relativeToVRT="1">{name}</SourceFilename></SimpleSource>'
    "</VRTRasterBand></VRTDataset>",
    "a service": '<GDAL_WMS><Service name="TMS"><ServerUrl>file://{path}</ServerUrl></Service></GDAL_WMS>',
    "an MRF": '<MRF_META><CachedSource><Source>{path}</Source></CachedSource><Raster><Size x="17" y="13"/>'
    "</Raster></MRF_META>",
    "a name of a part": "GTIFF_DIR:1:{path}",
    "an archive": "/vsizip/{path}/mask.tif",
    "an NRRD": "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 17 13\nencoding: raw\ndata file: {name}\n",
    "a MetaImage": "ObjectType = Image\nNDims = 2\nDimSize = 17 13\nElementType = MET_UCHAR\n"
    "ElementDataFile = {name}\n",
    "an ENVI header": "ENVI\nsamples = 17\nlines = 13\nbands = 1\ndata type = 1\ndata file = {name}\n",
    "a path": "{path}",
    "a list of files": "{path}\n{path}\n",
}


def opened_by(folder, path, open_it):
    """Return what a reader does beyond opening the files of one mask, where another one lies in the folder."""
    allowed = [each.name for each in files_of(path)]
    with watch.Watch(folder) as seen:
        seen.clear()
        open_it(path)
        return seen.strange(*allowed)


@pytest.mark.parametrize("way", NAMING)
@pytest.mark.parametrize(("name", "suffix"), EVERY, ids=[suffix for _, suffix in EVERY])
def test_a_file_that_is_named_is_not_opened(tmp_path, name, suffix, way):
    """Whatever a file says, in its whole or at its end, no other file is opened because of it."""
    other = written(tmp_path, name, suffix, stem="other")
    text = NAMING[way].format(path=other, name=other.name).encode()
    path = written(tmp_path, name, suffix)
    content = path.read_bytes()
    for data in (text, content + text, content[:12] + text, text + content):
        path.write_bytes(data)
        for is_kind, open_it in ((FORMATS, reads), (SOFT, lambda each: probabilities(name, each))):
            if (name, suffix) in is_kind:
                assert [] == opened_by(tmp_path, path, open_it), data[:40]


@pytest.mark.skipif(sys.platform != "linux", reason="opens in a folder are seen by inotify")
def test_a_reader_that_follows_a_name_would_be_seen(tmp_path):
    """The check above can fail: a reader that opens the file whose path stands in another is found out."""
    path, other = tmp_path / "mask.txt", tmp_path / "other.txt"
    other.write_bytes(b"0")
    path.write_text(str(other), encoding="utf-8")

    def follow(each):
        return Path(each.read_text(encoding="utf-8")).read_bytes()

    assert ["opened other.txt"] == sorted({*opened_by(tmp_path, path, follow)})


def _open_files():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="open files are listed as on Linux")
@each_format
def test_nothing_stays_open(tmp_path, name, suffix):
    """Once it is closed, or failed to open, a mask holds no file open."""
    path = written(tmp_path, name, suffix)
    make.read(path)
    before = _open_files()
    for _ in range(3):
        make.read(path)
    path.write_bytes(path.read_bytes()[:40])
    for _ in range(3):
        assert isinstance(reads(path), CaseError)
    assert before == _open_files()


@each_format
def test_capitals_and_odd_names(tmp_path, name, suffix):
    """The suffix may be in capitals, and the name anything that the system takes."""
    for stem in ("MASK", "two words", "a.b.c", "né", *(("[x]", "a:b?c*") if os.name == "posix" else ())):
        end = suffix.upper() if stem == "MASK" else suffix
        folder = tmp_path / "plain"
        folder.mkdir(exist_ok=True)
        path = written(folder, name, suffix)
        for part in files_of(path):
            ending = part.name.removeprefix("mask")
            shutil.copy(part, tmp_path / f"{stem}{ending.upper() if stem == 'MASK' else ending}")
        assert LABELS.tolist() == make.read(tmp_path / f"{stem}{end}").tolist()


@each_format
def test_a_mask_agrees_with_an_independent_decoder(tmp_path, name, suffix):
    """Scored against itself it has the numbers of a second decoder, where there is one."""
    if f".{suffix.rpartition('.')[2]}" not in decoders.DECODERS or suffix.startswith((".hdr.", ".img")):
        pytest.skip("no second decoder knows this suffix")
    assert "scored" == oracle.judge(written(tmp_path, name, suffix))


def test_the_plan_of_every_pair_of_formats(tmp_path):
    """Any two formats can be read through one plan of windows, and agree."""
    paths = [written(tmp_path, name, suffix, stem=f"m{n}") for n, (name, suffix) in enumerate(FORMATS)]
    for one, other in itertools.combinations(paths, 2):
        with open_mask(str(one)) as first, open_mask(str(other)) as second:
            for window in plan(first, second):
                assert first.read(window).tolist() == second.read(window).tolist()


# Probabilities

PROBABILITIES = (make.blobs((2, 13, 17), 5) / np.float32(4)).astype(np.float32)


def soft(folder, name, suffix):
    """Write two channels of probabilities where a format has channels, else one."""
    channels = PROBABILITIES if name in {"geotiff", "npy"} else PROBABILITIES[0]
    return WRITERS[name](folder / f"mask{suffix}", channels)


def probabilities(name, path):
    """Return the channels of a file, each read to its end; or the error that it ends in."""
    try:
        sources = load("formats", name).open_probabilities(str(path), Reading(), (13, 17))
        try:
            found = [np.array(source.values((slice(0, 13), slice(0, 17)))) for source in sources]
            for source in sources:
                source.finish()
            return found
        finally:
            for source in sources:
                source.close()
    except CaseError as error:
        return error


@each_soft
def test_probabilities_come_back(tmp_path, name, suffix):
    """The probabilities are those that were written, channel by channel."""
    found = probabilities(name, soft(tmp_path, name, suffix))
    assert isinstance(found, list), found
    for channel, expected in zip(found, PROBABILITIES, strict=False):
        assert expected.tolist() == channel.tolist()


@each_soft
def test_what_holds_no_probabilities(tmp_path, name, suffix):
    """Nothing there, 0 bytes, a folder and text are refused, each by its own name, with the file and a hint."""
    path = soft(tmp_path, name, suffix)
    for change, kind in (
        (lambda each: each.write_bytes(b""), EmptyFile),
        (lambda each: each.write_bytes(b"a text, no numbers\n" * 40), CaseError),
        (lambda each: each.unlink(), Missing),
        (lambda each: each.mkdir(), NotARegularFile),
    ):
        change(path)
        error = probabilities(name, path)
        assert isinstance(error, kind)
        assert error.hint
        assert str(path) in str(error)


@each_soft
def test_damaged_probabilities(tmp_path, name, suffix):
    """Cut off anywhere they are a CaseError; with any byte changed, that or numbers, never another exception."""
    path = soft(tmp_path, name, suffix)
    rng = random.Random(suffix)  # noqa: S311 - it must be repeatable, not secret
    for part in files_of(path):
        content = part.read_bytes()
        for length in sorted({len(content) - 1, *(len(content) * n // 40 for n in range(40))}):
            part.write_bytes(content[:length])
            assert isinstance(probabilities(name, path), CaseError), (part.name, length)
        for _ in range(150):
            data = bytearray(content)
            data[rng.randrange(min(len(data), 500))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
            part.write_bytes(data)
            assert isinstance(probabilities(name, path), (list, CaseError))
        part.write_bytes(content)
