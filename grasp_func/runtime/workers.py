"""Logical workers on MPI processes.

A run has a fixed number of logical workers. Seeds, episodes, batches and the order of every sum
belong to workers; processes merely host them, in equal contiguous shares. So the result of a run is
the same to the bit on any number of processes.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np

from grasp_func.errors import UserError
from grasp_func.runtime.allreduce import Mean, make_mean
from grasp_func.runtime.comm import Comm

T = TypeVar("T")


class DesyncError(RuntimeError):
    """Replicas of the state differ between processes."""


class Workers(NamedTuple):
    """The logical workers of a run as one process sees them."""

    comm: Comm
    total: int
    local_workers: range  # indices of the workers that this process hosts
    mean: Mean

    @property
    def is_root(self) -> bool:
        """Whether this process logs and writes files."""
        return self.comm.Get_rank() == 0

    def gather(self, values: Sequence[T]) -> list[T]:
        """Collects one object per local worker into a list in worker order."""
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


def make_workers(comm: Comm, total: int | None) -> Workers:
    """Distributes `total` workers (None: one per process) over the processes.

    Raises:
        UserError: the number of workers is not a multiple of the number of processes.
    """
    size, rank = comm.Get_size(), comm.Get_rank()
    total = size if total is None else total
    if total < size or total % size:
        raise UserError(
            f"workers = {total} cannot be shared equally by {size} processes; "
            f"start mpirun -n with a divisor of {total}, or set workers to a multiple of {size}"
        )
    share = total // size
    return Workers(comm, total, range(rank * share, (rank + 1) * share), make_mean(comm, total))


def tree_hash(tree: Any) -> str:
    """Returns 16 hexadecimal digits that depend on every bit of a tree of tensors."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        digest.update(np.ascontiguousarray(leaf.numpy()).tobytes())
    return digest.hexdigest()[:16]
