"""The spaces of observations and actions, and the check of actions."""

import math
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Space

from .observation import POSITION_BOUND, bounds
from .robots.spec import RobotSpec


def observation_space(spec: RobotSpec, goal_size: int) -> Any:
    """Returns the space of observations with goals of a given length."""
    low, high = bounds(spec)
    goal = Box(-POSITION_BOUND, POSITION_BOUND, (goal_size,), np.float32)
    observation = Box(low, high, dtype=np.float32)
    return Dict(observation=observation, achieved_goal=goal, desired_goal=goal)


def action_space(spec: RobotSpec) -> Box:
    """Returns the space of actions."""
    size = sum(size for _, size, _ in spec.action_layout)
    return Box(-1.0, 1.0, (size,), np.float32)


def clip_action(action: np.ndarray, space: Space[Any]) -> list[float]:
    """Returns an action clipped to [-1, 1].

    Raises:
        ValueError: the action is of the wrong shape or contains a value that is not finite.
    """
    array = np.asarray(action)
    if array.shape != space.shape:
        raise ValueError(f"action has shape {array.shape}, expected {space.shape} in [-1, 1]")
    values: list[float] = array.tolist()
    if not math.isfinite(sum(values)):
        raise ValueError(f"action = {values}, expected finite values in [-1, 1]")
    return [-1.0 if v < -1.0 else 1.0 if v > 1.0 else v for v in values]
