"""Hindsight experience replay: sample indices, then gather transitions.

`draw_indices` samples; `gather` is deterministic. `ReplayBuffer` is the core's only mutable object.
Hindsight goals follow the strategy "future" of Andrychowicz et al. 2017, arXiv:1707.01495, section
3.3. Departs from Dext-Gen: arrays are float32, goals are stored once per episode, a full buffer
overwrites its oldest episode, and episodes in which the object moved or was lifted can be sampled
more often (without that no agent learned to lift; see docs).
"""

from typing import NamedTuple

import numpy as np
import torch

from grasp_func.core.rng import Key, fold_in, numpy_rng
from grasp_func.core.symmetry import transform
from grasp_func.core.types import (
    Array,
    EnvSpec,
    Episode,
    RewardFn,
    Symmetry,
    Transition,
    as_float32,
)

# An object farther than this from its initial position has moved, in metres.
MOVED = 0.01
# An object that rises by more than this has been lifted, in metres.
LIFTED = 0.045


class ReplaySampling(NamedTuple):
    """Probabilities with which transitions are sampled.

    Attributes:
        k: hindsight goals per original goal; k / (k + 1) of the goals are replaced.
        p_moved: probability of sampling among the episodes in which the object moved.
        p_lifted: probability of sampling among those in which it was lifted; drawn last.
        p_symmetry: probability that a transition is replaced by a symmetric copy.
    """

    k: float = 4.0
    p_moved: float = 0.0
    p_lifted: float = 0.0
    p_symmetry: float = 0.0

    @property
    def p_relabel(self) -> float:
        """Probability that a goal is replaced by one that is achieved later in the episode."""
        return self.k / (self.k + 1.0)


class Indices(NamedTuple):
    """Indices of sampled transitions, all [N].

    Attributes:
        episode: index of the episode.
        t: step, 0 <= t < T.
        future: step at which the hindsight goal is achieved, t < future <= T.
        relabel: whether the hindsight goal replaces the original one, bool.
    """

    episode: Array
    t: Array
    future: Array
    relabel: Array


class ReplayBuffer:
    """Ring buffer of the last episodes of one worker."""

    def __init__(self, env_spec: EnvSpec, n_transitions: int) -> None:
        """Allocates `n_transitions` // T episodes, at least one; see `buffer_bytes`."""
        size, horizon = max(1, n_transitions // env_spec.horizon), env_spec.horizon
        self.episodes = Episode(
            obs=np.zeros((size, horizon + 1, env_spec.obs), np.float32),
            achieved=np.zeros((size, horizon + 1, env_spec.goal), np.float32),
            goal=np.zeros((size, env_spec.goal), np.float32),
            action=np.zeros((size, horizon, env_spec.action), np.float32),
            flags=np.zeros((size, 2), np.float32),
        )
        self.n_seen = 0

    def __len__(self) -> int:
        """Returns the number of stored episodes."""
        return min(self.n_seen, self.capacity)

    @property
    def capacity(self) -> int:
        """Number of episodes E that fit."""
        return len(self.episodes.flags)

    @property
    def moved(self) -> Array:
        """Whether the object moved, bool [E]; False where no episode is stored."""
        return self.episodes.flags[:, 0] > 0

    @property
    def lifted(self) -> Array:
        """Whether the object was lifted, bool [E]; False where no episode is stored."""
        return self.episodes.flags[:, 1] > 0

    def append(self, episode: Episode) -> None:
        """Stores a copy of an episode; a full buffer overwrites its oldest one."""
        slot = self.n_seen % self.capacity
        for store, values in zip(self.episodes, episode, strict=True):
            store[slot] = values
        self.n_seen += 1

    def newest(self, n: int) -> Episode:
        """Returns copies of the last `n` stored episodes [n, ...], oldest first."""
        n = min(n, len(self))
        slots = np.arange(self.n_seen - n, self.n_seen) % self.capacity
        return Episode(*(store[slots] for store in self.episodes))


def buffer_bytes(env_spec: EnvSpec, n_transitions: int) -> int:
    """Returns the memory of a full buffer in bytes."""
    seen = (env_spec.horizon + 1) * (env_spec.obs + env_spec.goal)
    episode = seen + env_spec.goal + env_spec.horizon * env_spec.action + 2
    return 4 * episode * max(1, n_transitions // env_spec.horizon)


def progress(achieved: Array, lift: Array | None = None) -> Array:
    """Returns the flags of an episode, float32 [2]: whether the object moved, and was lifted.

    Args:
        achieved: achieved goals [T + 1, G]. Their first three entries are the object's position in
            metres, z last.
        lift: height of the object above the ground below it, compared to the start [T + 1], in
            metres. None: the rise of its position, which on uneven ground counts climbing as
            lifting; with fewer than three entries nothing is lifted.
    """
    path = achieved[:, :3] - achieved[0, :3]
    rise = path[:, 2:] if lift is None else lift
    return as_float32([(np.square(path).sum(-1) > MOVED**2).any(), (rise > LIFTED).any()])


def draw_indices(
    key: Key, horizon: int, n: int, sampling: ReplaySampling, moved: Array, lifted: Array
) -> Indices:
    """Samples transitions.

    Args:
        key: names the draw.
        horizon: steps T of an episode.
        n: number of transitions N.
        sampling: probabilities.
        moved: whether the object moved in each stored episode, bool [E].
        lifted: whether it was lifted, bool [E].

    Raises:
        ValueError: the buffer is empty.
    """
    if len(moved) == 0:
        raise ValueError("cannot draw from an empty replay buffer")
    rng = numpy_rng(key)
    episode = rng.integers(len(moved), size=n)
    for flags, probability in ((moved, sampling.p_moved), (lifted, sampling.p_lifted)):
        favoured = np.flatnonzero(flags)
        if len(favoured) and probability > 0:
            chosen = rng.random(n) < probability
            episode[chosen] = favoured[rng.integers(len(favoured), size=int(chosen.sum()))]
    t = rng.integers(horizon, size=n)
    future = t + 1 + rng.integers(horizon - t)
    return Indices(episode, t, future, rng.random(n) < sampling.p_relabel)


def gather(episodes: Episode, idx: Indices, reward_fn: RewardFn) -> Transition:
    """Returns the transitions [N, ...], with hindsight goals and their rewards where `relabel`."""
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
    *,
    symmetry: Symmetry | None = None,
) -> list[Transition]:
    """Samples all batches of a cycle at once; they are views [B, ...] of common arrays."""
    held = len(buffer)
    horizon = buffer.episodes.action.shape[1]
    n = n_batches * batch_size
    idx = draw_indices(key, horizon, n, sampling, buffer.moved[:held], buffer.lifted[:held])
    batch = gather(buffer.episodes, idx, reward_fn)
    if symmetry is not None and sampling.p_symmetry > 0:
        batch = transform(batch, fold_in(key, 1), symmetry, sampling.p_symmetry)
    fields = (field.split(batch_size) for field in batch)
    return [Transition(*parts) for parts in zip(*fields, strict=True)]
