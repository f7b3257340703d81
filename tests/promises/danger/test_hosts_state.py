"""Whatever is asked of it from Python, the process that asks is left as it was."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import make
import numpy as np
from batches import posix_only, sound

#: Run in a process of its own, which has set nothing: what is looked at, and every function that opens, counts
#: or starts something. What libraries set as they are loaded is theirs.
HOST = """
import decimal, gc, importlib, json, locale, logging, multiprocessing, os, random, resource, signal, sys, threading, warnings
from functools import partial
from multiprocessing import resource_tracker, spawn

import numpy as np
import dicecli


def state():
    mask = os.umask(0)
    os.umask(mask)
    return {
        "start method": multiprocessing.get_start_method(allow_none=True),
        "executable": spawn.get_executable(),
        "main": (__file__, __spec__, sys.argv),
        "resource tracker": resource_tracker._resource_tracker._fd,
        "signal handlers": [str(signal.getsignal(each)) for each in signal.valid_signals()],
        "signal mask": str(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "environment": dict(os.environ),
        "path": list(sys.path),
        "hooks": [str(each) for each in (sys.excepthook, threading.excepthook, sys.displayhook, sys.stdout, sys.stderr)],
        "warnings": [str(each) for each in warnings.filters],
        "logging": (str(logging.root.handlers), logging.root.level, logging.root.manager.disable),
        "decimal": str(decimal.getcontext()),
        "locale": locale.setlocale(locale.LC_ALL),
        "umask": mask,
        "folder": os.getcwd(),
        "numpy": (np.geterr(), str(np.geterrcall()), np.get_printoptions()),
        "random": (random.getstate(), str(np.random.get_state())),
        "limits": (sys.getrecursionlimit(), resource.getrlimit(resource.RLIMIT_NOFILE), gc.get_threshold(), gc.isenabled()),
        "threads": sorted(each.name for each in threading.enumerate()),
        "children": multiprocessing.active_children(),
        "files": len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None,
        **libraries(),
    }


def libraries():
    found = {}
    if "PIL.Image" in sys.modules:
        from PIL import Image, ImageFile

        found["Pillow"] = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    if "rasterio" in sys.modules:
        import rasterio.env

        names = ("GDAL_DISABLE_READDIR_ON_OPEN", "GDAL_CACHEMAX", "GDAL_PAM_ENABLED", "GTIFF_SRS_SOURCE", "CPL_DEBUG")
        found["GDAL"] = (rasterio.env.hasenv(), *(rasterio.env.get_gdal_config(name) for name in names))
    if "torch" in sys.modules:
        import torch

        found["torch"] = (torch.is_grad_enabled(), torch.get_num_threads(), str(torch.get_default_dtype()))
    return found


names, files = json.loads(sys.argv[1]), json.loads(sys.argv[2])
for module in names:
    importlib.import_module(module)
sides, one = ("predictions", "references"), [f"{each}/case000.png" for each in ("predictions", "references")]
array = np.eye(4, dtype=np.uint8)
evaluator = dicecli.Evaluator()
asked = {
    **{f"score {each}": partial(dicecli.score, each, each) for each in files},
    "score arrays": lambda: dicecli.score(array, array).to_dict(),
    "score in threads": partial(dicecli.score, *one, threads=2),
    "score with a limit": partial(dicecli.score, *one, timeout=300),
    "a damaged file": partial(dicecli.score, "damaged.png", one[1]),
    "surfaces": partial(dicecli.score, *one, metrics="dice,hd95,nsd", tolerance="1px"),
    "soft": partial(dicecli.soft, np.full((16, 16), 0.5), np.ones((16, 16), np.uint8)),
    "batch": partial(dicecli.batch, *sides, output="scores.csv", progress=False),
    "batch in processes": partial(dicecli.batch, *sides, jobs=2),
    "batch with a limit": partial(dicecli.batch, *sides, timeout=300),
    "score_many": lambda: dicecli.score_many([dicecli.Case("a", array, array)], dicecli.make_settings()),
    "Evaluator": lambda: evaluator.update(array, array),
    "from_matrix": partial(dicecli.from_matrix, [[3, 1], [0, 4]]),
    "points": partial(dicecli.points, "mask.tif", "points.csv"),
    "area": partial(dicecli.area, [[3, 1], [0, 4]], {0: 10, 1: 20}),
    "load_labels": partial(dicecli.load_labels, "cityscapes"),
}
if "distributed" in names:
    asked["dask"] = partial(dicecli.batch, *sides, jobs=2, executor="dask")

def tried(name, function):
    try:
        function()
        assert "damaged" not in name
    except dicecli.CaseError:
        assert "damaged" in name


for each in files:
    dicecli.score(each, each)  # which opens databases of projections
changed = []
for name, function in asked.items():
    before = state()
    tried(name, function)
    after = state()
    changed += [(name, what, str(before[what]), str(after.get(what))) for what in before if before[what] != after.get(what)]
multiprocessing.set_start_method("forkserver")
print(json.dumps(changed))
"""


@posix_only
def test_nothing_of_the_hosts_is_changed(tmp_path):
    """Signals, environment, path, filters, loggers, numbers, folder, and it may set the start method of processes."""
    data = sound(tmp_path, 2)
    mask = np.eye(16, dtype=np.uint8)
    files = []
    for name, write in (("mask.png", make.png), ("mask.nii.gz", make.nifti), ("mask.tif", make.geotiff)):
        write(data / name, mask)
        files.append(name)
    (data / "points.csv").write_text("x,y,class\n600005,5799995,1\n", encoding="utf-8")
    (data / "damaged.png").write_bytes(b"\x89PNG")
    libraries = ("nibabel", "PIL.Image", "rasterio", "scipy.ndimage", "distributed")
    names = [each for each in libraries if importlib.util.find_spec(each)]
    (tmp_path / "elsewhere").mkdir()
    script = tmp_path / "elsewhere" / "host.py"
    script.write_text(HOST, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, json.dumps(names), json.dumps(files)],
        cwd=data,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == []
