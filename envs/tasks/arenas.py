"""Arenas: the support surface, and the regions from which positions are sampled.

Positions of gripper, object and goal are sampled uniformly; samples too close to an earlier one are
rejected, up to a limit. Departs from Dext-Gen, which has no limit. Lengths in m, "world" frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..sim.colours import TABLE, UNSEEN
from ..sim.rotations import Vector
from ..sim.types import Camera, Shape
from . import terrain

# A sample is rejected with probability < 0.53, so this limit is never reached in practice.
_MAX_SAMPLES = 1000


class ResetError(RuntimeError):
    """No initial state satisfies the arena's constraints."""


@dataclass(frozen=True)
class ArenaSpec:
    """An arena.

    Attributes:
        solids: immovable shapes, placed in the world frame.
        centre: x and y of the centre of all regions.
        surface: height of the table top.
        gripper_region: half extents in x and y of the gripper's initial positions.
        object_region: half extents in x and y of the object's initial positions.
        goal_region: half extents in x and y of the goals.
        clearance: least horizontal distance between object and gripper, and goal and object.
        lift_height: greatest height of a goal above the object's height at rest.
        camera: a view of the whole arena.
        bed: blocks on the table that make the ground uneven; if empty, it is flat.
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
        """Returns the height of the ground at a point."""
        return max(self.surface, terrain.height(self.bed, x, y))

    def lift(self, position: Sequence[float], resting: Vector) -> float:
        """Returns how much higher a position is above the ground below it than an object at rest.

        Args:
            position: x, y, z.
            resting: position of the object at rest.
        """
        rise = self.ground(*position[:2]) - self.ground(*resting[:2])
        return position[2] - resting[2] - rise

    def sample_gripper(self, rng: np.random.Generator) -> tuple[float, float]:
        """Samples x and y of the gripper."""
        return _sample(rng, self.centre, self.gripper_region)

    def sample_object(
        self, rng: np.random.Generator, gripper: tuple[float, float]
    ) -> tuple[float, float]:
        """Samples x and y of the object, at least `clearance` away from the gripper."""
        return self._sample_apart(rng, self.object_region, gripper)

    def admits_object(self, position: Vector, gripper: tuple[float, float]) -> bool:
        """Whether `sample_object` could return this position."""
        offsets = (abs(a - b) for a, b in zip(position, self.centre, strict=False))
        inside = all(d <= half for d, half in zip(offsets, self.object_region, strict=True))
        return inside and self._apart(position[:2], gripper)

    def sample_goal(self, rng: np.random.Generator, resting: Vector, p_air: float) -> Vector:
        """Samples a target position for the object.

        Args:
            rng: random generator.
            resting: the object's initial position.
            p_air: probability of a `lift` uniform in [0, lift_height]; otherwise it is 0.
        """
        x, y = self._sample_apart(rng, self.goal_region, resting[:2])
        lift = self.lift_height * rng.random() if rng.random() < p_air else 0.0
        return x, y, resting[2] + (self.ground(x, y) - self.ground(*resting[:2])) + lift

    def _sample_apart(
        self,
        rng: np.random.Generator,
        region: tuple[float, float],
        other: tuple[float, float],
    ) -> tuple[float, float]:
        for _ in range(_MAX_SAMPLES):
            x, y = _sample(rng, self.centre, region)
            if self._apart((x, y), other):
                return x, y
        raise ResetError(
            f"no point within {region} m of {self.centre} is {self.clearance} m away from {other}:"
            f" {_MAX_SAMPLES} samples were rejected"
        )

    def _apart(self, a: tuple[float, float], b: tuple[float, float]) -> bool:
        return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 >= self.clearance**2


def _sample(
    rng: np.random.Generator, centre: tuple[float, float], region: tuple[float, float]
) -> tuple[float, float]:
    u, v = rng.random(2).tolist()
    return centre[0] + region[0] * (2.0 * u - 1.0), centre[1] + region[1] * (2.0 * v - 1.0)


_TABLE = Shape("box", (0.25, 0.35, 0.2), (0.5, 0.0, 0.2), colour=TABLE)
_FLOOR = Shape("box", (5.0, 5.0, 0.5), (0.5, 0.0, -0.5), colour=UNSEEN)

FLAT = ArenaSpec(
    solids=(_FLOOR, _TABLE),
    centre=(0.5, 0.0),
    surface=0.4,
    gripper_region=(0.05, 0.10),
    object_region=(0.10, 0.15),
    goal_region=(0.15, 0.15),
    clearance=0.1,
    lift_height=0.3,
    camera=Camera(eye=(1.216, 0.56, 1.078), target=(0.5, 0.0, 0.615), fov=32.0),
)

UNEVEN = replace(FLAT, bed=terrain.make_bed(FLAT.centre, FLAT.surface))
