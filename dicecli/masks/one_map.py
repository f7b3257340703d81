"""A map of classes by itself, without another one to compare it with."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from dicecli.errors import ManyVolumes
from dicecli.masks import files
from dicecli.masks.opening import opened_layers, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.masks.sources import MaskSource
    from dicecli.records.settings import Settings


@contextmanager
def one_map(given: object, settings: Settings, side: str = "") -> Iterator[MaskSource]:
    """Open a map of classes, and make sure in the end that its file is still the one that was opened.

    Parameters
    ----------
    given : str, path, array or image
    settings : Settings
    side : str, optional
        What errors call it.

    Raises
    ------
    CaseError
        With the file; ManyVolumes where it is several binary layers.
    """
    before = files.state(os.fspath(given)) if isinstance(given, (str, os.PathLike)) else None
    with ExitStack() as stack:
        layers = [stack.enter_context(each) for each in opened_layers(side, given, settings)]
        if len(layers) > 1:
            raise ManyVolumes(
                f"it has {len(layers)} binary layers, which may overlap; one map of classes is needed",
                "Say which band has the classes: --band N.",
                shown(given),
                side,
            )
        yield layers[0]
        if before is not None:
            files.check_unchanged(shown(given), before)
