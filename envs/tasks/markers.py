"""What shows a goal or a region: shapes that are only seen, in its frame.

A goal's are longer than the objects, so that it shows when it is achieved too. Lengths in m.
"""

import math

from ..sim import rotations
from ..sim.colours import AXES, GOAL, OBSTACLE
from ..sim.types import Colour, Shape

_THIN = 0.004  # half thickness
_CHORDS = 16  # that make a circle
_STEPS = tuple(rotations.about_z(2.0 * math.pi * i / _CHORDS) for i in range(_CHORDS))
_UPRIGHT = (rotations.about_y(math.pi / 2.0), (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)))


def _bar(axis: int, low: float, high: float, colour: Colour) -> Shape:
    """A thin bar along an axis, from `low` to `high`."""
    size = tuple((high - low) / 2.0 if i == axis else _THIN for i in range(3))
    x, y, z = ((low + high) / 2.0 if i == axis else 0.0 for i in range(3))
    return Shape("box", size, (x, y, z), colour=colour)


POSITION_MARKER = tuple(_bar(axis, -0.05, 0.05, GOAL) for axis in range(3))
POSE_MARKER = (
    *(_bar(axis, 0.0, 0.09, colour) for axis, colour in enumerate(AXES)),
    *(_bar(axis, -0.05, 0.0, GOAL) for axis in range(3)),
)


def region_marker(radius: float) -> tuple[Shape, ...]:
    """Three circles on the border of a ball; in software nothing can be drawn translucent."""
    half_chord = radius * math.sin(math.pi / _CHORDS)
    bar = Shape("box", (_THIN, half_chord, _THIN), (radius, 0.0, 0.0), colour=OBSTACLE)
    return tuple(
        bar._replace(position=rotations.rotate(turn, bar.position), rotation=turn)
        for circle in (rotations.IDENTITY, *_UPRIGHT)
        for turn in (rotations.multiply(circle, step) for step in _STEPS)
    )
