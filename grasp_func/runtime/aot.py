"""Compiles a traced graph to machine code ahead of time, as XLA does for jax.jit.

AOTInductor (torch.export, `torch._inductor.aoti_compile_and_package`) turns everything between the
matrix products into a few C++ loops. Small networks then take a third less time. The result rounds
differently from the eager function, and a C++ compiler runs for 15 to 30 s. The result is kept in
the user's cache directory, under a hash of everything it depends on.
"""

import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._C._aoti import AOTIModelPackageLoader
from torch.fx import GraphModule

from grasp_func.core.jit import Program
from grasp_func.errors import CompileError
from grasp_func.runtime.compile_cache import load_or_build
from grasp_func.runtime.consistency import source_hash
from grasp_func.runtime.machine import compiler, compiler_version, cpu_facts

# Longest part of a compiler's output in an error message, in characters.
MAX_OUTPUT = 600
# By default PyTorch caches code in a folder of /tmp whose name other users can guess.
CACHE = "TORCHINDUCTOR_CACHE_DIR"
# A program that needs what compiled updates need: the standard library, OpenMP and a linker.
TRIAL = "#include <cmath>\n#include <omp.h>\ndouble trial(double x) { return std::exp(x); }\n"
TRIAL_FLAGS = ("-x", "c++", "-", "-shared", "-fPIC", "-fopenmp")
TRIAL_SECONDS = 60
SETTINGS = {"cpp.threads": 1, "compile_threads": 1}
# Beginnings of the environment variables that PyTorch, the compiler or the linker reads.
VARIABLES = (
    *("TORCH", "PYTORCH", "AOT", "INDUCTOR", "ATEN", "ENABLE_", "DUMP_"),
    *("CXX", "CPATH", "CPLUS", "C_INCLUDE", "COMPILER_PATH", "GCC_", "LIBRARY_PATH", "LD_RUN_PATH"),
)
# Entries of /proc/cpuinfo that are equal on equal CPUs; others, such as the clock, vary.
CPU_ENTRIES = (
    *("vendor_id", "cpu family", "model", "model name", "stepping", "flags"),
    *("CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features"),
)


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
    package = compile_on_root(
        lambda: load_or_build(program_key(graph, inputs), lambda: _package(graph, inputs))
    )
    with tempfile.NamedTemporaryFile(suffix=".pt2") as file:
        file.write(package)
        file.flush()
        # `torch._inductor.aoti_load_package` does the same, but its imports take 0.8 s.
        loader = AOTIModelPackageLoader(file.name, "model", False, 1, -1)
    is_tuple = isinstance(graph.graph.output_node().args[0], tuple | list)

    def program(*inputs: Tensor) -> Any:
        outputs = loader.boxed_run(list(inputs))
        return tuple(outputs) if is_tuple else outputs[0]

    return program


@cache
def compiler_problem() -> str:
    """Returns why no C++ compiler can be used; empty if a small library is compiled and linked."""
    with tempfile.TemporaryDirectory(prefix="grasp_func_") as folder:
        command = [compiler(), *TRIAL_FLAGS, "-o", f"{folder}/trial.so"]
        try:
            job = subprocess.run(
                command, input=TRIAL, capture_output=True, text=True, timeout=TRIAL_SECONDS
            )
        except FileNotFoundError:
            return f"there is no {command[0]}"
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return str(error)
    if job.returncode == 0:
        return ""
    return f"{compiler()} ended with {job.returncode}: {' '.join(job.stderr.split())[:MAX_OUTPUT]}"


def program_key(graph: GraphModule, inputs: Sequence[Tensor]) -> str:
    """Returns a hash of everything a compiled program depends on, in hexadecimal digits."""
    layouts = [(x.shape, x.stride(), x.dtype, x.device) for x in inputs]
    digest = hashlib.sha256()
    for fact in (*_contents(graph), str(layouts).encode(), str(_surroundings()).encode()):
        digest.update(len(fact).to_bytes(8, "little") + fact)
    return digest.hexdigest()


def _contents(graph: GraphModule) -> Iterator[bytes]:
    """Yields the code of a graph and its constants."""
    yield graph.code.encode()
    for node in graph.graph.find_nodes(op="get_attr"):
        value = attrgetter(str(node.target))(graph)
        if isinstance(value, GraphModule):
            yield from _contents(value)
        else:
            yield f"{node.target} {value.shape} {value.stride()} {value.dtype}".encode()
            yield value.detach().flatten().view(torch.uint8).numpy().tobytes()


def _surroundings() -> dict[str, Any]:
    """Returns what a compiled program depends on besides the graph and its inputs."""
    cpu = cpu_facts()
    return {
        "python": sys.version,
        "torch": (torch.__version__, torch.version.git_version, torch.__config__.show()),
        "source": source_hash(Path(__file__).parents[1]),
        "settings": SETTINGS,
        "environment": {
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith(VARIABLES) and name != CACHE
        },
        "compiler": (compiler_version(), platform.libc_ver()),
        "cpu": [platform.machine(), *(cpu.get(entry) for entry in CPU_ENTRIES)],
        "matmul": torch.get_float32_matmul_precision(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def _package(graph: GraphModule, inputs: Sequence[Tensor]) -> bytes:
    """Returns the bytes of a compiled package."""
    from torch._inductor import aoti_compile_and_package, config

    folder = _folder().name
    before = os.environ.get(CACHE)
    os.environ[CACHE] = folder
    try:
        with warnings.catch_warnings(), config.patch(SETTINGS):
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
            "start a new run with --set updates=traced"
        ) from error
    finally:
        os.environ.pop(CACHE)
        os.environ.update({CACHE: before} if before else {})


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Returns a private folder, kept until this process ends: PyTorch reads its files later."""
    return tempfile.TemporaryDirectory(prefix="grasp_func_")
