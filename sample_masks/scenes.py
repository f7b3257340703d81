"""The scenes of the sample masks: each function draws a prediction and its reference from seeded noise.

A prediction is its reference with the errors that segmentations have: wavering borders, missed parts, false
patches and confused labels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PIL.ImageDraw import ImageDraw

Pair = tuple[np.ndarray, np.ndarray]

#: Nodata of the land cover, and void of the street.
NODATA = VOID = 255
WATER, FOREST, GRASSLAND, CROPLAND, BUILT_UP = range(1, 6)
ROAD, PAVEMENT, BUILDING, VEGETATION, SKY, PERSON, CAR = range(7)


def waves(rng: np.random.Generator, shape: Sequence[int], sigma: float) -> np.ndarray:
    """Return smooth noise of mean 0 and deviation 1, its hills about ``2 * sigma`` pixels wide."""
    field = blurred(rng.standard_normal(tuple(shape)), sigma)
    return (field - field.mean()) / field.std()


def blurred(field: np.ndarray, sigma: float) -> np.ndarray:
    """Return a field smoothed by a Gaussian of sigma pixels, its ends joined."""
    reach = math.ceil(3 * sigma)
    weights = {step: math.exp(-0.5 * (step / sigma) ** 2) for step in range(-reach, reach + 1)}
    for axis in range(field.ndim):
        field = sum(weight * np.roll(field, step, axis) for step, weight in weights.items())
    return field


def logits(rng: np.random.Generator, labels: np.ndarray, classes: int, certainty: float) -> np.ndarray:
    """Return what a network might have given before its softmax, classes first: unsure along borders."""
    whole = blurred(np.ones(labels.shape), 1.2)
    sharp = [blurred((labels == each).astype(float), 1.2) / whole for each in range(classes)]
    noise = [waves(rng, labels.shape, 2.0) for _ in range(classes)]
    return np.stack([certainty * one + 0.9 * other for one, other in zip(sharp, noise, strict=True)])


def ellipsoid(points: Iterable[np.ndarray], centre: Sequence[float], radii: Sequence[float]) -> np.ndarray:
    """Return a field that is 1 at the centre of an ellipsoid, 0 on its surface, and negative outside."""
    square = sum(((x - c) / r) ** 2 for x, c, r in zip(points, centre, radii, strict=True))
    return 1 - np.sqrt(square)


def indices(shape: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Return the indices of the pixels along each axis, ready to broadcast."""
    return tuple(np.ogrid[tuple(slice(n) for n in shape)])


def millimetres(shape: Sequence[int], spacing: Sequence[float]) -> list[np.ndarray]:
    """Return the distances of the voxels from the middle of the volume along each axis."""
    return [(x - (n - 1) / 2) * step for x, n, step in zip(indices(shape), shape, spacing, strict=True)]


def wavering(
    rng: np.random.Generator,
    labels: np.ndarray,
    amount: float,
    sigma: float,
    shift: Sequence[float] | None = None,
) -> np.ndarray:
    """Return the labels with their borders pushed about by some pixels, and all of them moved by a shift."""
    source = []
    for axis, (at, length) in enumerate(zip(indices(labels.shape), labels.shape, strict=True)):
        moved = at - (shift[axis] if shift else 0) + amount * waves(rng, labels.shape, sigma)
        source.append(np.clip(np.rint(moved), 0, length - 1).astype(int))
    return labels[tuple(source)]


def abdomen(rng: np.random.Generator) -> np.ndarray:
    """Draw liver, kidneys, spleen and a tumour in an abdomen the size of an infant's."""
    shape = (64, 56, 40)
    mm = millimetres(shape, (1.5, 1.5, 3))
    rough, fine = waves(rng, shape, 5), waves(rng, shape, 2.5)
    bumps = 0.07 * rough + 0.03 * fine
    right = ellipsoid(mm, (21, 2, 18), (23, 31, 36))
    left = ellipsoid((mm[0], mm[1], mm[2] - 0.25 * mm[0]), (-4, 17, 26), (31, 14, 15))
    liver = np.minimum(np.maximum(right, left), -ellipsoid(mm, (4, -8, 2), (15, 18, 26))) + 1.5 * bumps
    stomach = ellipsoid(mm, (-22, 0, 20), (13, 15, 28))
    spleen = np.minimum(ellipsoid(mm, (-33, -14, 24), (10, 19, 23)), -stomach) + 0.5 * bumps
    labels = np.zeros(shape, np.uint8)
    labels[liver > 0] = 1
    labels[spleen > 0] = 4
    for label, side, height in ((2, 1, -20), (3, -1, -12)):
        tilted = (mm[0] + side * 0.2 * (mm[2] - height), mm[1], mm[2])
        whole = ellipsoid(tilted, (side * 20, -20, height), (10, 11, 24)) + 0.5 * bumps
        labels[whole > -0.1] = 0
        labels[(whole > 0) & (ellipsoid(tilted, (side * 11, -18, height), (6, 5, 8)) < 0)] = label
    tumour = ellipsoid(mm, (25, 9, 24), (9, 10, 11)) + 0.17 * rough + 0.08 * fine
    labels[(tumour > 0) & (labels == 1)] = 5
    labels[np.broadcast_to(ellipsoid(mm[:2], (0, 0), (44, 38)) < 0, shape)] = 0  # outside the body
    return labels


