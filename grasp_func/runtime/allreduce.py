"""The mean over all workers, the one collective of a gradient step.

One interface, three ways of moving numbers: within a process, through memory that the processes of
one host share, or as messages between hosts. All add the workers' vectors in worker order and
divide by their number, so all give the same bits on any number of processes; MPI's own Allreduce
adds in an order that depends on the number of processes and on the length. Beside `comm.py` the
only file that imports mpi4py.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grasp_func.core.ddpg import mean_of_workers
from grasp_func.core.types import Array
from grasp_func.runtime.comm import Comm

Mean = Callable[[Sequence[Tensor]], Tensor]
# one vector [N] per worker of this process, float32 or float64, the same on all processes; every
# process must call it and gets the mean over all workers [N], to be read until the next call


def make_mean(comm: Comm, total: int) -> Mean:
    """Returns the fastest way for where the processes are; every process must call it.

    Args:
        comm: the processes, each of which hosts the same number of workers.
        total: number of workers.
    """
    if comm.Get_size() == 1:
        return mean_of_workers
    return SharedMean(comm, total) if on_one_host(comm) else ExchangedMean(comm, total)


def on_one_host(comm: Any) -> bool:
    """Tells whether all processes of an MPI communicator can share memory."""
    if not hasattr(comm, "Split_type"):
        return False
    from mpi4py import MPI

    host = comm.Split_type(MPI.COMM_TYPE_SHARED)
    size = host.Get_size()
    host.Free()
    return bool(size == comm.Get_size())


class SharedMean:
    """Through one window of shared memory: every process averages a part of the vector."""

    def __init__(self, comm: Any, total: int) -> None:
        """Memory is taken at the first call for each length and type of vector."""
        self.comm, self.total = comm, total
        self.windows: dict[tuple[int, str], tuple[Any, Array]] = {}

    def __call__(self, values: Sequence[Tensor]) -> Tensor:
        """See `Mean`."""
        arrays = [value.numpy() for value in values]
        window, (*slots, mean) = self._window(len(arrays[0]), arrays[0].dtype)
        rank, size = self.comm.Get_rank(), self.comm.Get_size()
        for slot, array in zip(slots[rank * len(arrays) :], arrays, strict=False):
            slot[:] = array
        self._meet(window)
        part = slice(*(len(mean) * i // size for i in (rank, rank + 1)))
        ordered_mean([slot[part] for slot in slots], mean[part])
        self._meet(window)
        return torch.from_numpy(mean)  # written again only after all have met in the next call

    def _window(self, length: int, dtype: Any) -> tuple[Any, Array]:
        """Returns the window and its rows, one slot per worker and the mean [W + 1, N]."""
        from mpi4py import MPI

        if (length, dtype.str) not in self.windows:
            n_bytes = (self.total + 1) * length * dtype.itemsize
            own = n_bytes if self.comm.Get_rank() == 0 else 0
            window: Any = MPI.Win.Allocate_shared(own, dtype.itemsize, comm=self.comm)
            window.Lock_all()
            rows = np.frombuffer(window.Shared_query(0)[0], dtype).reshape(self.total + 1, length)
            self.windows[length, dtype.str] = window, rows
        return self.windows[length, dtype.str]

    def _meet(self, window: Any) -> None:
        """Waits for all processes and sees to it that each sees what the others wrote."""
        window.Sync()
        self.comm.Barrier()
        window.Sync()


class ExchangedMean:
    """As messages: every process is sent a part of all workers' vectors and returns their mean."""

    def __init__(self, comm: Any, total: int) -> None:
        """See `make_mean`."""
        self.comm, self.total = comm, total

    def __call__(self, values: Sequence[Tensor]) -> Tensor:
        """See `Mean`."""
        size, local_workers, length = self.comm.Get_size(), len(values), len(values[0])
        part = math.ceil(length / size)
        parts = np.zeros(
            (local_workers, size * part), values[0].numpy().dtype
        )  # zeros fill the last part
        for row, value in zip(parts, values, strict=True):
            row[:length] = value.numpy()
        outgoing = np.ascontiguousarray(parts.reshape(local_workers, size, part).swapaxes(0, 1))
        slots = np.empty((self.total, part), parts.dtype)  # senders' order is the workers' order
        self.comm.Alltoall(outgoing, slots)
        mean = np.empty(size * part, parts.dtype)
        self.comm.Allgather(ordered_mean(slots, np.empty(part, parts.dtype)), mean)
        return torch.from_numpy(mean[:length])


def ordered_mean(slots: Sequence[Array] | Array, out: Array) -> Array:
    """Writes the mean of vectors [N], added one after the other, to `out` [N] and returns it."""
    if len(slots) == 1:
        out[:] = slots[0]
        return out
    np.add(slots[0], slots[1], out=out)
    for slot in slots[2:]:
        out += slot
    out /= len(slots)
    return out
