"""Types of the learner's data.

All docstrings name dimensions by the same letters: B batch, T horizon, S observation, G goal, A
action, E episodes, P parameters, W workers. States are defined beside their functions
(`normalizer.NormState`, `optim.AdamState`, `ddpg.AgentState`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

Array = npt.NDArray[Any]
# Parameters of one network, named as by nn.Module.named_parameters().
Params = dict[str, Tensor]
# Detached scalars.
Metrics = dict[str, Tensor]
# (achieved goals [..., G], desired goals [..., G], info) -> rewards [...].
RewardFn = Callable[[Array, Array, dict[str, Any]], Array]


class Transition(NamedTuple):
    """A batch of transitions after relabelling and before normalisation, float32."""

    obs: Tensor  # [B, S]
    goal: Tensor  # [B, G]
    action: Tensor  # [B, A]
    reward: Tensor  # [B, 1]
    next_obs: Tensor  # [B, S]


class Episode(NamedTuple):
    """One episode of fixed length, or E of them with a leading axis; float32."""

    obs: Array  # [T + 1, S]
    achieved: Array  # [T + 1, G]
    goal: Array  # [G]
    action: Array  # [T, A]
    flags: Array  # [2]: 1 where the object moved, 1 where it was lifted, else 0


class Pairs(NamedTuple):
    """Pairs of entries (x, y) that turn as the coordinates of points in a plane do."""

    # [k, 2] int
    entries: Array
    # of the angle: 1/2 for quaternions, else 1
    share: float


class VectorSymmetry(NamedTuple):
    """How symmetries act on vectors [..., n] of one kind; see `symmetry.make_vector_symmetry`."""

    # [n] float32: where the axis is, in the x and y components of points; else 0
    center: Array
    # the entries that turn, by their share of the angle
    pairs: tuple[Pairs, ...]
    # (source entry [n], sign [n]) of each mirror image
    involutions: tuple[tuple[Array, Array], ...] = ()


class Symmetry(NamedTuple):
    """Symmetries of an environment: turns about a vertical axis, and involutions."""

    obs: VectorSymmetry
    goal: VectorSymmetry
    action: VectorSymmetry


class EnvSpec(NamedTuple):
    """Sizes of an environment and the meaning of its entries.

    Attributes:
        obs: entries S of the observation.
        goal: entries G of the goal.
        action: entries A of the action.
        rotation: entries of the action that hold a 3x3 rotation matrix, row by row, or None.
        obs_blocks: named blocks of the observation.
        horizon: steps T of an episode.
        lowest_reward: lowest reward of a step; the highest is 0.
        symmetry: what may be turned and mirrored, or None.
        goal_position: entries of the goal that hold a position, or None.
        goal_rotation: entries of the goal that hold two columns of a rotation matrix, or None.
        achieved_rotation: entries of the observation that should become equal to them, or None.
    """

    obs: int
    goal: int
    action: int
    rotation: slice | None
    obs_blocks: dict[str, slice]
    horizon: int
    lowest_reward: float = -1.0
    symmetry: Symmetry | None = None
    goal_position: slice | None = None
    goal_rotation: slice | None = None
    achieved_rotation: slice | None = None


def as_float32(values: Any) -> Array:
    """Copies anything array-like into a C-contiguous float32 array."""
    return np.array(values, dtype=np.float32, order="C")
