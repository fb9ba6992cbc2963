"""Checks that all ranks run identical code, arguments and versions.

Otherwise the same seed would give different bits. Hosts of a cluster may hold different checkouts
or package versions, and `mpirun` can start processes with different arguments. The check runs
before training begins.
"""

import hashlib
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from grasp_func.errors import ConfigError
from grasp_func.runtime.comm import Comm
from grasp_func.runtime.machine import cpu_facts

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
    """Returns the versions of Python and of the packages that a run's bits may depend on."""
    return {"python": sys.version.split()[0], **{name: version(name) for name in PACKAGES}}


def program_facts(*packages: ModuleType) -> dict[str, str]:
    """Returns arguments, versions and source hashes of the packages, to be equal on all ranks."""
    sources = {
        f"source code of {package.__name__}": source_hash(package.__path__[0])
        for package in packages
    }
    return {"arguments": " ".join(sys.argv[1:]), **versions(), **sources}


def assert_alike(comm: Comm, facts: Mapping[str, str], host: str) -> None:
    """Compares the facts of all ranks, which must all call this.

    Args:
        comm: the processes.
        facts: values that must be equal on all ranks.
        host: name of this rank's host, for the message.

    Raises:
        ConfigError: on every rank; names the first difference and the hosts.
    """
    first, *others = comm.allgather((host, dict(facts)))
    for rank, (name, theirs) in enumerate(others, start=1):
        for fact, value in first[1].items():
            if theirs.get(fact) != value:
                raise ConfigError(
                    f"{fact}: {theirs.get(fact)!r} on rank {rank} ({name}), {value!r} on "
                    f"rank 0 ({first[0]}); install and start the same program on all ranks"
                )


def cpu_names(comm: Comm) -> list[str]:
    """Returns the models of the CPUs in use, each once, in rank order."""
    names = comm.allgather(cpu_facts().get("model name", "unknown CPU"))
    return list(dict.fromkeys(names))


def source_hash(package: str | Path) -> str:
    """Returns 16 hexadecimal digits of a hash over the names and contents of Python files."""
    folder = Path(package)
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
