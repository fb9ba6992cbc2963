"""DDPG with hindsight replay as it is usually written: modules, backward(), torch.optim.Adam.

The benchmarks compare with it. It has the same networks and the same mathematics, and PyTorch at
its defaults. Acting, normalising and sampling follow common implementations: one observation
through the module at a time, float64 replay in dictionaries, one batch drawn per update.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from grasp_func.core.networks import NetworkSpec, make_networks
from grasp_func.core.rng import Key
from grasp_func.core.types import EnvSpec, Transition
from reference import Agent


class Normalizer:
    """Running sums, and the mean and standard deviation of all values."""

    def __init__(self, size: int) -> None:
        self.sum, self.square, self.count = np.zeros(size), np.zeros(size), 0
        self.mean, self.std = np.zeros(size, np.float32), np.ones(size, np.float32)

    def update(self, values: np.ndarray[Any, Any]) -> None:
        """Adds values [N, n]."""
        self.sum += values.sum(0)
        self.square += np.square(values).sum(0)
        self.count += len(values)
        mean = self.sum / self.count
        std = np.sqrt(np.maximum(self.square / self.count - mean**2, 1e-4))
        self.mean, self.std = mean.astype(np.float32), std.astype(np.float32)

    def __call__(self, values: np.ndarray[Any, Any]) -> torch.Tensor:
        """Returns values [..., n] normalised and clipped."""
        scaled = np.clip((values - self.mean) / self.std, -200, 200)
        return torch.as_tensor(scaled, dtype=torch.float32)


class Learner:
    """Networks, targets, optimizers and normalizers, all of them mutable."""

    def __init__(
        self,
        env_spec: EnvSpec,
        spec: NetworkSpec,
        gamma: float = 0.98,
        tau: float = 0.05,
        action_l2: float = 0.0,
    ) -> None:
        self.gamma, self.tau, self.action_l2, self.grad_clip = gamma, tau, action_l2, 5.0
        params = make_networks(env_spec, spec).init(Key(0))
        self.agent = Agent(env_spec, spec, params, params)
        self.nets = (self.agent.actor, self.agent.critic)
        self.targets = (self.agent.target_actor, self.agent.target_critic)
        self.optimizers = [torch.optim.Adam(net.parameters(), lr=1e-3) for net in self.nets]
        self.obs_norm, self.goal_norm = Normalizer(env_spec.obs), Normalizer(env_spec.goal)

    def update(self, obs: Any, goal: Any, action: Any, reward: Any, next_obs: Any) -> None:
        """Takes one gradient step on both networks; arrays [B, ...]."""
        batch = Transition(
            self.obs_norm(obs),
            self.goal_norm(goal),
            torch.as_tensor(action, dtype=torch.float32),
            torch.as_tensor(reward, dtype=torch.float32),
            self.obs_norm(next_obs),
        )
        self.agent.backward(batch, self.gamma, action_norm=1.0, action_l2=self.action_l2)
        for net, optimizer in zip(self.nets, self.optimizers, strict=True):
            nn.utils.clip_grad_norm_(net.parameters(), self.grad_clip)
            optimizer.step()

    def soft_update_targets(self) -> None:
        """Moves the targets towards the networks by `tau`."""
        for target, net in zip(self.targets, self.nets, strict=True):
            for old, new in zip(target.parameters(), net.parameters(), strict=True):
                old.data.copy_((1 - self.tau) * old.data + self.tau * new.data)

    def act(self, obs: np.ndarray[Any, Any], goal: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Returns the greedy action for one observation."""
        with torch.no_grad():
            x = torch.cat([self.obs_norm(obs), self.goal_norm(goal)])[None]
            action: np.ndarray[Any, Any] = self.agent.actor(x)[0].numpy()[0]
        return action


class Replay:
    """Episodes in float64 arrays by name; goals are stored at every step."""

    def __init__(self, env_spec: EnvSpec, episodes: int) -> None:
        horizon = env_spec.horizon
        shapes = {"obs": (horizon + 1, env_spec.obs), "achieved": (horizon + 1, env_spec.goal)}
        shapes |= {"goal": (horizon, env_spec.goal), "action": (horizon, env_spec.action)}
        self.arrays = {name: np.zeros((episodes, *shape)) for name, shape in shapes.items()}
        self.horizon, self.held = horizon, 0

    def append(self, **episode: Any) -> None:
        """Stores an episode."""
        for name, values in episode.items():
            self.arrays[name][self.held % len(self.arrays[name])] = values
        self.held += 1

    def sample(self, n: int, reward_fn: Any, k: float = 4.0) -> tuple[Any, ...]:
        """Draws one batch with hindsight goals."""
        episodes = np.random.randint(self.held, size=n)  # noqa: NPY002
        t = np.random.randint(self.horizon, size=n)  # noqa: NPY002
        batch = {name: values[episodes, t].copy() for name, values in self.arrays.items()}
        next_obs = self.arrays["obs"][episodes, t + 1].copy()
        next_achieved = self.arrays["achieved"][episodes, t + 1].copy()
        relabel = np.where(np.random.uniform(size=n) < k / (k + 1))[0]  # noqa: NPY002
        offset = np.random.uniform(size=n) * (self.horizon - t)  # noqa: NPY002
        future = (t + 1 + offset.astype(int))[relabel]
        batch["goal"][relabel] = self.arrays["achieved"][episodes[relabel], future]
        reward = np.asarray(reward_fn(next_achieved, batch["goal"], {})).reshape(-1, 1)
        return batch["obs"], batch["goal"], batch["action"], reward, next_obs
