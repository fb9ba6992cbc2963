"""Adam and gradient clipping as pure functions of flat vectors.

Source: Kingma and Ba 2015, arXiv:1412.6980, Algorithm 1. Departs from Dext-Gen, which holds
torch.optim.Adam objects and never applies its `grad_clip`: here the state is data and the gradient
is clipped.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import chex
import torch
from torch import Tensor

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


@chex.dataclass(frozen=True, kw_only=True, mappable_dataclass=False)
class AdamState:
    """Running moments of the gradient.

    Attributes:
        mean: first moment [P].
        variance: second moment, uncentred [P].
        count: steps taken, int64 [].
    """

    mean: Tensor
    variance: Tensor
    count: Tensor


class Optimizer(NamedTuple):
    """Pure functions of parameters [P] and gradients [P].

    Attributes:
        init: parameters -> state.
        update: (gradient, state, parameters, factor on all learning rates) -> (new parameters, new
            state).
    """

    init: Callable[[Tensor], AdamState]
    update: Callable[[Tensor, AdamState, Tensor, float], tuple[Tensor, AdamState]]


def adam(learning_rates: Iterable[tuple[slice, float]]) -> Optimizer:
    """Builds Adam with one learning rate for each part of the parameters.

    PyTorch's fused kernel does the arithmetic where there is one. It reads and writes each number
    once, which makes it three times as fast as separate operations; they take an eighth of a
    gradient step.

    Args:
        learning_rates: (part, learning rate) pairs; parameters outside all parts stay unchanged.
    """
    rates = list(learning_rates)
    step = _fused_step if hasattr(torch, "_fused_adam_") else _plain_step

    def init(params: Tensor) -> AdamState:
        count = torch.zeros((), dtype=torch.int64)
        mean, variance = torch.zeros_like(params), torch.zeros_like(params)
        return AdamState(mean=mean, variance=variance, count=count)

    def update(
        grad: Tensor, state: AdamState, params: Tensor, lr_scale: float = 1.0
    ) -> tuple[Tensor, AdamState]:
        chex.assert_equal_shape([grad, state.mean, params])
        mean, variance, params = state.mean.clone(), state.variance.clone(), params.clone()
        count = state.count + 1
        for part, rate in rates:
            vectors = [vector[part] for vector in (params, grad, mean, variance)]
            step(vectors, count, rate * lr_scale)
        return params, AdamState(mean=mean, variance=variance, count=count)

    return Optimizer(init, update)


def clip_by_norm(grad: Tensor, slices: Iterable[slice], max_norm: float | None) -> Tensor:
    """Scales each part of the gradient [P] down to a norm of at most `max_norm`.

    Args:
        grad: gradient.
        slices: parts that cover it.
        max_norm: bound of each part's norm; None: the gradient is returned unchanged.
    """
    if max_norm is None:
        return grad
    parts = list(slices)
    norms = [grad[part].norm() for part in parts]
    if all(norm <= max_norm for norm in norms):
        # The usual case needs no copy.
        return grad
    clipped = torch.empty_like(grad)
    for part, norm in zip(parts, norms, strict=True):
        torch.mul(grad[part], max_norm / norm.clamp(min=max_norm), out=clipped[part])
    return clipped


def _fused_step(vectors: list[Tensor], count: Tensor, rate: float) -> None:
    """Updates parameters, mean and variance in place; `vectors` as in `_plain_step`."""
    params, grad, mean, variance = ([vector] for vector in vectors)
    torch._fused_adam_(
        *(params, grad, mean, variance, [], [count.float()]),
        lr=rate,
        beta1=BETA1,
        beta2=BETA2,
        weight_decay=0.0,
        eps=EPS,
        amsgrad=False,
        maximize=False,
    )


def _plain_step(vectors: list[Tensor], count: Tensor, rate: float) -> None:
    """Does the same in separate operations; `vectors` are params, grad, mean, variance [p]."""
    params, grad, mean, variance = vectors
    mean.lerp_(grad, 1 - BETA1)
    variance.mul_(BETA2).addcmul_(grad, grad, value=1 - BETA2)
    steps = int(count)
    denominator = (variance / (1 - BETA2**steps)).sqrt_().add_(EPS)
    params.addcdiv_(mean, denominator, value=-rate / (1 - BETA1**steps))
