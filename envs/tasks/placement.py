"""Puts an arena into a simulation, and objects at rest on it.

On a plane that is geometry. On a bed of blocks the object is dropped in a world of its own, without
the hand, which costs a tenth of an episode instead of half. Departs from Dext-Gen, which lets
objects settle below the hand, without a bound.
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

_COMPOUND = 16  # blocks per body: costs least
_DROPS = 100  # one in seven rolls out of the region, so in practice never all of them
_STEPS = 50  # 2 s; half of the drops rest after 11 steps, 99% after 40
_RESTING = 2  # steps in a row
_SUBSTEPS = 4  # at most: without a hand 10 ms are short enough; objects then move 0.3 mm (median)
_SPEED, _SPIN = 0.0025, 0.05  # m/s, rad/s: 0.1 mm and 2 mrad a step


def build(sim: Simulation, arena: ArenaSpec) -> None:
    """Adds all that does not move."""
    for solid in arena.solids:
        sim.add_body(solid, 0.0)
    for start in range(0, len(arena.bed), _COMPOUND):
        blocks = arena.bed[start : start + _COMPOUND]
        sim.add_urdf(fixed_urdf(f"bed{start}", blocks, sim.visuals))


class Ground:
    """A plane that objects are laid on."""

    def __init__(self, arena: ArenaSpec) -> None:
        """Takes the arena that is the ground."""
        self.arena = arena

    def lay(
        self, rng: np.random.Generator, spec: ObjectSpec, size: float, gripper: tuple[float, float]
    ) -> tuple[Vector, Quaternion]:
        """Draws position and rotation of an object at rest.

        Args:
            rng: source of chance.
            spec: the object.
            size: factor on its size.
            gripper: x and y that it keeps the arena's clearance from.

        Raises:
            ResetError: there is no room, or the object does not come to rest.
        """
        x, y = self.arena.sample_object(rng, gripper)
        rotation = spec.sample_rotation(rng)
        height = rest_height(spec.shape.scaled(size), rotation)
        return (x, y, self.arena.surface + height), rotation

    def close(self) -> None:
        """Frees what was built."""


class Bed(Ground):
    """Blocks that objects are dropped on, with a random orientation, until they rest.

    Args:
        arena: with a bed.
        stepping: of the world that the objects go to.
    """

    def __init__(self, arena: ArenaSpec, stepping: Stepping) -> None:
        """Builds a world of the arena alone."""
        super().__init__(arena)
        substeps = min(stepping.substeps, _SUBSTEPS)
        period = stepping.substeps * stepping.time_step
        self._stepping = stepping._replace(substeps=substeps, time_step=period / substeps)
        self._build()
        self._top = max(b.position[2] + rest_height(b, b.rotation) for b in arena.bed)

    def lay(
        self, rng: np.random.Generator, spec: ObjectSpec, size: float, gripper: tuple[float, float]
    ) -> tuple[Vector, Quaternion]:
        """As `Ground.lay`."""
        if self._object.needs_rebuild:
            self._sim.close()
            self._build()
        body = self._object.set_object(spec, size)
        for _ in range(_DROPS):
            x, y = self.arena.sample_object(rng, gripper)
            rotation = rotations.uniform(rng)
            height = self._top + rest_height(spec.shape.scaled(size), rotation)
            state = self._drop(body, (x, y, height), rotation)
            if state is not None and self.arena.admits_object(state.position, gripper):
                return state.position, state.rotation
        raise ResetError(
            f"{spec.name} of size {size} did not come to rest in {_STEPS} steps, within "
            f"{self.arena.object_region} m of {self.arena.centre}, in {_DROPS} drops"
        )

    def close(self) -> None:
        """Frees the world."""
        self._sim.close()

    def _build(self) -> None:
        self._sim = Simulation(self._stepping, renderer=None)
        build(self._sim, self.arena)
        self._object = ObjectBody(self._sim)

    def _drop(self, body: int, position: Vector, rotation: Quaternion) -> BodyState | None:
        """The state in which a body comes to rest; None if it does not."""
        self._sim.flush([body])
        self._sim.reset_body(body, position, rotation)
        resting = 0
        for _ in range(_STEPS):
            self._sim.step()
            state = self._sim.state(body)
            slow = math.hypot(*state.linear) < _SPEED and math.hypot(*state.angular) < _SPIN
            resting = resting + 1 if slow else 0
            if resting == _RESTING:
                return state
        return None


def make_ground(arena: ArenaSpec, stepping: Stepping) -> Ground:
    """The ground of an arena."""
    return Bed(arena, stepping) if arena.bed else Ground(arena)
