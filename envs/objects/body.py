"""The one object in a simulation: another body takes its place when kind or size change.

To keep all bodies of a set instead, out of the way, costs more: 0.8 us each and substep.
"""

from ..sim.simulation import Simulation
from .spec import ObjectSpec

_LASTS = 4096  # bodies; PyBullet keeps about 900 bytes of each that was removed


class ObjectBody:
    """Holds an object's body.

    Args:
        sim: the world it is in.
    """

    def __init__(self, sim: Simulation) -> None:
        """Begins without a body."""
        self._sim = sim
        self._body = -1
        self._kind = ("", 0.0)
        self._bodies = 0

    @property
    def needs_rebuild(self) -> bool:
        """Whether so many bodies came and went that the world should be made anew."""
        return self._bodies >= _LASTS

    def set_object(self, spec: ObjectSpec, size: float) -> int:
        """Sees to it that there is a body of this kind and size, and no other; returns its id."""
        if (spec.name, size) != self._kind:
            if self._body >= 0:
                self._sim.remove_body(self._body)
            self._body = self._sim.add_body(
                spec.shape.scaled(size), spec.mass, spec.rolling_friction
            )
            self._kind = (spec.name, size)
            self._bodies += 1
        return self._body
