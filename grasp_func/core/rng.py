"""Random streams that are named by keys, as in jax.random.

A `Key` is a seed and a path. Folding numbers into a key gives another key, and each place that
draws numbers makes its own generator from a key. No draw depends on the number of earlier draws, so
results do not depend on the number of processes. `numpy.random.SeedSequence` does the hashing.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import torch


class Stream(IntEnum):
    """First entry of a key's path: the purpose of the numbers."""

    INIT = 0
    ENV = 1
    EXPLORE = 2
    REPLAY = 3
    EVALUATE = 4
    CONFIRM = 5
    START = 6
    BEST = 7
    PRETRAINED = 8


class Key(NamedTuple):
    """Name of a random stream."""

    seed: int
    path: tuple[int, ...] = ()


def fold_in(key: Key, *numbers: int) -> Key:
    """Returns the key with non-negative `numbers` appended to its path."""
    return Key(key.seed, key.path + tuple(int(number) for number in numbers))


def numpy_rng(key: Key) -> np.random.Generator:
    """Returns a fresh NumPy generator at the start of the key's stream."""
    return np.random.default_rng(np.random.SeedSequence(key.seed, spawn_key=key.path))


def integer_seed(key: Key) -> int:
    """Returns a 31-bit seed for libraries that take an integer (environments, torch)."""
    return int(np.random.SeedSequence(key.seed, spawn_key=key.path).generate_state(1)[0] >> 1)


def torch_rng(key: Key) -> torch.Generator:
    """Returns a fresh CPU torch generator at the start of the key's stream."""
    return torch.Generator().manual_seed(integer_seed(key))
