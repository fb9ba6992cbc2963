"""Shapes of the data that flows through the learner.

The letters used in every docstring: B batch, T horizon, S observation, G goal, A action, E
episodes, P parameters, W workers. States live with their owner (`normalizer.NormState`,
`optim.AdamState`, `ddpg.AgentState`).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

Array = npt.NDArray[Any]
Params = dict[str, Tensor]  # one network, names as in nn.Module.named_parameters()
Metrics = dict[str, Tensor]  # detached scalars
RewardFn = Callable[
    [Array, Array, dict[str, Any]], Array
]  # (achieved [..., G], desired [..., G], info) -> [...]


class Transition(NamedTuple):
    """A batch of relabelled transitions, not yet normalised; float32."""

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


class VectorSymmetry(NamedTuple):
    """How symmetries act on vectors [..., n] of one kind; see `symmetry.make_vector_symmetry`."""

    # [n] float32: where the axis is, in the x and y components of points; else 0
    center: Array
    # [k] int: entries that are x components of points, vectors and columns of rotations
    x: Array
    # [k] int: the y components that belong to them
    y: Array
    # (source entry [n], sign [n]) of each mirror image
    involutions: tuple[tuple[Array, Array], ...] = ()


class Symmetry(NamedTuple):
    """Symmetries of an environment: turns about a vertical axis, and involutions."""

    obs: VectorSymmetry
    goal: VectorSymmetry
    action: VectorSymmetry


class EnvSpec(NamedTuple):
    """What the learner has to know of an environment: sizes and the meaning of entries."""

    obs: int
    goal: int
    action: int
    rotation: slice | None  # where the action holds a 3x3 rotation matrix, row by row
    obs_blocks: dict[str, slice]  # named blocks of the observation
    horizon: int  # steps of an episode
    lowest_reward: float = -1.0  # of a step; the highest is 0
    symmetry: Symmetry | None = None


def as_float32(values: Any) -> Array:
    """Copies anything array-like into a C-contiguous float32 array."""
    return np.array(values, dtype=np.float32, order="C")
