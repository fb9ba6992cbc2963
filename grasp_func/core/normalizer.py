"""Running mean and standard deviation as pure merges of moments in float64.

`moments` is local to a worker, `merge` joins two sets of moments exactly (Chan et al. 1979), so the
result is that of one pass over all data however it was split. Departs from Dext-Gen: float64
instead of float32 running sums (those drift until the variance turns negative), and every episode
of a cycle is counted, not the last one only.
"""

from collections.abc import Sequence
from typing import NamedTuple

import chex
import torch
from torch import Tensor

MIN_STD = 1e-2  # entries that hardly vary are not blown up


@chex.dataclass(frozen=True, kw_only=True, mappable_dataclass=False)
class NormState:
    """First two moments of a stream of vectors; float64."""

    count: Tensor  # [] number of vectors
    mean: Tensor  # [n]
    m2: Tensor  # [n] sum of squared deviations from the mean


class Scaling(NamedTuple):
    """What a normalizer does to a vector: clip((x - mean) / std, -clip, clip); float32."""

    mean: Tensor  # [n]
    std: Tensor  # [n]
    clip: float


def init(size: int) -> NormState:
    """Returns the moments of no data at all."""
    zeros = torch.zeros(size, dtype=torch.float64)
    return NormState(count=torch.zeros((), dtype=torch.float64), mean=zeros, m2=zeros.clone())


def batch_moments(batch: Tensor) -> NormState:
    """Returns the moments of `batch` [N, n]."""
    chex.assert_rank(batch, 2)
    wide = batch.double()
    mean = wide.mean(0) if len(wide) else torch.zeros(wide.shape[1], dtype=torch.float64)
    count = torch.tensor(float(len(wide)), dtype=torch.float64)
    return NormState(count=count, mean=mean, m2=(wide - mean).square().sum(0))


def merge(a: NormState, b: NormState) -> NormState:
    """Returns the moments of both data sets together. Source: Chan et al. 1979, eq. 2.1."""
    chex.assert_equal_shape([a.mean, b.mean])
    count = a.count + b.count
    share = b.count / count.clamp(min=1.0)
    delta = b.mean - a.mean
    return NormState(
        count=count,
        mean=a.mean + delta * share,
        m2=a.m2 + b.m2 + delta.square() * a.count * share,
    )


def scaling(state: NormState, clip: float, exclude: Sequence[int] = ()) -> Scaling:
    """Returns the scaling that the moments imply.

    Args:
        state: moments of vectors [n]; with a count of 0 the scaling changes nothing.
        clip: bound of normalised entries.
        exclude: entries left as they are (mean 0, std 1).
    """
    keep = torch.zeros_like(state.mean, dtype=torch.bool)
    keep[list(exclude)] = True
    keep = keep | (state.count == 0)
    std = (state.m2 / state.count.clamp(min=1.0)).sqrt().clamp(min=MIN_STD)
    mean = torch.where(keep, 0.0, state.mean)
    return Scaling(mean.float(), torch.where(keep, 1.0, std).float(), clip)


def normalize(x: Tensor, scale: Scaling) -> Tensor:
    """Returns `x` [..., n] normalised and clipped."""
    return ((x - scale.mean) / scale.std).clamp(-scale.clip, scale.clip)
