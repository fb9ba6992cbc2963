"""Captures a pure function of tensors once and replays it, as jax.jit does.

torch.func builds its graph anew at every call, which costs more than the arithmetic of small
networks. `capture` traces the function at its first call for the shapes that come and replays the
recorded operators from then on: the same operators in the same order, so the same bits as the eager
function. TorchScript's optimiser must stay off for that: it takes `addmm` apart into a product and
a sum, which rounds differently (seen from width 256 on) and is no faster.
"""

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

T = TypeVar("T", bound=tuple[Tensor, ...])


def capture(function: Callable[..., T]) -> Callable[..., T]:
    """Returns `function` with its operators recorded once per combination of input shapes.

    Args:
        function: pure function of tensors to a tuple of tensors; Python control flow must not
            depend on values.
    """
    recorded: dict[tuple[torch.Size, ...], Any] = {}

    @torch.no_grad()
    def replay(*inputs: Tensor) -> T:
        shapes = tuple(tensor.shape for tensor in inputs)
        if shapes not in recorded:
            graph = make_fx(function)(*inputs)
            with warnings.catch_warnings():
                # deprecated, but still the fastest replay
                warnings.simplefilter("ignore", DeprecationWarning)
                recorded[shapes] = torch.jit.trace(graph, inputs, check_trace=False)
        with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            outputs: T = recorded[shapes](*inputs)
        return outputs

    return replay
