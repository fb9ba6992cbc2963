"""Logical workers on MPI processes.

A run has a fixed number of logical workers. Seeds, episodes, batches and the order of every sum
belong to workers. Each process runs an equal, contiguous block of them. So a run gives the same
bits on any number of processes that divides the number of workers.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np

from grasp_func.errors import ConfigError
from grasp_func.runtime.allreduce import Mean, make_mean
from grasp_func.runtime.comm import Comm

T = TypeVar("T")


class DesyncError(RuntimeError):
    """The agent's state differs between ranks."""


class Workers(NamedTuple):
    """The logical workers of a run, as seen by one process.

    Attributes:
        comm: the processes.
        total: number of workers.
        local_workers: indices of the workers on this process.
        mean: the mean over all workers; see `allreduce.Mean`.
    """

    comm: Comm
    total: int
    local_workers: range
    mean: Mean

    @property
    def is_root(self) -> bool:
        """Whether this process is rank 0, which logs and writes files."""
        return self.comm.Get_rank() == 0

    def gather(self, values: Sequence[T]) -> list[T]:
        """Collects one object per local worker into a list in worker order."""
        return [value for part in self.comm.allgather(list(values)) for value in part]

    def assert_synced(self, tree: Any) -> str:
        """Checks that all ranks hold the same tree, bit for bit, and returns its hash.

        Raises:
            DesyncError: on every rank; names the ranks that differ from rank 0.
        """
        digests = self.comm.allgather(tree_hash(tree))
        wrong = [rank for rank, digest in enumerate(digests) if digest != digests[0]]
        if wrong:
            raise DesyncError(f"the agent's state on rank {wrong} differs from that on rank 0")
        return str(digests[0])


def make_workers(comm: Comm, total: int | None) -> Workers:
    """Distributes workers over the processes; every process must call it.

    Args:
        comm: the processes.
        total: number of workers; None: one for each process.

    Raises:
        ConfigError: the number of workers is not a multiple of the number of processes.
    """
    size, rank = comm.Get_size(), comm.Get_rank()
    total = size if total is None else total
    if total < size or total % size:
        raise ConfigError(
            f"workers = {total}: expected a multiple of {size}, the number of processes; "
            f"start mpirun -n with a divisor of {total}, or set workers to a multiple of {size}"
        )
    n_local = total // size
    local_workers = range(rank * n_local, (rank + 1) * n_local)
    return Workers(comm, total, local_workers, make_mean(comm, total))


def tree_hash(tree: Any) -> str:
    """Returns 16 hexadecimal digits of a hash over every bit of a tree of tensors."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        digest.update(np.ascontiguousarray(leaf.numpy()).tobytes())
    return digest.hexdigest()[:16]
