"""What the stored labels of both sides mean, and which rows there are: decided once, after the census."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.statistics._meaning.maps import of_maps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicecli.masks.pair import Pair
    from dicecli.records.settings import Settings
    from dicecli.statistics._confusion import ConfusionMatrix
    from dicecli.statistics._opened import Opened


def understood(pair: Pair, counted: Mapping[tuple[int, ...], ConfusionMatrix], settings: Settings) -> Opened:
    """Decide what the stored labels of both sides mean, now that all are counted: see the census.

    Raises
    ------
    CaseError
        With the side and the file that it concerns.
    """
    if pair.is_soft:
        from dicecli.statistics._meaning.channels import of_channels

        return of_channels(pair, counted, settings)
    if len(pair.reference) + len(pair.prediction) > 2 or pair.classes is not None:
        from dicecli.statistics._meaning.layers import of_layers

        return of_layers(pair, counted, settings)
    return of_maps(pair, counted, settings)
