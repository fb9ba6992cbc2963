"""A hand-written policy for every gripper: proves that physics and interface allow grasping.

Uses only what a learner sees: the observation in, an action in [-1, 1] out.
"""

import math
from typing import NamedTuple

import numpy as np

from envs.hands import ROBOTS

REACHED = 0.6  # share of a commanded step that the soft base drive covers
STEP = 0.05  # m of a full position action


class Grasp(NamedTuple):
    """How one gripper takes an object.

    Attributes:
        above: height of the grip frame over the object's centre when closing (m): fingertips must
            clear the table.
        hover: further height while the gripper moves over the object (m).
        open: targets of the actuators before closing (m or rad).
        closed: targets of the actuators from then on (m or rad).
        steps: to close for before lifting.
    """

    above: float
    hover: float
    open: tuple[float, ...]
    closed: tuple[float, ...]
    steps: int


GRASPS = {
    "ParallelJaw": Grasp(0.016, 0.075, (0.05,), (0.0,), 4),
    "BarrettHand": Grasp(0.0, 0.1, (0.0, 1.1, 1.1, 1.1), (0.0, 2.2, 2.2, 2.2), 5),
}


class LiftPolicy:
    """Hovers above the object, descends, closes, carries it to the goal. One per episode."""

    def __init__(self, env):
        """Takes `env.unwrapped`, for the gripper's name and the layout of observations."""
        self._at = slices(env.observation_layout)
        self._grasp = GRASPS[env.gripper_type]
        ranges = np.array(_control_ranges(env.gripper_type)[: len(self._grasp.open)])
        low, high = ranges.T
        self._open = 2.0 * (np.array(self._grasp.open) - low) / (high - low) - 1.0
        self._closed = 2.0 * (np.array(self._grasp.closed) - low) / (high - low) - 1.0
        self._above = True
        self._closing = 0

    def __call__(self, obs):
        """The action for an observation."""
        see = {name: obs["observation"][where].astype(float) for name, where in self._at.items()}
        offset = see["object_rel_pos"] + np.array([0.0, 0.0, self._grasp.above])
        far = np.hypot(*offset[:2])
        self._above = self._above and far > 0.012
        if self._above:
            move = offset + np.array([0.0, 0.0, self._grasp.hover])
            if far > 0.05:
                move[2] = max(move[2], 0.0)
        elif not self._closing and abs(offset[2]) > 0.012:
            move = offset
        else:
            self._closing += 1
            lifts = self._closing > self._grasp.steps
            move = obs["desired_goal"] - see["object_pos"] if lifts else np.zeros(3)
        hand = self._closed if self._closing else self._open
        position = np.clip(move / (REACHED * STEP), -1.0, 1.0)
        return np.array([*position, *_down(see["object_rot"]).ravel(), *hand], np.float32)


def slices(layout):
    """Where each block of a layout is, by name."""
    at, start = {}, 0
    for name, size, _ in layout:
        at[name] = slice(start, start + size)
        start += size
    return at


def _control_ranges(gripper):
    """Ranges that -1..1 spans, by actuator."""
    robot = next(r for r in ROBOTS.values() if r.name == gripper)
    return [actuator.control for actuator in robot.actuators]


def _down(object_rot):
    """Target rotation: approach axis x down, jaws (y) square to the object by the smaller turn."""
    x, y = object_rot[:3], object_rot[3:]
    side = max((x, y, np.cross(x, y)), key=lambda axis: np.hypot(axis[0], axis[1]))
    yaw = math.atan2(side[1], side[0])
    yaw -= math.pi / 2 * round(yaw / (math.pi / 2))
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([[0.0, -s, c], [0.0, c, s], [-1.0, 0.0, 0.0]])


def success_rate(env, n_episodes, first_seed=0):
    """Share of seeded episodes that end in success."""
    successes = 0
    for seed in range(first_seed, first_seed + n_episodes):
        obs, info = env.reset(seed=seed)
        policy = LiftPolicy(env.unwrapped)
        done = False
        while not done:
            obs, _, terminated, truncated, info = env.step(policy(obs))
            done = terminated or truncated
        successes += info["is_success"]
    return successes / n_episodes
