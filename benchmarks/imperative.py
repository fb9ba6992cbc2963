"""DDPG with hindsight replay as it is usually written: modules, backward(), torch.optim.Adam.

What the benchmarks compare with. Same networks, same mathematics, PyTorch at its defaults; acting,
normalising and sampling as in the common implementations: one observation through the module at a
time, float64 replay in dictionaries, one batch drawn per update.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

EMBEDDING = 6


class Sizes(NamedTuple):
    """Sizes of an environment and of its networks."""

    obs: int
    goal: int
    action: int
    width: int
    rotation: int = 3  # where the action's rotation matrix begins


class Actor(nn.Module):
    """Four layers and a rotation head."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.rotation = sizes.rotation
        self.layers = mlp([sizes.obs + sizes.goal, *[sizes.width] * 3, sizes.action - 3])

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns actions and the embedding of their rotations."""
        out, start = torch.tanh(self.layers(x)), self.rotation
        embedding = out[:, start : start + EMBEDDING]
        b1 = F.normalize(embedding[:, :3], dim=1)
        rest = embedding[:, 3:] - (b1 * embedding[:, 3:]).sum(1, keepdim=True) * b1
        b2 = F.normalize(rest, dim=1)
        matrix = torch.stack([b1, b2, torch.linalg.cross(b1, b2)], dim=2).flatten(1)
        return torch.cat([out[:, :start], matrix, out[:, start + EMBEDDING :]], dim=1), embedding


class Critic(nn.Module):
    """Four layers."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.layers = mlp([sizes.obs + sizes.goal + sizes.action, *[sizes.width] * 3, 1])

    def forward(self, x: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        """Returns Q [B, 1]."""
        q: torch.Tensor = self.layers(torch.cat([x, action], dim=1))
        return q


class Normalizer:
    """Running sums, and the scaling they imply."""

    def __init__(self, size: int) -> None:
        self.sum, self.square, self.count = np.zeros(size), np.zeros(size), 0
        self.mean, self.std = np.zeros(size, np.float32), np.ones(size, np.float32)

    def update(self, values: np.ndarray[Any, Any]) -> None:
        """Counts values [N, n]."""
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
        sizes: Sizes,
        gamma: float = 0.98,
        tau: float = 0.05,
        action_l2: float = 0.0,
        grad_clip: float = 5.0,
    ) -> None:
        self.gamma, self.tau, self.action_l2, self.grad_clip = gamma, tau, action_l2, grad_clip
        self.position, self.joints = slice(sizes.rotation), slice(sizes.rotation + 9, None)
        self.actor, self.critic = Actor(sizes), Critic(sizes)
        self.target_actor, self.target_critic = Actor(sizes), Critic(sizes)
        self.target_actor.load_state_dict(self.actor.state_dict())
        self.target_critic.load_state_dict(self.critic.state_dict())
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=1e-3)
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=1e-3)
        self.obs_norm, self.goal_norm = Normalizer(sizes.obs), Normalizer(sizes.goal)

    def update(self, obs: Any, goal: Any, action: Any, reward: Any, next_obs: Any) -> None:
        """Takes one gradient step on both networks; arrays [B, ...]."""
        normal_goal = self.goal_norm(goal)
        x = torch.cat([self.obs_norm(obs), normal_goal], dim=1)
        next_x = torch.cat([self.obs_norm(next_obs), normal_goal], dim=1)
        action, reward = (torch.as_tensor(v, dtype=torch.float32) for v in (action, reward))
        with torch.no_grad():
            next_q = self.target_critic(next_x, self.target_actor(next_x)[0])
            target_q = (reward + self.gamma * next_q).clamp(-1 / (1 - self.gamma), 0)
        critic_loss = (target_q - self.critic(x, action)).pow(2).mean()
        chosen, embedding = self.actor(x)
        actor_loss = -self.critic(x, chosen).mean() + embedding.pow(2).mean()
        if self.action_l2:
            rest = torch.cat([chosen[:, self.position], chosen[:, self.joints]], dim=1)
            actor_loss = actor_loss + self.action_l2 * rest.pow(2).mean()
        self.actor_optimizer.zero_grad()
        actor_loss.backward()
        nn.utils.clip_grad_norm_(self.actor.parameters(), self.grad_clip)
        self.critic_optimizer.zero_grad()
        critic_loss.backward()
        nn.utils.clip_grad_norm_(self.critic.parameters(), self.grad_clip)
        self.actor_optimizer.step()
        self.critic_optimizer.step()

    def soft_update_targets(self) -> None:
        """Moves the targets towards the networks."""
        pairs = ((self.target_actor, self.actor), (self.target_critic, self.critic))
        for target, net in pairs:
            for old, new in zip(target.parameters(), net.parameters(), strict=True):
                old.data.copy_((1 - self.tau) * old.data + self.tau * new.data)

    def act(self, obs: np.ndarray[Any, Any], goal: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Returns the greedy action for one observation."""
        with torch.no_grad():
            x = torch.cat([self.obs_norm(obs), self.goal_norm(goal)])[None]
            action: np.ndarray[Any, Any] = self.actor(x)[0].numpy()[0]
        return action


class Replay:
    """Episodes in float64 arrays by name; goals are stored at every step."""

    def __init__(self, sizes: Sizes, episodes: int, horizon: int = 50) -> None:
        shapes = {"obs": (horizon + 1, sizes.obs), "achieved": (horizon + 1, sizes.goal)}
        shapes |= {"goal": (horizon, sizes.goal), "action": (horizon, sizes.action)}
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


def mlp(widths: list[int]) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
