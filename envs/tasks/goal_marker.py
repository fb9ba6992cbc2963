"""Displays the goal of an episode, and the region to avoid, in a simulation."""

from collections.abc import Sequence

from ..sim.simulation import Simulation
from .goals import Task


class GoalMarker:
    """The visual shapes of a goal; there are none in a world without visual shapes.

    Args:
        sim: the world.
        task: the task whose goals are displayed.
    """

    def __init__(self, sim: Simulation, task: Task) -> None:
        """Adds the shapes."""
        self._sim, self._task = sim, task
        self._goal, self._region = sim.add_marker(task.marker), sim.add_marker(task.region)

    def show(self, goal: Sequence[float]) -> None:
        """Moves the shapes to a goal."""
        x, y, z = goal[:3]
        self._sim.move_marker(self._goal, (x, y, z), self._task.goal_rotation(goal))
        if self._region:
            x, y, z = goal[3:6]
            self._sim.move_marker(self._region, (x, y, z))