def organs(rng: np.random.Generator) -> Pair:
    """Draw an abdomen; the prediction misses much of the tumour and the tip of the liver's left lobe."""
    reference = abdomen(rng)
    mm = millimetres(reference.shape, (1.5, 1.5, 3))
    prediction = wavering(rng, reference, 0.8, 4, (0.3, -0.3, 0.2))
    seen = ellipsoid(mm, (28, 12, 28), (9, 9, 10)) + 0.1 * waves(rng, reference.shape, 3) > 0
    prediction[(prediction == 5) & ~seen] = 1
    for before, after, centre, radii in (
        (1, 0, (-35, 15, 18), (9, 14, 14)),  # the tip of the left lobe
        (2, 1, (16, -14, 4), (12, 12, 9)),  # the upper pole of the right kidney taken for liver
        (0, 4, (-22, 2, 22), (7, 5, 9)),  # a part of the stomach taken for spleen
        (1, 5, (14, 12, 2), (4, 4, 6)),  # a tumour where there is none
    ):
        prediction[(prediction == before) & (ellipsoid(mm, centre, radii) > 0)] = after
    return prediction, reference


def kidney(rng: np.random.Generator) -> Pair:
    """Draw one kidney; the prediction lacks its upper end."""
    mm = millimetres((20, 20, 28), (2, 2, 2))
    whole = ellipsoid(mm, (0, 0, 0), (12, 12, 24)) + 0.06 * waves(rng, (20, 20, 28), 3)
    reference = ((whole > 0) & (ellipsoid(mm, (-11, 2, 0), (8, 5, 9)) < 0)).astype(np.uint8)
    prediction = wavering(rng, reference, 0.6, 3, (0.3, 0, -0.5))
    prediction[ellipsoid(mm, (3, -2, 24), (12, 12, 8)) > 0] = 0
    return prediction, reference


