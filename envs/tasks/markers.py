"""Visual shapes that mark a goal or a region, in the frame of the goal or region.

Goal markers are longer than the objects, so that they stay visible at the goal. Lengths in m.
"""

import math

from ..sim import rotations
from ..sim.colours import AXES, GOAL, OBSTACLE
from ..sim.types import Colour, Shape

_HALF_THICKNESS = 0.004
# A circle is drawn as this many chords.
_CHORDS = 16
_STEPS = tuple(rotations.about_z(2.0 * math.pi * i / _CHORDS) for i in range(_CHORDS))
_UPRIGHT = (rotations.about_y(math.pi / 2.0), (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)))


def _bar(axis: int, low: float, high: float, colour: Colour) -> Shape:
    """Returns a thin bar along an axis, from `low` to `high`."""
    size = tuple((high - low) / 2.0 if i == axis else _HALF_THICKNESS for i in range(3))
    x, y, z = ((low + high) / 2.0 if i == axis else 0.0 for i in range(3))
    return Shape("box", size, (x, y, z), colour=colour)


POSITION_MARKER = tuple(_bar(axis, -0.05, 0.05, GOAL) for axis in range(3))
POSE_MARKER = (
    *(_bar(axis, 0.0, 0.09, colour) for axis, colour in enumerate(AXES)),
    *(_bar(axis, -0.05, 0.0, GOAL) for axis in range(3)),
)


def region_marker(radius: float) -> tuple[Shape, ...]:
    """Returns three circles on the surface of a sphere.

    The software renderer cannot draw a translucent sphere.
    """
    half_chord = radius * math.sin(math.pi / _CHORDS)
    size = (_HALF_THICKNESS, half_chord, _HALF_THICKNESS)
    bar = Shape("box", size, (radius, 0.0, 0.0), colour=OBSTACLE)
    return tuple(
        bar._replace(position=rotations.rotate(rotation, bar.position), rotation=rotation)
        for circle in (rotations.IDENTITY, *_UPRIGHT)
        for rotation in (rotations.multiply(circle, step) for step in _STEPS)
    )
