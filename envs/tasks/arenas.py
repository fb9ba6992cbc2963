"""Where things are: the support surface and the regions that positions are drawn from.

Positions of gripper, object and goal are drawn uniformly; a draw too close to an earlier one is
drawn again, a bounded number of times (Dext-Gen loops without a bound). Lengths in m, "world"
frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..sim.colours import FLOOR, TABLE
from ..sim.rotations import Vector
from ..sim.types import Camera, Shape
from . import terrain

_TRIES = 1000  # a draw fails with probability < 0.5, so in practice never all of them


class ResetError(RuntimeError):
    """No start of an episode fulfils the arena's distances."""


@dataclass(frozen=True)
class ArenaSpec:
    """A scene.

    Attributes:
        solids: immovable shapes, placed in the world frame.
        centre: x and y that all regions are centred on.
        surface: height that objects rest on.
        gripper_region: half extents in x and y of the gripper's start.
        object_region: half extents in x and y of the object's start.
        goal_region: half extents in x and y of the goal.
        clearance: least distance in the plane of object to gripper and of goal to object.
        lift_height: greatest height of a goal above the object's height at rest.
        camera: the view that shows all of it.
        bed: blocks on the table that make the ground uneven; none: objects rest at `surface`.
    """

    solids: tuple[Shape, ...]
    centre: tuple[float, float]
    surface: float
    gripper_region: tuple[float, float]
    object_region: tuple[float, float]
    goal_region: tuple[float, float]
    clearance: float
    lift_height: float
    camera: Camera
    bed: tuple[Shape, ...] = ()

    def ground(self, x: float, y: float) -> float:
        """Height of the ground at a point of the plane."""
        return max(self.surface, terrain.height(self.bed, x, y))

    def lift(self, position: Sequence[float], resting: Vector) -> float:
        """How much higher above the ground below it a position is than an object at rest."""
        rise = self.ground(*position[:2]) - self.ground(*resting[:2])
        return position[2] - resting[2] - rise

    def sample_gripper(self, rng: np.random.Generator) -> tuple[float, float]:
        """Draws x and y of the gripper."""
        return _draw(rng, self.centre, self.gripper_region)

    def sample_object(
        self, rng: np.random.Generator, gripper: tuple[float, float]
    ) -> tuple[float, float]:
        """Draws x and y of the object, at least `clearance` from the gripper's."""
        return self._draw_apart(rng, self.object_region, gripper)

    def admits_object(self, position: Vector, gripper: tuple[float, float]) -> bool:
        """Whether `sample_object` could have drawn this position."""
        offsets = (abs(a - b) for a, b in zip(position, self.centre, strict=False))
        inside = all(d <= half for d, half in zip(offsets, self.object_region, strict=True))
        return inside and self._apart(position[:2], gripper)

    def sample_goal(self, rng: np.random.Generator, resting: Vector, air_share: float) -> Vector:
        """Draws a position for the object.

        Args:
            rng: source of chance.
            resting: the object's position at the start.
            air_share: probability of a `lift` uniform in [0, lift_height], rather than none.
        """
        x, y = self._draw_apart(rng, self.goal_region, resting[:2])
        lift = self.lift_height * rng.random() if rng.random() < air_share else 0.0
        return x, y, resting[2] + (self.ground(x, y) - self.ground(*resting[:2])) + lift

    def _draw_apart(
        self,
        rng: np.random.Generator,
        region: tuple[float, float],
        other: tuple[float, float],
    ) -> tuple[float, float]:
        for _ in range(_TRIES):
            x, y = _draw(rng, self.centre, region)
            if self._apart((x, y), other):
                return x, y
        raise ResetError(
            f"no point within {region} m of {self.centre} is {self.clearance} m away from {other}"
            f" in {_TRIES} tries"
        )

    def _apart(self, a: tuple[float, float], b: tuple[float, float]) -> bool:
        return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 >= self.clearance**2


def _draw(
    rng: np.random.Generator, centre: tuple[float, float], region: tuple[float, float]
) -> tuple[float, float]:
    u, v = rng.random(2).tolist()
    return centre[0] + region[0] * (2.0 * u - 1.0), centre[1] + region[1] * (2.0 * v - 1.0)


_TABLE = Shape("box", (0.25, 0.35, 0.2), (0.5, 0.0, 0.2), colour=TABLE)
_FLOOR = Shape("box", (5.0, 5.0, 0.5), (0.5, 0.0, -0.5), colour=FLOOR)

FLAT = ArenaSpec(
    solids=(_FLOOR, _TABLE),
    centre=(0.5, 0.0),
    surface=0.4,
    gripper_region=(0.05, 0.10),
    object_region=(0.10, 0.15),
    goal_region=(0.15, 0.15),
    clearance=0.1,
    lift_height=0.3,
    camera=Camera(eye=(1.6, 1.0, 1.54), target=(0.5, 0.0, 0.65), fov=24.5),
)

UNEVEN = replace(FLAT, bed=terrain.make_bed(FLAT.centre, FLAT.surface))
