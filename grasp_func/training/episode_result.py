"""How an episode went: success, distance to the goal, drops.

All measures follow from what was observed, so that they never influence it. Departs from Dext-Gen,
which counts successes only.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from grasp_func.core.replay import LIFTED
from grasp_func.core.rotations import embedding_to_matrix
from grasp_func.core.types import Array, EnvSpec
from grasp_func.training.goal_env import Observation

# A lifted object is down again where it is less than this above its height at the start, in metres.
DOWN = 0.02
# An object that comes down on its way to the goal achieves it within so many steps.
ARRIVAL = 5
# An object this far below the ground at its start has left the table, in metres.
OFF_TABLE = -0.1
# Kinds of goals; None stands for all.
GOALS = (None, "table", "air")


class EpisodeResult(NamedTuple):
    """How an episode went; None where the environment does not say.

    Attributes:
        seed: of the episode; `env.reset(seed=seed)` begins it again.
        success: whether the goal was achieved at the last step.
        reward: mean reward of a step, in [lowest_reward, 0].
        at_goal: share of the steps after which the goal was achieved.
        first_success: steps until the goal was first achieved; None if it never was.
        air: whether the goal required lifting.
        object: name of the object.
        distance: between achieved and desired position at the last step (m).
        angle: between achieved and desired rotation at the last step (rad).
        drops: how often the object came down after it had been lifted without being at its goal
            then or within 5 steps. It is lifted once it is 4.5 cm higher above the ground below it
            than at the start, and down once it is less than 2 cm higher.
        off_table: whether the object was ever 10 cm lower than that, so that it left the table.
    """

    seed: int
    success: bool
    reward: float
    at_goal: float
    first_success: int | None
    air: bool | None = None
    object: str | None = None
    distance: float | None = None
    angle: float | None = None
    drops: int | None = None
    off_table: bool | None = None

    @property
    def goal(self) -> str | None:
        """Kind of the goal: "air" if it required lifting, else "table"; None: unknown."""
        return None if self.air is None else GOALS[1 + self.air]


def measure(
    seed: int,
    observed: Sequence[Observation],
    rewards: Array,
    object_name: str | None,
    env_spec: EnvSpec,
) -> EpisodeResult:
    """Returns how an episode went.

    Args:
        seed: of the episode.
        observed: after the reset and after each step, T + 1.
        rewards: of the steps [T].
        object_name: of the object.
        env_spec: where goals hold a position and a rotation.
    """
    there, last = [now.success for now in observed], observed[-1]
    lifts = [(now.lift, now.success) for now in observed if now.lift is not None]
    where, rotation = env_spec.goal_position, env_spec.goal_rotation
    gap = np.subtract(last.achieved, last.goal, dtype=np.float64)
    return EpisodeResult(
        seed=seed,
        success=last.success,
        reward=float(np.mean(rewards, dtype=np.float64)),
        at_goal=float(np.mean(there[1:])),
        first_success=there.index(True) if any(there) else None,
        air=last.air,
        object=object_name,
        distance=None if where is None else float(np.linalg.norm(gap[where])),
        angle=None if rotation is None else _angle(last.achieved[rotation], last.goal[rotation]),
        drops=_count_drops(lifts) if lifts else None,
        off_table=min(lift for lift, _ in lifts) < OFF_TABLE if lifts else None,
    )


def _angle(achieved: Array, goal: Array) -> float:
    """Returns the angle between two rotations, each two columns of a matrix [6] (rad)."""
    a, b = (embedding_to_matrix(torch.tensor(columns).double()) for columns in (achieved, goal))
    return float(torch.acos((0.5 * ((a * b).sum() - 1.0)).clamp(-1.0, 1.0)))


def _count_drops(lifts: Sequence[tuple[float, bool]]) -> int:
    """Returns the number of drops in a sequence of (lift in m, whether the goal is achieved)."""
    drops, lifted = 0, False
    for t, (lift, _) in enumerate(lifts):
        if lifted and lift < DOWN:
            lifted = False
            drops += not any(there for _, there in lifts[t : t + ARRIVAL + 1])
        lifted = lifted or lift > LIFTED
    return drops
