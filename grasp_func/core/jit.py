"""Traces a pure function of tensors once and runs the trace from then on, as jax.jit does.

torch.func builds its graph anew at every call, which costs more than the arithmetic of small
networks. `trace` traces the function at its first call for each combination of input shapes, and
passes the graph of PyTorch operators to `build`, which turns it into a program.
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
# A function of the tensors in the traced function's inputs, each an argument of its own.
Program = Callable[..., Any]
# (graph, example inputs) -> program.
Build = Callable[[GraphModule, Sequence[Tensor]], Program]
Jit = Callable[[Callable[..., Tensor]], Callable[..., Tensor]]


def eager(function: Callable[..., T]) -> Callable[..., T]:
    """Returns `function` itself, the reference of every other `Jit`."""
    return function


def run_trace(graph: GraphModule, inputs: Sequence[Tensor]) -> Program:
    """Returns a program that runs the graph's operators in order, without Python.

    It gives the bits of the eager function. TorchScript's optimiser stays off for that: it splits
    `addmm` into a product and a sum, which rounds differently (seen from width 256 on) and is no
    faster.
    """
    with warnings.catch_warnings():
        # torch.jit.trace is deprecated, but nothing replays a graph faster.
        warnings.simplefilter("ignore", DeprecationWarning)
        traced = torch.jit.trace(graph, tuple(inputs), check_trace=False)

    def program(*inputs: Tensor) -> Any:
        with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            return traced(*inputs)

    return program


def trace(function: Callable[..., T], build: Build = run_trace) -> Callable[..., T]:
    """Returns `function`, traced once for each tree structure and shapes of its inputs.

    It returns inference tensors, through which autograd cannot differentiate.

    Args:
        function: pure function of trees of tensors that returns one tensor or a tuple of them.
            Python control flow must not depend on values. PyTorch's fused optimizers cannot be
            traced: TorchScript drops their in-place writes.
        build: turns a graph into a program.
    """
    programs: dict[Any, Program] = {}

    def run(*inputs: Any) -> T:
        leaves, structure = jax.tree.flatten(inputs)
        kind = structure, tuple(leaf.shape for leaf in leaves)
        if kind not in programs:
            flat = lambda *leaves: function(*jax.tree.unflatten(structure, leaves))  # noqa: E731
            with torch.no_grad():
                programs[kind] = build(make_fx(flat)(*leaves), leaves)
        # Without autograd's bookkeeping a small network's step takes a fifteenth less time.
        with torch.inference_mode():
            outputs: T = programs[kind](*leaves)
        return outputs

    return run
