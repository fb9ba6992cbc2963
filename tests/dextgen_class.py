"""Dext-Gen's normalizer class as its pickles name it, and normalizers as it fills them."""

import sys
import types

import numpy as np
import pytest

SIZE = 5


class Normalizer:
    """What the published class is to a program that scales with it."""

    def __call__(self, x):
        idx = slice(None) if self.idx is None else self.idx
        x = x.copy()
        scaled = (x[..., idx] - self.mean[idx]) / self.std[idx]
        x[..., idx] = np.clip(scaled, -self.clip, self.clip)
        return x


@pytest.fixture
def published(monkeypatch):
    """Puts the class where the pickles look for it."""
    for name in ("mp_rl", "mp_rl.core", "mp_rl.core.normalizer"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setattr(Normalizer, "__module__", "mp_rl.core.normalizer")
    sys.modules["mp_rl.core.normalizer"].Normalizer = Normalizer
    return Normalizer


def made_by_the_class(published, **changes):
    """Returns a normalizer as Dext-Gen fills it: statistics of all entries, whatever idx says."""
    data = np.random.default_rng(0).normal(2, 3, (50, SIZE)).astype(np.float32)
    zeros = np.zeros(2 * SIZE + 1, np.float32)
    made = published()
    vars(made).update(
        size=SIZE, world_size=2, eps2=np.full(SIZE, 1e-4, np.float32), clip=np.inf,
        lsum=zeros[:SIZE], lsum_sq=zeros[SIZE:-1], lcount=zeros[:1],
        sum=data.sum(0), sum_sq=(data**2).sum(0), count=np.array([50], np.float32),
        mean=data.mean(0), std=data.std(0), coal_buffer=zeros, dist=True, idx=[0, 4],
    )  # fmt: skip
    vars(made).update(changes)
    return made
