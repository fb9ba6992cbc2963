"""Records a pure function of tensors once and runs the record from then on, as jax.jit does.

torch.func builds its graph anew at every call, which costs more than the arithmetic of small
networks. `trace` traces the function at its first call for the shapes that come; what it hands to
`build` is the graph of the operators that PyTorch would have called.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jax
import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

T = TypeVar("T", bound=Tensor | tuple[Tensor, ...])
Program = Callable[..., Any]  # of the tensors that the function's inputs consist of, one by one
Build = Callable[[GraphModule, Sequence[Tensor]], Program]  # graph, an example of its inputs
Jit = Callable[[Callable[..., Tensor]], Callable[..., Tensor]]


def eager(function: Callable[..., T]) -> Callable[..., T]:
    """Returns `function` itself, the reference of every other `Jit`."""
    return function


def run_trace(graph: GraphModule, inputs: Sequence[Tensor]) -> Program:
    """Returns the graph's operators in their order, without Python: the bits of the eager function.

    TorchScript's optimiser must stay off for that: it takes `addmm` apart into a product and a sum,
    which rounds differently (seen from width 256 on) and is no faster.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # but still the fastest replay
        recorded = torch.jit.trace(graph, tuple(inputs), check_trace=False)

    def program(*inputs: Tensor) -> Any:
        with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            return recorded(*inputs)

    return program


def trace(function: Callable[..., T], build: Build = run_trace) -> Callable[..., T]:
    """Returns `function`, recorded once per structure and shapes of its inputs.

    What it returns are inference tensors: autograd cannot go through them.

    Args:
        function: pure function of trees of tensors to one tensor or a tuple of them; Python control
            flow must not depend on values. PyTorch's fused optimizers cannot be captured:
            TorchScript drops what they write.
        build: what is made of the record.
    """
    programs: dict[Any, Program] = {}

    def run(*inputs: Any) -> T:
        leaves, structure = jax.tree.flatten(inputs)
        kind = structure, tuple(leaf.shape for leaf in leaves)
        if kind not in programs:
            flat = lambda *leaves: function(*jax.tree.unflatten(structure, leaves))  # noqa: E731
            with torch.no_grad():
                programs[kind] = build(make_fx(flat)(*leaves), leaves)
        # without autograd's bookkeeping for each operator, a fifteenth of a small network's step
        with torch.inference_mode():
            outputs: T = programs[kind](*leaves)
        return outputs

    return run
