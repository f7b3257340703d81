"""Whatever is asked of it from Python: "nothing of the host's is changed", not for a moment and not afterwards."""

from __future__ import annotations

import importlib
import importlib.util
import uuid
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import hosts_own
import make
import numpy as np
import pytest
from batches import both, posix_only, sound
from PIL import Image

import dicecli
from dicecli.masks import gdal_options
from dicecli.runs import allocator

LABELS = make.blobs((40, 50))
COLOURS = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0], [0, 0, 128]], np.uint8)
SCHEME = {
    "labels": {str(n): f"class {n}" for n in range(4)},
    "colours": {str(n): "#{:02x}{:02x}{:02x}".format(*colour) for n, colour in enumerate(COLOURS.tolist())},
}
#: What is no more than data, or has no function but those that are named beside it.
DATA = {
    "Case",
    "CaseError",
    "ConfusionMatrix",
    "Counts",
    "DicecliError",
    "Evaluator",
    "LabelScheme",
    "Report",
}
DATA |= {"UsageError", "__version__", "Report.headline"}
#: What is loaded before; what libraries set as they are loaded is theirs.
LIBRARIES = (
    "nibabel",
    "PIL.Image",
    "PIL.ImageFile",
    "PIL.PngImagePlugin",
    "rasterio",
    "scipy.ndimage",
    "pandas",
)
LIBRARIES += ("distributed", "torch", "rich.style", "matplotlib.backends.backend_agg", "dicecli.losses")
RASTERIOS = ("meanwhile, loggers: rasterio._err", "meanwhile, loggers: rasterio._env")
SIGNALS = ("for a moment, signal.signal", "meanwhile, signals: ")
#: The limits of SECURITY.md, under "What is the process's": what another thread may see meanwhile.
OURS_MEANWHILE = {
    "score place.tif": RASTERIOS,
    "score nowhere.tif": RASTERIOS,
    "score colours.tif": RASTERIOS,
    "points": RASTERIOS,
    "score with a limit": SIGNALS,
    "batch in processes": SIGNALS,
    "batch on dask": (
        *SIGNALS,
        *(f"meanwhile, loggers: {name}" for name in ("distributed", "asyncio", "bokeh", "tornado")),
    ),
    "batch with a picture": ("meanwhile, filters",),
    "Report.render": ("meanwhile, filters",),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with a mask of each kind, and a batch of them."""
    folder = sound(tmp_path_factory.mktemp("host"), 2)
    (folder / "interlaced.png").write_bytes(make.raw_png(make.blobs((300, 400)), is_interlaced=True))
    (folder / "colours.png").write_bytes(make.raw_png(COLOURS[LABELS], colour=2))
    make.geotiff(folder / "nowhere.tif", LABELS, crs=None, transform=None)
    make.geotiff(folder / "place.tif", LABELS, compress="lzw", tiled=True, blockxsize=16, blockysize=16)
    make.geotiff(folder / "colours.tif", np.moveaxis(COLOURS[LABELS], -1, 0), photometric="RGB")
    make.nifti(folder / "volume.nii.gz", make.blobs((9, 8, 7)), slope=2.0)
    np.save(folder / "map.npy", np.eye(4, dtype=np.float32)[LABELS] * 0.8 + 0.05)
    make.png(folder / "plain.png", LABELS)
    (folder / "damaged.png").write_bytes(b"\x89PNG")
    (folder / "points.csv").write_text("x,y,class\n600005,5799995,1\n", encoding="utf-8")
    return folder


def masks(folder):
    """Return what scores a file of each kind."""
    plain = ("interlaced.png", "nowhere.tif", "place.tif", "volume.nii.gz")
    calls = {f"score {name}": partial(dicecli.score, folder / name, folder / name) for name in plain}
    for name in ("colours.png", "colours.tif"):
        calls[f"score {name}"] = partial(dicecli.score, folder / name, folder / name, labels=SCHEME)
    return calls


def functions(folder):
    """Return each way into the package from Python, by the public name and what it is given."""
    sides, png, array = both(folder), folder / "plain.png", np.eye(4, dtype=np.uint8)
    new = partial(_new, folder)
    settings = dicecli.make_settings()
    calls = {
        **masks(folder),
        "score damaged.png": partial(_refused, dicecli.score, folder / "damaged.png", png),
        "score arrays": partial(dicecli.score, array, array, metrics=["hd95", "dice"], threads=2),
        "score with a limit": partial(dicecli.score, png, png, timeout=300),
        "score in six threads": partial(_in_threads, masks(folder)["score interlaced.png"]),
        "soft": partial(dicecli.soft, folder / "map.npy", png),
        "batch": lambda: dicecli.batch(*sides, output=new("csv", "json", "html", "md", "txt", "xml")),
        "batch in processes": partial(dicecli.batch, *sides, executor="processes", timeout=300),
        "batch with a picture": lambda: dicecli.batch(*sides, confusion=new("png")),
        "score_many": lambda: dicecli.score_many([dicecli.Case("a", array, array)], settings),
        "make_settings": partial(dicecli.make_settings, metrics="dice,nsd", tolerance="1px"),
        "from_matrix": partial(dicecli.from_matrix, [[3, 1], [0, 4]]),
        "points": partial(dicecli.points, folder / "place.tif", folder / "points.csv"),
        "area": partial(dicecli.area, [[3, 1], [0, 4]], {0: 10, 1: 20}),
        "load_labels": partial(dicecli.load_labels, "cityscapes"),
    }
    if importlib.util.find_spec("distributed"):
        calls["batch on dask"] = partial(dicecli.batch, *sides, executor="dask")
    return calls | of_objects(folder, array, settings) | of_losses()


def of_objects(folder, array, settings):
    """Return each function of what the package gives."""
    evaluator, report = dicecli.Evaluator(), dicecli.batch(*both(folder))
    soft = dicecli.soft(folder / "map.npy", folder / "plain.png")
    return {
        "Evaluator.update": partial(evaluator.update, array, array),
        "Evaluator.update_batch": partial(evaluator.update_batch, array[None], array[None]),
        "Evaluator.compute": evaluator.compute,
        "Evaluator.reset": evaluator.reset,
        "Report.shown_with": partial(report.shown_with, settings),
        "Report.record": report.record,
        "Report.rows": lambda: list(report.rows()),
        "Report.render": lambda: (report.render("table"), soft.render("png", "curve")),
        "Report.to_dict": report.to_dict,
        "Report.to_pandas": report.to_pandas,
        "Report.plot": lambda: report.plot()._repr_png_(),
        "Report.curves": soft.curves,
        "Report's numbers": lambda: [getattr(report, name) for name in numbers_of(report)],
    }


def numbers_of(report):
    """Return the properties of a report that are computed, and its functions to look values up."""
    return [name for name in public(type(report)) if name not in vars(dicecli.Report)]


def public(thing):
    return [name for name in dir(thing) if not name.startswith("_")]


def of_losses():
    """Return a step of each loss."""
    if not importlib.util.find_spec("torch"):
        return {}
    import torch

    from dicecli import losses

    def step(name):
        made = getattr(losses, name)
        given = torch.zeros(1, 2, 8, requires_grad=True), torch.zeros(1, 8, dtype=torch.long)
        value = (
            made(activation="softmax")(*given) if name[0].isupper() else made(*given, activation="softmax")
        )
        value.backward()

    return {f"losses.{name}": partial(step, name) for name in losses.__all__}


def _new(folder, *suffixes):
    return [folder / f"{uuid.uuid4().hex}.{suffix}" for suffix in suffixes]


def _refused(function, *given):
    with pytest.raises(dicecli.CaseError):
        function(*given)


def _in_threads(call):
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(call) for _ in range(6)]:
            done.result()


needs_matplotlib = pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="it draws")


@posix_only
@needs_matplotlib
def test_nothing_of_the_hosts_is_changed(files):
    """Six threads scoring a large interlaced PNG, and everything else: "nothing of the host's is changed"."""
    for name in LIBRARIES:
        with suppress(ImportError, dicecli.DicecliError):
            importlib.import_module(name)
    calls, changed = functions(files), {}
    with hosts_own.guarded():
        for name, call in calls.items():
            with hosts_own.left_alone(OURS_MEANWHILE.get(name, ())) as found:
                call()
            changed[name] = found
    assert changed == {name: [] for name in calls}


def test_every_public_name_is_among_what_is_held_to_it(files):
    """What is new in Python, as a function, a method of a report or evaluator, or a loss, is run there as well."""
    named = {*dicecli.__all__}
    for kind in (dicecli.Report, dicecli.Evaluator):
        named |= {f"{kind.__name__}.{name}" for name in public(kind) if name in vars(kind)}
    if importlib.util.find_spec("torch"):
        from dicecli import losses

        named |= {f"losses.{name}" for name in losses.__all__}
    assert named - DATA <= {name.split()[0] for name in functions(files)}


def test_the_hosts_own_guards_do_not_hurt(files, monkeypatch):
    """A host whose Pillow refuses all but tiny images, and whose warnings are errors, has all numbers."""
    calls = masks(files)
    expected = {name: call().to_dict()["cases"] for name, call in calls.items()}
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert expected == {name: call().to_dict()["cases"] for name, call in calls.items()}
    with pytest.raises(Image.DecompressionBombError), Image.open(files / "interlaced.png"):
        pass


def test_a_warning_of_the_hosts_is_given_while_masks_are_opened(files):
    """A thread of the host that opens a raster without a place is warned while this package opens one."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    from dicecli.masks.formats.geotiff._gdal import closed_off, listening
    from dicecli.masks.formats.geotiff._reopened import open_dataset

    path = str(files / "nowhere.tif")
    with warnings.catch_warnings(), ThreadPoolExecutor(1) as pool:
        warnings.simplefilter("error")
        with closed_off(path), listening(), open_dataset(path) as ours:
            assert (40, 50) == ours.shape
            with pytest.raises(NotGeoreferencedWarning):
                pool.submit(rasterio.open, path).result()


def test_the_cache_of_a_host_is_its_own(files, monkeypatch):
    """GDAL's cache stays as large as a host has it; a process of this project's own has a small one."""
    from rasterio._env import get_gdal_config, set_gdal_config

    path, before = files / "place.tif", get_gdal_config("GDAL_CACHEMAX")
    monkeypatch.setattr(gdal_options._Cache, "is_own", False)
    monkeypatch.setattr(gdal_options._Cache, "is_small", False)
    monkeypatch.setattr(allocator.sys, "platform", "elsewhere")  # where malloc is left alone
    dicecli.score(path, path)
    assert before == get_gdal_config("GDAL_CACHEMAX")
    allocator.keep_freed_memory()
    try:
        dicecli.score(path, path)
        assert get_gdal_config("GDAL_CACHEMAX") == 64
    finally:
        set_gdal_config("GDAL_CACHEMAX", before)


@needs_matplotlib
def test_letters_without_a_box_warn_nobody_and_hide_no_warning(files):
    """A picture whose names the font lacks gives no warning; a host's own of that kind is given meanwhile."""
    from dicecli.reports.exporters import png
    from dicecli.reports.look import Look

    report = dicecli.batch(*both(files), labels={0: "", 1: "\u6f22", 2: "b", 3: "c"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with png._boxes_for_letters(), pytest.raises(UserWarning, match="Glyph"):
            warnings.warn("Glyph 1 is missing", UserWarning, stacklevel=1)
        assert png.render(report, "confusion", Look())
