"""Adds an arena to a simulation and finds poses in which objects rest on it.

On flat ground the pose follows from geometry. On a bed of blocks the object is dropped in a
separate world without the gripper, which takes a tenth of an episode's time instead of half.
Departs from Dext-Gen, where objects settle below the gripper, without a time limit.
"""

import math

import numpy as np

from ..objects.body import ObjectBody
from ..objects.spec import ObjectSpec, rest_height
from ..sim import rotations
from ..sim.rotations import Quaternion, Vector
from ..sim.simulation import Simulation
from ..sim.types import BodyState, Stepping
from ..sim.urdf import fixed_urdf
from .arenas import ArenaSpec, ResetError

# The fastest number of blocks per body.
_BLOCKS_PER_BODY = 16
# One drop in seven leaves the region, so this limit is never reached in practice.
_MAX_DROPS = 100
# 2 s. Half of the drops come to rest within 11 steps, 99% within 40.
_MAX_STEPS = 50
# An object is at rest after this many consecutive slow steps.
_RESTING_STEPS = 2
# Slow means less than these speeds, in m/s and rad/s: 0.1 mm and 2 mrad per step.
_MAX_LINEAR, _MAX_ANGULAR = 0.0025, 0.05
# Without a gripper, substeps of 10 ms are short enough. Objects then move by 0.3 mm (median) when
# they are transferred to the other world.
_MAX_SUBSTEPS = 4


def add_arena(sim: Simulation, arena: ArenaSpec) -> None:
    """Adds the immovable bodies of an arena to a simulation."""
    for solid in arena.solids:
        sim.add_body(solid, 0.0)
    for start in range(0, len(arena.bed), _BLOCKS_PER_BODY):
        blocks = arena.bed[start : start + _BLOCKS_PER_BODY]
        sim.add_urdf(fixed_urdf(f"bed{start}", blocks, sim.visuals))


class Ground:
    """Flat ground."""

    def __init__(self, arena: ArenaSpec) -> None:
        """Stores the arena."""
        self.arena = arena

    def sample_resting_pose(
        self, rng: np.random.Generator, spec: ObjectSpec, size: float, gripper: tuple[float, float]
    ) -> tuple[Vector, Quaternion]:
        """Samples position and rotation of an object at rest.

        Args:
            rng: random generator.
            spec: the object.
            size: factor on its size.
            gripper: x and y of the gripper; the object keeps the arena's clearance from it.

        Returns:
            Position (world, m) and quaternion xyzw (world).

        Raises:
            ResetError: there is no room, or the object does not come to rest.
        """
        x, y = self.arena.sample_object(rng, gripper)
        rotation = spec.sample_rotation(rng)
        height = rest_height(spec.shape.scaled(size), rotation)
        return (x, y, self.arena.surface + height), rotation

    def close(self) -> None:
        """Does nothing: flat ground has no world of its own."""


class Bed(Ground):
    """Uneven ground, on which objects are dropped in a random orientation.

    Args:
        arena: an arena with a bed.
        stepping: of the world in which the objects will be used.
    """

    def __init__(self, arena: ArenaSpec, stepping: Stepping) -> None:
        """Builds a world with nothing but the arena."""
        super().__init__(arena)
        substeps = min(stepping.substeps, _MAX_SUBSTEPS)
        period = stepping.substeps * stepping.time_step
        self._stepping = stepping._replace(substeps=substeps, time_step=period / substeps)
        self._build()
        self._top = max(b.position[2] + rest_height(b, b.rotation) for b in arena.bed)

    def sample_resting_pose(
        self, rng: np.random.Generator, spec: ObjectSpec, size: float, gripper: tuple[float, float]
    ) -> tuple[Vector, Quaternion]:
        """Samples a pose as `Ground.sample_resting_pose` does."""
        if self._object.needs_rebuild:
            self._sim.close()
            self._build()
        body = self._object.set_object(spec, size)
        for _ in range(_MAX_DROPS):
            x, y = self.arena.sample_object(rng, gripper)
            rotation = rotations.uniform(rng)
            height = self._top + rest_height(spec.shape.scaled(size), rotation)
            state = self._drop(body, (x, y, height), rotation)
            if state is not None and self.arena.admits_object(state.position, gripper):
                return state.position, state.rotation
        raise ResetError(
            f"{spec.name} of size {size} did not come to rest in {_MAX_STEPS} steps within "
            f"{self.arena.object_region} m of {self.arena.centre} in any of {_MAX_DROPS} drops"
        )

    def close(self) -> None:
        """Frees the world."""
        self._sim.close()

    def _build(self) -> None:
        self._sim = Simulation(self._stepping, renderer=None)
        add_arena(self._sim, self.arena)
        self._object = ObjectBody(self._sim)

    def _drop(self, body: int, position: Vector, rotation: Quaternion) -> BodyState | None:
        """Drops a body and returns the state in which it comes to rest; None if it does not."""
        self._sim.flush([body])
        self._sim.reset_body(body, position, rotation)
        resting = 0
        for _ in range(_MAX_STEPS):
            self._sim.step()
            state = self._sim.state(body)
            slow = (
                math.hypot(*state.linear) < _MAX_LINEAR
                and math.hypot(*state.angular) < _MAX_ANGULAR
            )
            resting = resting + 1 if slow else 0
            if resting == _RESTING_STEPS:
                return state
        return None


def make_ground(arena: ArenaSpec, stepping: Stepping) -> Ground:
    """Makes the ground of an arena."""
    return Bed(arena, stepping) if arena.bed else Ground(arena)
