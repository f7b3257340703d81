"""How large the data of the benchmarks are; on its own, since who measures must not import NumPy."""

from __future__ import annotations

from typing import NamedTuple

Shape = tuple[int, int, int]


class Sizes(NamedTuple):
    """How large the data are."""

    volume: Shape
    raster: int
    large_raster: int
    sparse: int
    cases: int
    shapes: tuple[Shape, ...]
    many_labels: Shape
    labels: tuple[int, ...]
    ct: Shape
    cube: int


FULL = Sizes(
    volume=(512, 512, 400),
    raster=16_384,
    large_raster=49_152,
    sparse=100_000,
    cases=1_000,
    shapes=((256, 256, 50), (512, 256, 100), (512, 512, 200), (512, 512, 800)),
    many_labels=(512, 512, 100),
    labels=(2, 20, 200, 2_000),
    ct=(512, 512, 400),
    cube=256,
)
#: Enough to see whether everything works.
QUICK = Sizes(
    volume=(48, 48, 40),
    raster=1_024,
    large_raster=2_048,
    sparse=4_096,
    cases=4,
    shapes=((32, 32, 10), (64, 64, 20)),
    many_labels=(80, 80, 30),
    labels=(2, 200),
    ct=(96, 80, 96),
    cube=48,
)
