"""Shows the goal of an episode, and the region to be kept clear, in a simulation."""

from collections.abc import Sequence

from ..sim.simulation import Simulation
from .tasks import Task


class GoalMarker:
    """What is seen of a goal; nothing where nothing is rendered.

    Args:
        sim: the world it is shown in.
        task: whose goals.
    """

    def __init__(self, sim: Simulation, task: Task) -> None:
        """Adds the shapes."""
        self._sim, self._task = sim, task
        self._goal, self._region = sim.add_marker(task.marker), sim.add_marker(task.region)

    def show(self, goal: Sequence[float]) -> None:
        """Moves the shapes to a goal of the task."""
        x, y, z = goal[:3]
        self._sim.place(self._goal, (x, y, z), self._task.goal_rotation(goal))
        if self._region:
            x, y, z = goal[3:6]
            self._sim.place(self._region, (x, y, z))
