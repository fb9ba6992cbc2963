"""Compiles a captured graph to machine code ahead of time, as XLA does for jax.jit.

AOTInductor (torch.export, `torch._inductor.aoti_compile_and_package`) turns everything between the
matrix products into a few C++ loops. That takes a third off the time of small networks, rounds
differently from the eager function, and needs a C++ compiler for 15 to 30 s at every start.
"""

import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.fx import GraphModule

from grasp_func.core.jit import Program
from grasp_func.errors import CompileError

Share = Callable[[Callable[[], bytes]], bytes]  # runs a function on one process for all of them
MOST = 600  # characters of a compiler's complaint
CACHE = "TORCHINDUCTOR_CACHE_DIR"  # by default a folder in /tmp with a name that others can guess


def compile_graph(
    graph: GraphModule, inputs: Sequence[Tensor], share: Share = lambda build: build()
) -> Program:
    """Returns the graph as machine code, the same on all processes.

    Args:
        graph: of a pure function.
        inputs: an example of its inputs; only their shapes and types matter.
        share: how one process compiles for all of them.

    Raises:
        CompileError: the compiler's complaint.
    """
    from torch._inductor import aoti_load_package

    package = share(lambda: _package(graph, inputs))
    with tempfile.NamedTemporaryFile(suffix=".pt2") as file:
        file.write(package)
        file.flush()
        program: Program = aoti_load_package(file.name)
    return program


def _package(graph: GraphModule, inputs: Sequence[Tensor]) -> bytes:
    from torch._inductor import aoti_compile_and_package, config

    folder = _folder().name
    before = os.environ.get(CACHE)
    os.environ[CACHE] = folder
    try:
        with warnings.catch_warnings(), config.patch({"cpp.threads": 1, "compile_threads": 1}):
            warnings.simplefilter("ignore")  # of PyTorch about PyTorch
            exported = torch.export.export(graph, tuple(inputs))
            path = aoti_compile_and_package(exported, package_path=f"{folder}/program.pt2")
        return Path(path).read_bytes()
    except Exception as error:  # dozens of kinds
        complaint = " ".join(str(error).split())[:MOST]
        raise CompileError(
            f"updates = compiled: {complaint}; install a C++ compiler (g++, or name one in CXX) or "
            "start without --compile"
        ) from error
    finally:
        os.environ.pop(CACHE)
        os.environ.update({CACHE: before} if before else {})


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Returns a folder of this process alone; PyTorch goes on to use what lies there."""
    return tempfile.TemporaryDirectory(prefix="grasp_func_")
