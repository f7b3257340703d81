"""segmentation_models.pytorch's losses without its models, which need packages that losses do not."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from typing import Any

NAME = "segmentation_models_pytorch"


def load() -> Any:
    """Import ``segmentation_models_pytorch.losses``, and of the package above it nothing.

    Raises
    ------
    ModuleNotFoundError
        It is not installed.
    """
    spec = find_spec(NAME)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"{NAME} is not installed", name=NAME)
    if NAME not in sys.modules:
        stub = ModuleSpec(NAME, loader=None, is_package=True)
        stub.submodule_search_locations = spec.submodule_search_locations
        sys.modules[NAME] = module_from_spec(stub)
    return import_module(f"{NAME}.losses")
