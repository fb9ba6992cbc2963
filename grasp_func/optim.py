"""Adam and gradient clipping as pure functions of flat vectors.

Source: Kingma and Ba 2015, arXiv:1412.6980, Algorithm 1. Dext-Gen holds torch.optim.Adam objects
    and accepts a
`grad_clip` that it never applies; here the state is data and the clip is applied.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import chex
import torch
from torch import Tensor

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


@chex.dataclass(frozen=True, kw_only=True, mappable_dataclass=False)
class AdamState:
    """Running moments of the gradient."""

    mean: Tensor  # [P]
    variance: Tensor  # [P] uncentred
    count: Tensor  # int64 [] steps taken


class Optimizer(NamedTuple):
    """`update(grad [P], state) -> (step [P], state)`; the step is to be added."""

    init: Callable[[Tensor], AdamState]
    update: Callable[[Tensor, AdamState], tuple[Tensor, AdamState]]


def adam(learning_rate: Tensor | float) -> Optimizer:
    """Builds Adam; `learning_rate` is one number or one per parameter [P]."""

    def init(params: Tensor) -> AdamState:
        count = torch.zeros((), dtype=torch.int64)
        return AdamState(
            mean=torch.zeros_like(params), variance=torch.zeros_like(params), count=count
        )

    def update(grad: Tensor, state: AdamState) -> tuple[Tensor, AdamState]:
        chex.assert_equal_shape([grad, state.mean])
        count = state.count + 1
        mean = torch.lerp(state.mean, grad, 1 - BETA1)
        variance = torch.lerp(state.variance, grad.square(), 1 - BETA2)
        correction1 = 1 - BETA1 ** count.double()  # float64: 1 - 0.999 loses digits in float32
        correction2 = 1 - BETA2 ** count.double()
        root = (variance / correction2.float()).sqrt_().add_(EPS)
        step = mean / correction1.float() * -learning_rate / root
        return step, AdamState(mean=mean, variance=variance, count=count)

    return Optimizer(init, update)


def clip_by_norm(grad: Tensor, slices: Iterable[slice], max_norm: float | None) -> Tensor:
    """Scales each part of `grad` [P] down to a norm of at most `max_norm` (None: unchanged)."""
    if max_norm is None:
        return grad
    parts = []
    for part in slices:
        norm = grad[part].norm()
        parts.append(grad[part] * (max_norm / norm.clamp(min=max_norm)))
    return torch.cat(parts)
