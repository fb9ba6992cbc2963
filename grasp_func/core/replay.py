"""Replay with hindsight: draw indices, then gather.

All chance is in `draw_indices`, all arithmetic in `gather`; `ReplayBuffer` is the one mutable store
of the core. Hindsight strategy "future": Andrychowicz et al. 2017, arXiv:1707.01495, section 3.3.
Departs from Dext-Gen: float32, goals stored once per episode, the oldest episode makes room, and
draws may favour episodes in which the object moved or was lifted (without that no agent learned to
lift, see docs).
"""

from typing import NamedTuple

import numpy as np
import torch

from grasp_func.core.rng import Key, fold_in, numpy_rng
from grasp_func.core.symmetry import transform
from grasp_func.core.types import Array, EnvSpec, Episode, RewardFn, Symmetry, Transition

MOVED = 0.01  # m; an object that left its start by more has been touched
LIFTED = 0.045  # m; one that rose by more no longer lies on the table


class ReplaySampling(NamedTuple):
    """Probabilities of an index draw."""

    k: float = 4.0  # hindsight goals per original goal: k / (k + 1) of the goals are replaced
    p_moved: float = 0.0  # episode taken from those in which the object moved
    p_lifted: float = 0.0  # then: episode taken from those in which it was lifted
    p_symmetry: float = 0.0  # transition replaced by a symmetric copy

    @property
    def p_relabel(self) -> float:
        """Probability that a goal is replaced by one achieved later in the episode."""
        return self.k / (self.k + 1.0)


class Indices(NamedTuple):
    """Which transitions to gather; all [N]."""

    episode: Array
    t: Array  # 0 <= t < T
    future: Array  # t < future <= T, read where `relabel`
    relabel: Array  # bool


class ReplayBuffer:
    """Ring of the last episodes of one worker."""

    def __init__(self, env_spec: EnvSpec, n_transitions: int) -> None:
        """Reserves room for `n_transitions` // T episodes, at least one; see `buffer_bytes`."""
        size, horizon = max(1, n_transitions // env_spec.horizon), env_spec.horizon
        self.episodes = Episode(
            obs=np.zeros((size, horizon + 1, env_spec.obs), np.float32),
            achieved=np.zeros((size, horizon + 1, env_spec.goal), np.float32),
            goal=np.zeros((size, env_spec.goal), np.float32),
            action=np.zeros((size, horizon, env_spec.action), np.float32),
        )
        self.moved = np.zeros(size, bool)
        self.lifted = np.zeros(size, bool)
        self.n_seen = 0

    def __len__(self) -> int:
        """Returns the number of episodes held."""
        return min(self.n_seen, len(self.moved))

    def append(self, episode: Episode) -> None:
        """Stores a copy of an episode, in place of the oldest one when full."""
        slot = self.n_seen % len(self.moved)
        for store, values in zip(self.episodes, episode, strict=True):
            store[slot] = values
        self.moved[slot], self.lifted[slot] = progress(episode.achieved)
        self.n_seen += 1

    def newest(self, n: int) -> Episode:
        """Returns copies of the last `n` episodes held [n, ...], oldest first."""
        n = min(n, len(self))
        slots = np.arange(self.n_seen - n, self.n_seen) % len(self.moved)
        return Episode(*(store[slots] for store in self.episodes))


def buffer_bytes(env_spec: EnvSpec, n_transitions: int) -> int:
    """Returns the memory of a full buffer."""
    seen = (env_spec.horizon + 1) * (env_spec.obs + env_spec.goal)
    episode = seen + env_spec.goal + env_spec.horizon * env_spec.action
    return 4 * episode * max(1, n_transitions // env_spec.horizon)


def progress(achieved: Array) -> tuple[bool, bool]:
    """Tells whether the object moved and whether it was lifted.

    Its position is the first three entries of `achieved` [T + 1, G]; what has fewer is never
    lifted.
    """
    path = achieved[:, :3] - achieved[0, :3]
    return bool((np.square(path).sum(-1) > MOVED**2).any()), bool((path[:, 2:] > LIFTED).any())


def draw_indices(
    key: Key, horizon: int, n: int, sampling: ReplaySampling, moved: Array, lifted: Array
) -> Indices:
    """Draws `n` transitions.

    Args:
        key: names the draw.
        horizon: T.
        n: how many.
        sampling: probabilities.
        moved: bool [E], one entry per episode held.
        lifted: bool [E], likewise.

    Raises:
        ValueError: no episode to draw from.
    """
    if len(moved) == 0:
        raise ValueError("cannot draw from an empty replay buffer")
    rng = numpy_rng(key)
    episode = rng.integers(len(moved), size=n)
    for flags, share in ((moved, sampling.p_moved), (lifted, sampling.p_lifted)):
        favoured = np.flatnonzero(flags)
        if len(favoured) and share > 0:
            chosen = rng.random(n) < share
            episode[chosen] = favoured[rng.integers(len(favoured), size=int(chosen.sum()))]
    t = rng.integers(horizon, size=n)
    future = t + 1 + rng.integers(horizon - t)
    return Indices(episode, t, future, rng.random(n) < sampling.p_relabel)


def gather(episodes: Episode, idx: Indices, reward_fn: RewardFn) -> Transition:
    """Reads transitions [N, ...] and relabels goals and rewards where the indices say so."""
    e, t = idx.episode, idx.t
    hindsight = episodes.achieved[e, idx.future]
    goal = np.where(idx.relabel[:, None], hindsight, episodes.goal[e])
    reward = np.asarray(reward_fn(episodes.achieved[e, t + 1], goal, {}), np.float32)
    arrays = (
        episodes.obs[e, t],
        goal,
        episodes.action[e, t],
        reward.reshape(-1, 1),
        episodes.obs[e, t + 1],
    )
    return Transition(*map(torch.from_numpy, arrays))


def draw_batches(
    buffer: ReplayBuffer,
    key: Key,
    n_batches: int,
    batch_size: int,
    sampling: ReplaySampling,
    reward_fn: RewardFn,
    symmetry: Symmetry | None = None,
) -> list[Transition]:
    """Draws all batches of a cycle at once; each is a view [B, ...] of the gathered arrays."""
    held = len(buffer)
    horizon = buffer.episodes.action.shape[1]
    n = n_batches * batch_size
    idx = draw_indices(key, horizon, n, sampling, buffer.moved[:held], buffer.lifted[:held])
    batch = gather(buffer.episodes, idx, reward_fn)
    if symmetry is not None and sampling.p_symmetry > 0:
        batch = transform(batch, fold_in(key, 1), symmetry, sampling.p_symmetry)
    fields = (field.split(batch_size) for field in batch)
    return [Transition(*parts) for parts in zip(*fields, strict=True)]
