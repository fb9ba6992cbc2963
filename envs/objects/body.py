"""The object in a simulation: one body, which is replaced when kind or size change.

Keeping the bodies of all objects in the world instead would cost 0.8 us per body and substep.
"""

from typing import NamedTuple

from ..sim.rotations import Quaternion, Vector
from ..sim.simulation import Simulation
from .spec import ObjectSpec

# PyBullet leaks about 900 bytes per removed body.
_MAX_BODIES = 4096


class ObjectInfo(NamedTuple):
    """Description and state of the object.

    Attributes:
        name: of the object.
        size: factor on its standard size.
        mass: in kg.
        position: of its centre of mass (world, m).
        rotation: quaternion xyzw (world).
        linear: velocity (world, m/s).
        angular: velocity (world, rad/s).
    """

    name: str
    size: float
    mass: float
    position: Vector
    rotation: Quaternion
    linear: Vector
    angular: Vector


class ObjectBody:
    """Manages the object's body.

    Args:
        sim: the world it belongs to.
    """

    def __init__(self, sim: Simulation) -> None:
        """Starts without a body."""
        self._sim = sim
        self._body = -1
        self._spec: ObjectSpec | None = None
        self._size = 0.0
        self._bodies = 0

    @property
    def needs_rebuild(self) -> bool:
        """Whether the world needs rebuilding, because PyBullet leaks removed bodies."""
        return self._bodies >= _MAX_BODIES

    def set_object(self, spec: ObjectSpec, size: float) -> int:
        """Replaces the body unless kind and size are unchanged, and returns its body id."""
        unchanged = self._spec is not None and (spec.name, size) == (self._spec.name, self._size)
        if not unchanged:
            if self._body >= 0:
                self._sim.remove_body(self._body)
            look = spec.look_at(size) if self._sim.visuals else ()
            self._body = self._sim.add_body(
                spec.shape.scaled(size), spec.mass, spec.rolling_friction, look
            )
            self._spec, self._size = spec, size
            self._bodies += 1
        return self._body

    def info(self) -> ObjectInfo:
        """Returns description and state of the object."""
        assert self._spec is not None
        state = self._sim.state(self._body)
        return ObjectInfo(self._spec.name, self._size, self._spec.mass, *state)