def landcover(rng: np.random.Generator) -> Pair:
    """Draw a valley with a river, a lake, towns, fields and woods; the satellite saw it only in part."""
    shape = (200, 240)
    rows, columns = where = indices(shape)
    hills, lumps, fine = waves(rng, shape, 14), waves(rng, shape, 5), waves(rng, shape, 2)
    bed = 104 + 26 * np.sin(columns / 38) + 9 * np.sin(columns / 13 + 1)
    parcels = (columns + rows // 3) // 13 + 40 * ((rows - columns // 3 + 80) // 9)
    crops, confused = (rng.random(parcels.max() + 1) < share for share in (0.62, 0.11))
    towns = [((66, 70), (24, 30)), ((140, 186), (17, 22)), ((158, 60), (7, 9)), ((30, 190), (6, 8))]
    town = np.max([ellipsoid(where, *each) for each in towns], axis=0)
    river = 1 - np.abs(rows - bed) / (3.2 + 0.8 * fine)
    lake = ellipsoid(where, (40, 142), (11, 17)) + 0.2 * lumps
    reference = np.where(crops[parcels] & (hills < 0.6), CROPLAND, GRASSLAND).astype(np.uint8)
    reference[(hills + 0.2 * fine > 0.55) & (town + 0.1 * lumps < -0.3) & (np.abs(rows - bed) > 7)] = FOREST
    town = town + 0.15 * fine + 0.07 * lumps
    reference[(town > 0) & (fine < 1.3)] = BUILT_UP
    reference[np.maximum(river, lake) > 0] = WATER

    doubt = waves(rng, shape, 6)
    prediction = reference.copy()
    fields = ((reference == GRASSLAND) | (reference == CROPLAND)) & confused[parcels]
    prediction[fields] = GRASSLAND + CROPLAND - reference[fields]
    prediction[(reference == BUILT_UP) & (town < 0.12)] = GRASSLAND
    prediction[(reference == WATER) & (lake < 0) & (doubt > 1.1)] = GRASSLAND
    prediction[(reference == FOREST) & (doubt < -1.7)] = GRASSLAND
    prediction[ellipsoid(where, (168, 132), (8, 12)) + 0.2 * fine > 0] = WATER  # it is a cloud's shadow
    prediction = wavering(rng, prediction, 0.9, 3)
    for labels, left, right in ((reference, 74, 60), (prediction, 86, 52)):
        labels[4 * columns + rows < left] = NODATA
        labels[7 * (239 - columns) + rows < right] = NODATA
    return prediction, reference


def street_view(rng: np.random.Generator) -> np.ndarray:
    """Draw a street between houses, looking along its middle; it vanishes at column 134, row 84."""
    from PIL import Image, ImageDraw

    image = Image.new("L", (256, 192), SKY)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 84, 255, 191), fill=PAVEMENT)
    draw.polygon([(104, 87), (104, 70), (116, 70), (126, 62), (136, 70), (164, 70), (164, 87)], fill=BUILDING)
    left = ((0, 38, 60), (38, 72, 84), (72, 98, 66), (98, 114, 84))
    for near, far, tall in (*left, (255, 222, 80), (222, 190, 58), (180, 152, 76)):
        corners = zip((near, far, far, near), (-tall, -tall, 38, 38), strict=True)
        draw.polygon([(x, 84 + part * abs(x - 134) / 128) for x, part in corners], fill=BUILDING)
    draw.polygon([(128, 86), (141, 86), (238, 191), (14, 191)], fill=ROAD)
    for x, base, size in ((53, 134, 22), (203, 128, 19), (161, 99, 9)):
        draw.rectangle((x - size // 9, base - 3 * size, x + size // 9, base), fill=VEGETATION)
    for x, base, size in ((96, 126, 30), (176, 122, 26), (122, 103, 13)):
        draw_car(draw, x, base, size)
    for x, base, size in ((20, 160, 54), (38, 155, 46), (234, 156, 50), (157, 119, 26), (214, 138, 32)):
        draw_person(draw, x, base, size)
    view = np.array(image)
    leaves = 0.18 * waves(rng, view.shape, 4) + 0.14 * waves(rng, view.shape, 2)
    for centre, radii in (((60, 52), (25, 27)), ((64, 204), (21, 22)), ((72, 161), (10, 10))):
        view[(ellipsoid(indices(view.shape), centre, radii) + leaves > 0) & (view != PERSON)] = VEGETATION
    return view


def draw_car(draw: ImageDraw, x: int, base: int, size: int) -> None:
    """Draw a car from behind, its wheels on row ``base``."""
    half, middle = size // 2, base - size // 2
    draw.rounded_rectangle((x - half, middle, x + half, base - 2), radius=size // 8, fill=CAR)
    roof, top = size // 3, base - int(0.8 * size)
    corners = [(x - half + 1, middle + 2), (x - roof, top), (x + roof, top), (x + half - 1, middle + 2)]
    draw.polygon(corners, fill=CAR)
    for wheel in (x - half + 1, x + half - size // 5 - 1):
        draw.rectangle((wheel, base - 3, wheel + size // 5, base), fill=CAR)


def draw_person(draw: ImageDraw, x: int, base: int, size: int) -> None:
    """Draw someone who walks, the feet on row ``base``."""
    unit = size / 8
    draw.ellipse((x - 0.55 * unit, base - 8 * unit, x + 0.55 * unit, base - 6.6 * unit), fill=PERSON)
    right = [(0.4, 6.8), (1.0, 6.4), (1.2, 3.8), (0.8, 3.6)]
    trunk = right + [(-dx, dy) for dx, dy in reversed(right)]
    legs = [(-0.8, 4), (0.8, 4), (1.3, 0), (0.5, 0), (0, 2.6), (-0.6, 0), (-1.4, 0)]
    for outline in (trunk, legs):
        draw.polygon([(x + dx * unit, base - dy * unit) for dx, dy in outline], fill=PERSON)


def street(rng: np.random.Generator) -> Pair:
    """Draw a street; in the reference people and cars have a border of void."""
    reference = street_view(rng)
    where = indices(reference.shape)
    prediction = wavering(rng, reference, 1.1, 4)
    kerb = 0.25 * waves(rng, reference.shape, 5)
    for before, after, centre, radii in (
        (PERSON, PAVEMENT, (122, 214), (22, 9)),  # not seen
        (BUILDING, PERSON, (104, 248), (20, 3)),  # a drainpipe
        (PAVEMENT, PERSON, (104, 248), (20, 3)),
        (CAR, BUILDING, (100, 176), (7, 16)),  # what the windows mirror
        (ROAD, PAVEMENT, (180, 34), (18, 26)),
        (PAVEMENT, ROAD, (160, 204), (14, 14)),
        (BUILDING, VEGETATION, (66, 238), (18, 12)),
    ):
        ragged = 0 if PERSON in {before, after} or before == CAR else kerb
        prediction[(prediction == before) & (ellipsoid(where, centre, radii) + ragged > 0)] = after
    things = np.isin(reference, (PERSON, CAR))
    inner = things.copy()
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        inner &= np.roll(reference, step, axis) == reference
    reference[things & ~inner] = VOID
    return prediction, reference


def lesion(rng: np.random.Generator) -> Pair:
    """Draw a mole and its satellite, which the prediction misses; it takes a hair for another."""
    where = indices((128, 128))
    rough, fine = waves(rng, (128, 128), 9), waves(rng, (128, 128), 3)
    mole = ellipsoid(where, (60, 56), (37, 31)) + 0.09 * rough
    reference = (mole + 0.05 * fine > 0) | (ellipsoid(where, (98, 98), (9, 7)) + 0.1 * fine > 0)
    prediction = wavering(rng, mole > 0.03, 1.5, 8, (1.5, -2))
    prediction |= ellipsoid(where, (24, 98), (4, 7)) + 0.1 * rough > 0
    return prediction, reference


def cells(rng: np.random.Generator) -> Pair:
    """Draw cells numbered from 300; the prediction splits one, and loses a part of one where tiles meet."""
    where = indices((128, 128))
    centres = [(26, 30), (30, 72), (24, 104), (62, 46), (66, 88), (100, 26), (98, 66), (100, 102)]
    bumps = 0.14 * waves(rng, (128, 128), 5)
    fields = np.stack([ellipsoid(where, each, rng.uniform(15, 23, 2)) + bumps for each in centres])
    reference = np.where(fields.max(axis=0) > 0, 300 + fields.argmax(axis=0), 0).astype(np.uint16)
    prediction = wavering(rng, reference, 1.1, 5, (0.5, -0.5))
    prediction[(prediction == 304) & (where[0] + where[1] > 160)] = 308
    prediction[(prediction == 305) & (where[1] < 20)] = 0
    return prediction, reference


def nodule(rng: np.random.Generator) -> Pair:
    """Draw an organ and a nodule in it."""
    shape = (24, 24, 16)
    mm = millimetres(shape, (2, 2, 3))
    bumps = 0.1 * waves(rng, shape, 3)
    reference = (ellipsoid(mm, (0, 0, 0), (18, 15, 17)) + bumps > 0).astype(np.uint8)
    reference[ellipsoid(mm, (4, -2, 3), (7, 7, 8)) + bumps > 0] = 2
    return wavering(rng, reference, 0.5, 3), reference


def garden(rng: np.random.Generator) -> Pair:
    """Draw a garden from above: a house 1, trees 2 and a path 3; no two directions look the same."""
    rows, columns = where = indices((48, 64))
    leaves = 0.12 * waves(rng, (48, 64), 2)
    reference = np.where(np.abs(columns - 40 - 5 * np.sin(rows / 9)) < 2.5, 3, 0).astype(np.uint8)
    reference[8:22, 6:30] = reference[22:34, 6:16] = 1
    for centre, radii in (((36, 26), (7, 8)), ((12, 54), (9, 7)), ((40, 56), (5, 5))):
        reference[ellipsoid(where, centre, radii) + leaves > 0] = 2
    prediction = wavering(rng, reference, 0.7, 3)
    prediction[(prediction == 1) & (rows > 29)] = 0
    prediction[(prediction == 3) & (np.abs(rows - 30) < 3)] = 2
    return prediction, reference
