"""Uneven ground: a bed of tilted blocks sunk into a table top, and its height at any point.

As in Dext-Gen, the blocks stand in rows about 0.1 m apart. Large blocks rise 5 cm above the table,
and the small blocks around them 2.6 cm. About half of the table stays bare. Lengths in m.
"""

import math
from collections.abc import Sequence

from ..sim import rotations
from ..sim.colours import BLOCKS
from ..sim.rotations import Quaternion
from ..sim.types import Shape

_EIGHTH = math.pi / 4.0


def make_bed(centre: tuple[float, float], surface: float) -> tuple[Shape, ...]:
    """Returns the blocks, placed in the world frame.

    Args:
        centre: x and y of the table.
        surface: height of its top.
    """
    large = [(x, y) for x in (-0.12, 0.0, 0.12) for y in (-0.2, -0.1, 0.0, 0.1, 0.2)]
    beside = [(x, y) for x in (-0.2, 0.2) for y in (-0.22, -0.12, -0.02, 0.08, 0.18)]
    before = [(x, y) for y in (-0.29, 0.29) for x in (-0.2, -0.1, 0.0, 0.1, 0.2)]
    places = [(x, y, 0.05, 0.035) for x, y in large]
    places += [(x, y, 0.03, 0.025) for x, y in beside + before]
    blocks = []
    for i, (x, y, half, depth) in enumerate(places):
        position = (centre[0] + x, centre[1] + y, surface - depth)
        blocks.append(Shape("box", (half,) * 3, position, _tilt(x == 0.0), BLOCKS[i % len(BLOCKS)]))
    return tuple(blocks)


def height(bed: Sequence[Shape], x: float, y: float) -> float:
    """Returns the height of the highest box at a point; -inf if there is none."""
    return max((_top(block, x, y) for block in bed), default=-math.inf)


def _tilt(mirrored: bool) -> Quaternion:
    about_x = rotations.about_x(-_EIGHTH if mirrored else _EIGHTH)
    return rotations.multiply(about_x, rotations.about_y(_EIGHTH))


def _top(block: Shape, x: float, y: float) -> float:
    """Returns the height at which the vertical line at (x, y) leaves a box; -inf if it misses."""
    dx, dy = x - block.position[0], y - block.position[1]
    a, b, c = block.size
    if dx * dx + dy * dy > a * a + b * b + c * c:
        return -math.inf
    m = rotations.matrix(block.rotation)
    low, high = -math.inf, math.inf
    for i, half in enumerate(block.size):
        offset, slope = m[i] * dx + m[3 + i] * dy, m[6 + i]
        # The line is parallel to this pair of faces.
        if abs(slope) < 1e-9:
            low = low if abs(offset) <= half else math.inf
            continue
        ends = sorted(((-half - offset) / slope, (half - offset) / slope))
        low, high = max(low, ends[0]), min(high, ends[1])
    return block.position[2] + high if low <= high else -math.inf
