"""Running mean and standard deviation, computed by merging moments in float64.

`batch_moments` is computed by each worker for its own data. `merge` joins the moments of two data
sets exactly (Chan et al. 1979), so the result does not depend on the partition of the data. Departs
from Dext-Gen: moments are float64 instead of float32 running sums, which drift until the variance
is negative, and every episode of a cycle counts, not only the last one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import chex
import torch
from torch import Tensor

# Lower bound of a standard deviation, so that nearly constant entries are not amplified.
MIN_STD = 1e-2


@chex.dataclass(frozen=True, kw_only=True, mappable_dataclass=False)
class NormState:
    """First two moments of a stream of vectors, float64.

    Attributes:
        count: number of vectors [].
        mean: mean of the vectors [n].
        m2: sum of squared deviations from the mean [n].
    """

    count: Tensor
    mean: Tensor
    m2: Tensor


class Scaling(NamedTuple):
    """Parameters of `normalize`: mean and std [n], float32, and the bound of the result."""

    mean: Tensor
    std: Tensor
    clip: float


def init(size: int) -> NormState:
    """Returns the moments of no data."""
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
    """Returns the moments of the union of two data sets. Source: Chan et al. 1979, eq. 2.1."""
    chex.assert_equal_shape([a.mean, b.mean])
    count = a.count + b.count
    fraction = b.count / count.clamp(min=1.0)
    delta = b.mean - a.mean
    return NormState(
        count=count,
        mean=a.mean + delta * fraction,
        m2=a.m2 + b.m2 + delta.square() * a.count * fraction,
    )


def scaling(state: NormState, clip: float, exclude: Sequence[int] = ()) -> Scaling:
    """Returns the scaling to mean 0 and standard deviation 1.

    Args:
        state: moments of vectors [n]; with a count of 0 the scaling has mean 0 and std 1.
        clip: bound of normalised entries.
        exclude: entries that are not normalised (mean 0, std 1).
    """
    keep = torch.zeros_like(state.mean, dtype=torch.bool)
    keep[list(exclude)] = True
    keep = keep | (state.count == 0)
    std = (state.m2 / state.count.clamp(min=1.0)).sqrt().clamp(min=MIN_STD)
    mean = torch.where(keep, 0.0, state.mean)
    return Scaling(mean.float(), torch.where(keep, 1.0, std).float(), clip)


def normalize(x: Tensor, scale: Scaling) -> Tensor:
    """Returns clip((x - mean) / std, -clip, clip) of `x` [..., n].

    `torch.jit.script` can compile it.
    """
    return ((x - scale.mean) / scale.std).clamp(-scale.clip, scale.clip)
