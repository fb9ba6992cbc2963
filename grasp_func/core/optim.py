"""Adam and gradient clipping as pure functions of flat vectors.

Source: Kingma and Ba 2015, arXiv:1412.6980, Algorithm 1. Dext-Gen holds torch.optim.Adam objects
and accepts a `grad_clip` that it never applies; here the state is data and the clip is applied.
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
    """Pure functions of parameters [P] and gradients [P]."""

    init: Callable[[Tensor], AdamState]
    update: Callable[
        [Tensor, AdamState, Tensor, float], tuple[Tensor, AdamState]
    ]  # gradient, state, parameters, factor on all learning rates -> new parameters, new state


def adam(learning_rates: Iterable[tuple[slice, float]]) -> Optimizer:
    """Builds Adam with a learning rate for each part of the parameters.

    The arithmetic is PyTorch's own kernel, which reads and writes everything once: as separate
    operations Adam costs three times as much, an eighth of a whole gradient step.
    """
    rates = list(learning_rates)

    def init(params: Tensor) -> AdamState:
        count = torch.zeros((), dtype=torch.int64)
        return AdamState(
            mean=torch.zeros_like(params), variance=torch.zeros_like(params), count=count
        )

    def update(
        grad: Tensor, state: AdamState, params: Tensor, lr_scale: float = 1.0
    ) -> tuple[Tensor, AdamState]:
        chex.assert_equal_shape([grad, state.mean, params])
        new = AdamState(
            mean=state.mean.clone(), variance=state.variance.clone(), count=state.count + 1
        )
        params = params.clone()
        for part, rate in rates:
            torch._fused_adam_(
                [params[part]],
                [grad[part]],
                [new.mean[part]],
                [new.variance[part]],
                [],
                [new.count.float()],
                lr=rate * lr_scale,
                beta1=BETA1,
                beta2=BETA2,
                weight_decay=0.0,
                eps=EPS,
                amsgrad=False,
                maximize=False,
            )
        return params, new

    return Optimizer(init, update)


def clip_by_norm(grad: Tensor, slices: Iterable[slice], max_norm: float | None) -> Tensor:
    """Scales each part of `grad` [P] down to a norm of at most `max_norm` (None: unchanged).

    Args:
        grad: gradient.
        slices: parts that cover it.
        max_norm: bound of each part.
    """
    if max_norm is None:
        return grad
    parts = list(slices)
    norms = [grad[part].norm() for part in parts]
    if all(norm <= max_norm for norm in norms):
        return grad  # the usual case, without a copy
    clipped = torch.empty_like(grad)
    for part, norm in zip(parts, norms, strict=True):
        torch.mul(grad[part], max_norm / norm.clamp(min=max_norm), out=clipped[part])
    return clipped
