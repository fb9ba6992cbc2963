"""What counts as done: rewards and success as pure NumPy, over any leading dimensions.

Rewards are computed in float64 from element-wise operations only, so a batch gives the bits of its
single goals.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Task:
    """Bring the object's centre to a position.

    Attributes:
        goal_size: numbers in a goal.
        tolerance: greatest distance (m) that counts as there.
    """

    goal_size: int = 3
    tolerance: float = 0.05

    def success(self, achieved_goal: ArrayLike, desired_goal: ArrayLike) -> Any:
        """Whether goals are achieved: bool [...] from positions [..., 3] (world, m)."""
        gap = np.subtract(achieved_goal, desired_goal, dtype=np.float64)
        gap *= gap
        return gap[..., 0] + gap[..., 1] + gap[..., 2] <= self.tolerance * self.tolerance

    def reward(self, achieved_goal: ArrayLike, desired_goal: ArrayLike) -> Any:
        """0 where `success`, else -1: float32 [...] (a NumPy scalar for single goals)."""
        return np.float32(self.success(achieved_goal, desired_goal)) - np.float32(1.0)


LIFT = Task()
