"""What shows a goal: shapes that are only seen, in the goal's frame.

Longer than the objects, so that a goal shows when it is achieved too. Lengths in m.
"""

from envs.palette import AXES, GOAL
from envs.scene import Colour, Shape

_THIN = 0.004  # half thickness


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
