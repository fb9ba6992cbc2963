"""Whether all processes run the same program: without that the same seed gives other bits.

Hosts of a cluster may hold different checkouts or package versions, and `mpirun` can start
processes with different arguments; each of that is found before training begins.
"""

import hashlib
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from grasp_func.errors import UserError
from grasp_func.runtime.comm import Comm
from grasp_func.runtime.matmul_precision import cpu_facts

PACKAGES = (
    "grasp_func",
    "torch",
    "numpy",
    "pybullet",
    "gymnasium",
    "mpi4py",
    "chex",
    "orbax-checkpoint",
)


def versions() -> dict[str, str]:
    """Returns the versions of Python and of what a run's bits may depend on."""
    return {"python": sys.version.split()[0], **{name: version(name) for name in PACKAGES}}


def program_facts(*packages: ModuleType) -> dict[str, str]:
    """Returns what must be equal on all processes: arguments, versions, the packages' source."""
    sources = {f"source code of {package.__name__}": source_hash(package) for package in packages}
    return {"arguments": " ".join(sys.argv[1:]), **versions(), **sources}


def assert_alike(comm: Comm, facts: Mapping[str, str], host: str) -> None:
    """Compares the facts of all processes.

    Raises:
        UserError: on every process; names what differs first, and where.
    """
    first, *others = comm.allgather((host, dict(facts)))
    for rank, (name, theirs) in enumerate(others, start=1):
        for fact, value in first[1].items():
            if theirs.get(fact) != value:
                raise UserError(
                    f"{fact}: {theirs.get(fact)!r} on process {rank} ({name}), {value!r} on "
                    f"process 0 ({first[0]}); all processes must run the same program"
                )


def cpu_names(comm: Comm) -> list[str]:
    """Returns the models of the CPUs in use, each once, in rank order."""
    names = comm.allgather(cpu_facts().get("model name", "unknown CPU"))
    return list(dict.fromkeys(names))


def source_hash(package: ModuleType) -> str:
    """Returns 16 hexadecimal digits that depend on every line of a package's Python files."""
    folder = Path(package.__path__[0])
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
