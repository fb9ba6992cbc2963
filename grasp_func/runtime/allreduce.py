"""The mean over all workers, the one collective of a gradient step.

There are three implementations of one interface: for a single process, for processes that share the
memory of one host, and for processes on several hosts, which exchange messages. All add the
workers' vectors in worker order and divide by their number, so all give the same bits on any number
of processes. MPI's own Allreduce adds in an order that depends on the number of processes and on
the length of the vector. Only this file and `comm.py` import mpi4py.
"""

import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grasp_func.core.ddpg import mean_of_workers
from grasp_func.core.types import Array
from grasp_func.runtime.comm import Comm

# Takes one vector [N] for each worker of this process, float32 or float64, of equal length and type
# on all processes. Returns the mean over all workers [N]. Every process must call it.
Mean = Callable[[Sequence[Tensor]], Tensor]


def make_mean(comm: Comm, total: int) -> Mean:
    """Returns the fastest mean for the hosts in use; every process must call it.

    Args:
        comm: the processes, each with the same number of workers.
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


class _Window:
    """Memory that all processes of a host read and write.

    Attributes:
        slots: the workers' vectors [W, N].
        means: two rows for results [2, N]. The first is returned without a copy.
        in_use: whether each process still refers to the first row [processes].
    """

    def __init__(self, comm: Any, total: int, length: int, dtype: Any) -> None:
        from mpi4py import MPI

        self.comm, rows = comm, total + 2
        n_bytes = rows * length * dtype.itemsize
        own = n_bytes + comm.Get_size() if comm.Get_rank() == 0 else 0
        self.handle: Any = MPI.Win.Allocate_shared(own, dtype.itemsize, comm=comm)
        self.handle.Lock_all()
        memory: Any = self.handle.Shared_query(0)[0]
        vectors = np.frombuffer(memory, dtype, rows * length).reshape(rows, length)
        self.slots, self.means = vectors[:total], vectors[total:]
        self.in_use = np.frombuffer(memory, bool, comm.Get_size(), n_bytes)
        self.result: Callable[[], Array | None] = lambda: None

    def meet(self) -> None:
        """Waits for all processes and makes their writes visible to each other."""
        self.handle.Sync()
        self.comm.Barrier()
        self.handle.Sync()


class SharedMean:
    """The mean through shared memory: every process averages a part of the vector.

    The result is a view of shared memory. Before that memory is written again, the processes agree
    that none of them refers to it any more; else they use another row and return copies of it.
    """

    def __init__(self, comm: Any, total: int) -> None:
        """Memory is allocated at the first call for each length and type of vector."""
        self.comm, self.total = comm, total
        self.windows: dict[tuple[int, str], _Window] = {}

    def __call__(self, values: Sequence[Tensor]) -> Tensor:
        """See `Mean`."""
        arrays = [value.numpy() for value in values]
        window = self._window(len(arrays[0]), arrays[0].dtype)
        rank, size = self.comm.Get_rank(), self.comm.Get_size()
        for slot, array in zip(window.slots[rank * len(arrays) :], arrays, strict=False):
            slot[:] = array
        window.in_use[rank] = window.result() is not None
        window.meet()
        must_copy = bool(window.in_use.any())
        mean = window.means[int(must_copy)]
        part = slice(*(len(mean) * i // size for i in (rank, rank + 1)))
        ordered_mean([slot[part] for slot in window.slots], mean[part])
        window.meet()
        if must_copy:
            return torch.from_numpy(mean.copy())
        # A tensor and all of its views keep `mean` alive.
        window.result = weakref.ref(mean)
        return torch.from_numpy(mean)

    def _window(self, length: int, dtype: Any) -> _Window:
        key = length, dtype.str
        if key not in self.windows:
            self.windows[key] = _Window(self.comm, self.total, length, dtype)
        return self.windows[key]


class ExchangedMean:
    """The mean through messages: every process averages a part of the vector and returns it."""

    def __init__(self, comm: Any, total: int) -> None:
        """See `make_mean`."""
        self.comm, self.total = comm, total

    def __call__(self, values: Sequence[Tensor]) -> Tensor:
        """See `Mean`."""
        size, local_workers, length = self.comm.Get_size(), len(values), len(values[0])
        part = math.ceil(length / size)
        # Zeros fill the last part.
        parts = np.zeros((local_workers, size * part), values[0].numpy().dtype)
        for row, value in zip(parts, values, strict=True):
            row[:length] = value.numpy()
        outgoing = np.ascontiguousarray(parts.reshape(local_workers, size, part).swapaxes(0, 1))
        # The order of the ranks is the order of the workers.
        slots = np.empty((self.total, part), parts.dtype)
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
