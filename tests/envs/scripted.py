"""A hand-written parallel-jaw policy: proves that physics and interface allow grasping.

Uses only what a learner sees: the observation in, an action in [-1, 1] out.
"""

import math

import numpy as np

REACHED = 0.6  # share of a commanded step that the soft base drive covers
STEP = 0.05  # m of a full position action
ABOVE = 0.016  # m of the finger centres above the object: the fingertips must clear the table


class LiftPolicy:
    """Hovers above the object, descends, closes, carries it to the goal. One per episode."""

    def __init__(self, layout):
        """Takes `env.unwrapped.observation_layout`."""
        self._at, start = {}, 0
        for name, size, _ in layout:
            self._at[name] = slice(start, start + size)
            start += size
        self._above = True
        self._closing = 0

    def __call__(self, obs):
        """The action for an observation."""
        see = {name: obs["observation"][where].astype(float) for name, where in self._at.items()}
        offset = see["object_rel_pos"] + np.array([0.0, 0.0, ABOVE])
        far = np.hypot(*offset[:2])
        self._above = self._above and far > 0.012
        if self._above:
            move = offset + np.array([0.0, 0.0, 0.075])
            if far > 0.05:
                move[2] = max(move[2], 0.0)
        elif not self._closing and abs(offset[2]) > 0.012:
            move = offset
        else:
            self._closing += 1
            move = np.zeros(3) if self._closing <= 4 else obs["desired_goal"] - see["object_pos"]
        hand = -1.0 if self._closing else 1.0
        position = np.clip(move / (REACHED * STEP), -1.0, 1.0)
        return np.array([*position, *_down(see["object_rot"]).ravel(), hand], np.float32)


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
        policy = LiftPolicy(env.unwrapped.observation_layout)
        done = False
        while not done:
            obs, _, terminated, truncated, info = env.step(policy(obs))
            done = terminated or truncated
        successes += info["is_success"]
    return successes / n_episodes
