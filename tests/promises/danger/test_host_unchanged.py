"""B8: six threads scoring a large interlaced PNG, and everything else: "nothing of the host's is changed".

What libraries keep for a whole process is guarded here: whoever sets it, even for a moment, is caught.
"""

from __future__ import annotations

import csv
import decimal
import gc
import locale
import logging
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import types
import uuid
import warnings
from concurrent.futures import ThreadPoolExecutor

import make
import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin

import dicecli
from dicecli.masks import gdal_options

LABELS = make.blobs((40, 50))
COLOURS = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0], [0, 0, 128]], np.uint8)
SCHEME = {
    "labels": {str(n): f"class {n}" for n in range(4)},
    "colours": {str(n): "#{:02x}{:02x}{:02x}".format(*colour) for n, colour in enumerate(COLOURS.tolist())},
}
#: What sets something for all of a process.
SETTERS = [
    (csv, "field_size_limit"),
    (sys, "setrecursionlimit"),
    (sys, "set_int_max_str_digits"),
    (sys, "setswitchinterval"),
    (decimal, "setcontext"),
    (locale, "setlocale"),
    (os, "umask"),
    (os, "chdir"),
    (os, "putenv"),
    (os, "unsetenv"),
    (gc, "disable"),
    (gc, "freeze"),
    (random, "seed"),
    (np.random, "seed"),
    (np, "seterr"),
    (np, "set_printoptions"),
    (signal, "signal"),
    (socket, "setdefaulttimeout"),
    (logging, "disable"),
    (multiprocessing, "set_start_method"),
    (warnings, "simplefilter"),
    (warnings, "filterwarnings"),
    (warnings, "resetwarnings"),
    (warnings, "catch_warnings"),
]
#: The same of libraries, where they are installed.
OF_LIBRARIES = [
    ("rasterio._env", "set_gdal_config"),
    ("rasterio._env", "del_gdal_config"),
    ("pandas", "set_option"),
    ("torch", "set_num_threads"),
    ("torch", "set_default_dtype"),
    ("torch", "use_deterministic_algorithms"),
    ("torch", "manual_seed"),
    ("matplotlib", "use"),
    ("matplotlib", "rc"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with a mask of each kind, and a batch of them."""
    folder = tmp_path_factory.mktemp("host")
    (folder / "interlaced.png").write_bytes(make.raw_png(make.blobs((300, 400)), is_interlaced=True))
    (folder / "colours.png").write_bytes(make.raw_png(COLOURS[LABELS], colour=2))
    make.geotiff(folder / "nowhere.tif", LABELS, crs=None, transform=None)
    make.geotiff(folder / "place.tif", LABELS, compress="lzw", tiled=True, blockxsize=16, blockysize=16)
    make.geotiff(folder / "colours.tif", np.moveaxis(COLOURS[LABELS], -1, 0), photometric="RGB")
    make.nifti(folder / "volume.nii.gz", make.blobs((9, 8, 7)), slope=2.0)
    np.save(folder / "map.npy", np.eye(4, dtype=np.float32)[LABELS] * 0.8 + 0.05)
    make.png(folder / "plain.png", LABELS)
    for side in ("predictions", "references"):
        (folder / side).mkdir()
        for name in ("one", "zwei_ü_漢"):
            make.png(folder / side / f"{name}.png", LABELS)
    (folder / "points.csv").write_text("row,column,label\n3,4,1\n5,6,2\n")
    return folder


def written(folder, *suffixes):
    """Return the path of a new file of each kind."""
    return [folder / f"{uuid.uuid4().hex}.{suffix}" for suffix in suffixes]


def everything(folder):
    """Return what is run, by name: each way into the package from Python."""
    single = ["interlaced.png", "nowhere.tif", "place.tif", "volume.nii.gz"]
    calls = {name: (lambda name=name: dicecli.score(folder / name, folder / name)) for name in single}
    for name in ("colours.png", "colours.tif"):
        calls[name] = lambda name=name: dicecli.score(folder / name, folder / name, labels=SCHEME)
    calls["soft"] = lambda: dicecli.soft(folder / "map.npy", folder / "plain.png")
    calls["surfaces"] = lambda: dicecli.score(LABELS, LABELS, metrics=["hd95", "dice"], threads=2)
    sides = folder / "predictions", folder / "references"
    calls["batch"] = lambda: dicecli.batch(*sides)
    calls["files"] = lambda: dicecli.batch(*sides, output=written(folder, "csv", "json", "html", "md", "txt"))
    calls["picture"] = lambda: dicecli.batch(*sides, confusion=written(folder, "png"))
    return calls


class Guarded(types.ModuleType):
    """A module that remembers who sets a name of it."""

    seen: list[str] = []  # noqa: RUF012 - of all of them

    def __setattr__(self, name, value):
        if name != "__class__":
            Guarded.seen.append(f"{self.__name__}.{name}")
        super().__setattr__(name, value)


def test_b8_nothing_of_the_hosts_is_changed(files, monkeypatch):
    """B8: six threads run every way into the package: "nothing of the host's is changed", not for a moment."""
    monkeypatch.setattr(gdal_options._Cache, "is_own", False)
    calls = [*everything(files).values()]
    for call in calls:
        call()
    seen = Guarded.seen
    seen.clear()
    filters, environment = list(warnings.filters), dict(os.environ)
    libraries = [(sys.modules[name], setter) for name, setter in OF_LIBRARIES if name in sys.modules]
    with pytest.MonkeyPatch.context() as patch:
        for module, name in [*SETTERS, *libraries]:
            patch.setattr(module, name, noting(seen, module, name, getattr(module, name)))
        for module in (Image, ImageFile, PngImagePlugin):
            module.__class__ = Guarded
        try:
            with ThreadPoolExecutor(6) as pool:
                for done in [pool.submit(call) for call in [*calls, *calls[:1] * 6]]:
                    done.result()
        finally:
            for module in (Image, ImageFile, PngImagePlugin):
                module.__class__ = types.ModuleType
    assert seen == []
    assert filters == list(warnings.filters)
    assert environment == dict(os.environ)


def noting(seen, module, name, real):
    """Return a function that notes that it is called by this package; what matplotlib does is its own matter."""

    def called(*given, **more):
        if str(sys._getframe(1).f_globals.get("__name__")).startswith("dicecli"):
            seen.append(f"{module.__name__}.{name}")
        return real(*given, **more)

    return called


def test_b8_the_hosts_own_guards_do_not_hurt(files, monkeypatch):
    """B8: a host whose Pillow refuses all but tiny images, and whose warnings are errors, has all numbers."""
    calls = {name: call for name, call in everything(files).items() if "." in name}
    expected = {name: call().to_dict()["cases"] for name, call in calls.items()}
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert expected == {name: call().to_dict()["cases"] for name, call in calls.items()}
    with pytest.raises(Image.DecompressionBombError), Image.open(files / "interlaced.png"):
        pass


def test_b8_a_warning_of_the_hosts_is_given_while_masks_are_opened(files):
    """B8: a thread of the host that opens a raster without a place is warned while this package opens one."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    from dicecli.masks.formats.geotiff._gdal import closed_off, listening, open_dataset

    path = str(files / "nowhere.tif")
    with warnings.catch_warnings(), ThreadPoolExecutor(1) as pool:
        warnings.simplefilter("error")
        with closed_off(path), listening(), open_dataset(path) as ours:
            assert (40, 50) == ours.shape
            with pytest.raises(NotGeoreferencedWarning):
                pool.submit(rasterio.open, path).result()


def test_b8_the_cache_of_a_host_is_its_own(files):
    """B8: GDAL's cache stays as large as a host has it; a process of this project's own has a small one."""
    program = (
        "import sys, dicecli; from dicecli.runs.allocator import keep_freed_memory;"
        "from rasterio._env import get_gdal_config as get;"
        "before = get('GDAL_CACHEMAX'); dicecli.score(*sys.argv[1:] * 2); print(before == get('GDAL_CACHEMAX'));"
        "keep_freed_memory(); dicecli.score(*sys.argv[1:] * 2); print(get('GDAL_CACHEMAX'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(files / "place.tif")], capture_output=True, text=True, check=True
    )
    assert ["True", "64"] == done.stdout.split()


def test_letters_without_a_box_warn_nobody_and_hide_no_warning(files):
    """A picture whose names the font lacks gives no warning; a host's own of that kind is given meanwhile."""
    from dicecli.reports.exporters import png
    from dicecli.reports.look import Look

    report = dicecli.batch(
        files / "predictions", files / "references", labels={0: "", 1: "\u6f22", 2: "b", 3: "c"}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with png._boxes_for_letters(), pytest.raises(UserWarning, match="Glyph"):
            warnings.warn("Glyph 1 is missing", UserWarning, stacklevel=1)
        assert png.render(report, "confusion", Look())
