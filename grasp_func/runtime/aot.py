"""Compiles a traced graph to machine code ahead of time, as XLA does for jax.jit.

AOTInductor (torch.export, `torch._inductor.aoti_compile_and_package`) turns everything between the
matrix products into a few C++ loops. Small networks then take a third less time. The result rounds
differently from the eager function, and a C++ compiler runs for 15 to 30 s at every start.
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

# Longest part of a compiler's output in an error message, in characters.
MAX_OUTPUT = 600
# By default PyTorch caches code in a folder of /tmp whose name other users can guess.
CACHE = "TORCHINDUCTOR_CACHE_DIR"


def compile_graph(
    graph: GraphModule,
    inputs: Sequence[Tensor],
    compile_on_root: Callable[[Callable[[], bytes]], bytes] = lambda build: build(),
) -> Program:
    """Returns the graph as machine code, the same on all ranks.

    Args:
        graph: traced from a pure function.
        inputs: example inputs; only their shapes and types matter.
        compile_on_root: runs a function on rank 0 and returns its result on every rank; by default
            every rank compiles for itself.

    Raises:
        CompileError: the compiler failed; the message holds its output.
    """
    from torch._inductor import aoti_load_package

    package = compile_on_root(lambda: _package(graph, inputs))
    with tempfile.NamedTemporaryFile(suffix=".pt2") as file:
        file.write(package)
        file.flush()
        program: Program = aoti_load_package(file.name)
    return program


def _package(graph: GraphModule, inputs: Sequence[Tensor]) -> bytes:
    """Returns the bytes of a compiled package."""
    from torch._inductor import aoti_compile_and_package, config

    folder = _folder().name
    before = os.environ.get(CACHE)
    os.environ[CACHE] = folder
    try:
        with warnings.catch_warnings(), config.patch({"cpp.threads": 1, "compile_threads": 1}):
            # PyTorch warns about its own internals.
            warnings.simplefilter("ignore")
            exported = torch.export.export(graph, tuple(inputs))
            path = aoti_compile_and_package(exported, package_path=f"{folder}/program.pt2")
        return Path(path).read_bytes()
    except Exception as error:
        # PyTorch raises dozens of types here.
        output = " ".join(str(error).split())[:MAX_OUTPUT]
        raise CompileError(
            f"updates = compiled: {output}; install a C++ compiler (g++, or name one in CXX) or "
            "start without --compile"
        ) from error
    finally:
        os.environ.pop(CACHE)
        os.environ.update({CACHE: before} if before else {})


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Returns a private folder, kept until this process ends: PyTorch reads its files later."""
    return tempfile.TemporaryDirectory(prefix="grasp_func_")
