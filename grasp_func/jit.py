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

import jax
import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

T = TypeVar("T", bound=Tensor | tuple[Tensor, ...])


def capture(function: Callable[..., T]) -> Callable[..., T]:
    """Returns `function` with its operators recorded once per structure and shapes of its inputs.

    What it returns are inference tensors: autograd cannot go through them.

    Args:
        function: pure function of trees of tensors to one tensor or a tuple of them; Python control
            flow must not depend on values. TorchScript drops the writes of PyTorch's fused
            optimizers, so those cannot be captured.
    """
    recorded: dict[Any, Any] = {}

    def replay(*inputs: Any) -> T:
        leaves, structure = jax.tree.flatten(inputs)
        kind = structure, tuple(leaf.shape for leaf in leaves)
        if kind not in recorded:
            flat = lambda *leaves: function(*jax.tree.unflatten(structure, leaves))  # noqa: E731
            with torch.no_grad(), warnings.catch_warnings():
                # deprecated, but still the fastest replay
                warnings.simplefilter("ignore", DeprecationWarning)
                graph = make_fx(flat)(*leaves)
                recorded[kind] = torch.jit.trace(graph, tuple(leaves), check_trace=False)
        # without autograd's bookkeeping for each operator, a fifteenth of a small network's step
        with torch.inference_mode(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            outputs: T = recorded[kind](*leaves)
        return outputs

    return replay
