"""Randomness by address: a key names a random stream, it is never consumed.

A `Key` is a seed and a path; folding numbers into it gives another key, and a generator is made
from a key at the place where numbers are drawn. Nothing depends on how many numbers somebody else
drew before, so results cannot depend on the number of processes. Source of the idea: jax.random; of
the hashing: numpy.random.SeedSequence.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import torch


class Stream(IntEnum):
    """First entry of a key's path: what the numbers are for."""

    INIT = 0
    ENV = 1
    EXPLORE = 2
    REPLAY = 3
    EVALUATE = 4
    CONFIRM = 5
    PREGRASP = 6


class Key(NamedTuple):
    """Address of a random stream."""

    seed: int
    path: tuple[int, ...] = ()


def fold_in(key: Key, *numbers: int) -> Key:
    """Returns the key below `key` that the non-negative `numbers` name."""
    return Key(key.seed, key.path + tuple(int(number) for number in numbers))


def numpy_rng(key: Key) -> np.random.Generator:
    """Returns a fresh NumPy generator at the start of the key's stream."""
    return np.random.default_rng(np.random.SeedSequence(key.seed, spawn_key=key.path))


def integer_seed(key: Key) -> int:
    """Returns a 31-bit seed for libraries that want an integer (environments, torch)."""
    return int(np.random.SeedSequence(key.seed, spawn_key=key.path).generate_state(1)[0] >> 1)


def torch_rng(key: Key) -> torch.Generator:
    """Returns a fresh CPU torch generator at the start of the key's stream."""
    return torch.Generator().manual_seed(integer_seed(key))
