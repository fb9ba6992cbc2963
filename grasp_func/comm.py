"""Logical workers on MPI processes; the only file that imports mpi4py.

A run has a fixed number of logical workers. Seeds, episodes, batches and the order of every sum
belong to workers; processes merely host them, in equal contiguous shares. Whatever is summed is
gathered into one slot per worker and added up in worker order, so the result is the same to the bit
on any number of processes.
"""

import hashlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Protocol, TypeVar

import jax
import numpy as np
import torch
from torch import Tensor

from grasp_func.ddpg import mean_of_workers
from grasp_func.types import Array

T = TypeVar("T")
SIZE_VARIABLES = (
    "OMPI_COMM_WORLD_SIZE",
    "PMI_SIZE",
    "PMIX_SIZE",
)  # what launchers say of the number of processes


class Comm(Protocol):
    """The part of mpi4py's communicators that is used."""

    def Get_rank(self) -> int: ...  # noqa: D102
    def Get_size(self) -> int: ...  # noqa: D102
    def bcast(self, obj: Any, root: int = 0) -> Any: ...  # noqa: D102
    def allgather(self, sendobj: Any) -> list[Any]: ...  # noqa: D102
    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None: ...  # noqa: D102


class SoloComm:
    """The communicator of a single process, so that it runs the same code."""

    def Get_rank(self) -> int:
        """Returns 0."""
        return 0

    def Get_size(self) -> int:
        """Returns 1."""
        return 1

    def bcast(self, obj: T, root: int = 0) -> T:
        """Returns the object."""
        return obj

    def allgather(self, sendobj: T) -> list[T]:
        """Returns a list of the object alone."""
        return [sendobj]

    def Allgather(self, sendbuf: Array, recvbuf: Array) -> None:
        """Copies the one buffer."""
        recvbuf.reshape(sendbuf.shape)[...] = sendbuf


class DesyncError(RuntimeError):
    """Replicas of the state differ between processes."""


class Workers(NamedTuple):
    """The logical workers of a run as one process sees them."""

    comm: Comm
    total: int
    hosted: range  # indices of the workers that this process hosts

    @property
    def is_root(self) -> bool:
        """Whether this process logs and writes files."""
        return self.comm.Get_rank() == 0

    def mean(self, values: Sequence[Tensor]) -> Tensor:
        """Averages over all workers, in worker order, in one collective.

        Args:
            values: one vector per hosted worker, each [N], float32 or float64.

        Returns:
            [N], equal to the bit on all processes and for every number of processes.
        """
        mine = torch.stack(list(values))
        slots = torch.empty((self.total, mine.shape[1]), dtype=mine.dtype)
        self.comm.Allgather(mine.numpy(), slots.numpy())
        return mean_of_workers(list(slots))

    def gather(self, values: Sequence[T]) -> list[T]:
        """Collects one object per hosted worker into the list of all workers', in their order."""
        return [value for part in self.comm.allgather(list(values)) for value in part]

    def assert_synced(self, tree: Any) -> str:
        """Checks that all processes hold the same tree, bit for bit, and returns its hash.

        Raises:
            DesyncError: on every process; names the ranks that differ from rank 0.
        """
        digests = self.comm.allgather(tree_hash(tree))
        wrong = [rank for rank, digest in enumerate(digests) if digest != digests[0]]
        if wrong:
            raise DesyncError(f"the agent's state on rank {wrong} differs from that on rank 0")
        return str(digests[0])


def on_root(comm: Comm, action: Callable[[], T]) -> T:
    """Runs `action` on the first process; all return its result or raise its ValueError."""
    is_root = comm.Get_rank() == 0
    return comm.bcast(on_each(comm, action if is_root else lambda: None))  # type: ignore[no-any-return]


def on_each(comm: Comm, action: Callable[[], T]) -> T:
    """Runs `action` on every process; where one raises a ValueError, all raise the first one."""
    result: Any = None
    error: ValueError | None = None
    try:
        result = action()
    except ValueError as caught:
        error = caught
    raised = [error for error in comm.allgather(error) if error is not None]
    if raised:
        raise raised[0]
    return result  # type: ignore[no-any-return]


def make_workers(comm: Comm, total: int | None) -> Workers:
    """Distributes `total` workers (None: one per process) over the processes.

    Raises:
        ValueError: the number of workers is not a multiple of the number of processes.
    """
    size, rank = comm.Get_size(), comm.Get_rank()
    total = size if total is None else total
    if total < size or total % size:
        raise ValueError(
            f"workers = {total} cannot be shared equally by {size} processes; "
            f"start mpirun -n with a divisor of {total}, or set workers to a multiple of {size}"
        )
    share = total // size
    return Workers(comm, total, range(rank * share, (rank + 1) * share))


def tree_hash(tree: Any) -> str:
    """Returns 16 hexadecimal digits that depend on every bit of a tree of tensors."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        digest.update(np.ascontiguousarray(leaf.numpy()).tobytes())
    return digest.hexdigest()[:16]


def connect() -> Comm:
    """Returns MPI's world, or SoloComm where there is no MPI library and no launcher.

    Also sees to it that an exception on one process ends the whole job instead of leaving the
    others waiting.

    Raises:
        RuntimeError: a launcher started several processes that do not find each other.
    """
    launched = max((int(os.environ.get(name, 0)) for name in SIZE_VARIABLES), default=0)
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        if launched > 1:
            raise RuntimeError(
                f"{launched} processes were launched, but MPI does not load: {error}"
            ) from error
        return SoloComm()
    world: Comm = MPI.COMM_WORLD
    if launched > world.Get_size():
        raise RuntimeError(
            f"{launched} processes were launched, MPI sees {world.Get_size()}: mpirun and mpi4py "
            "belong to different MPI installations; use the mpirun that lies beside this python"
        )
    if world.Get_size() > 1:
        sys.excepthook = _abort_job
    return world


def host_names(comm: Comm) -> list[str]:
    """Returns the names of the hosts in use, each once, in rank order."""
    names = comm.allgather(os.uname().nodename)
    return list(dict.fromkeys(names))


def _abort_job(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Prints the traceback and ends all processes, which would wait for this one otherwise."""
    from mpi4py.run import set_abort_status

    traceback.print_exception(kind, error, trace)
    sys.stderr.flush()
    set_abort_status(1)
