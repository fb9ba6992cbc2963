"""The processes of a run: finding each other, acting as one, ending together.

`connect` returns MPI's world or, without MPI, a communicator of one process with the same
interface, so that one process runs the same code as many.
"""

import os
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, TypeVar

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


class SoloComm:
    """The communicator of a single process, which has nothing to exchange."""

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


def connect() -> Comm:
    """Returns MPI's world, or SoloComm where there is no MPI library and no launcher.

    Also sees to it that an exception on one process ends the whole job instead of leaving the
    others waiting.

    Raises:
        RuntimeError: a launcher started several processes that do not find each other.
    """
    os.environ.setdefault("OMPI_MCA_osc", "^ucx")  # it prints an error for each window it declines
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
