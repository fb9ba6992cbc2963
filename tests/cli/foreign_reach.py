"""A module of somebody else that registers a goal environment; copied to where a user starts."""

import os

import gymnasium
import numpy as np
from gymnasium import spaces


class Reach(gymnasium.Env):
    """A point on a plane: ends on success, moves by up to 0.5, rewards 0 and 1, float64."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    observation_space = spaces.Dict(
        observation=spaces.Box(-9, 9, (4,), np.float64),
        achieved_goal=spaces.Box(-9, 9, (2,), np.float64),
        desired_goal=spaces.Box(-9, 9, (2,), np.float64),
    )
    action_space = spaces.Box(-0.5, 0.5, (2,), np.float32)

    def __init__(self, render_mode=None, broken_rank=None):
        self.render_mode = render_mode
        if broken_rank is not None and os.environ["OMPI_COMM_WORLD_RANK"] == str(broken_rank):
            raise ValueError("broken on this process")

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position, self.goal = self.np_random.uniform(-1, 1, (2, 2))
        return self.observe(), {}

    def step(self, action):
        self.position = self.position + action
        reward = self.compute_reward(self.position, self.goal, {})
        return self.observe(), float(reward), bool(reward), False, {}

    def compute_reward(self, achieved, desired, info):
        return (np.linalg.norm(achieved - desired, axis=-1) < 0.2).astype(np.float64)

    def observe(self):
        return {
            "observation": np.concatenate([self.position, self.goal]),
            "achieved_goal": self.position.copy(),
            "desired_goal": self.goal.copy(),
        }

    def render(self):
        return np.zeros((48, 64, 3), np.uint8)


gymnasium.register("ForeignReach-v3", Reach, max_episode_steps=8)
