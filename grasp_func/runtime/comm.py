"""The processes of a run: connecting, acting together, ending together.

`connect` returns MPI's world or, without MPI, a communicator of one process with the same
interface. One process therefore runs the same code as many.
"""

import contextlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Protocol, TypeVar

from grasp_func.errors import ConfigError, UserError

T = TypeVar("T")
# Environment variables in which launchers state the number of processes.
SIZE_VARIABLES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE")
AGREEMENT_TAG = 20_250
AGREEMENT_SECONDS = 5.0


class Comm(Protocol):
    """The part of mpi4py's communicators that is used."""

    def Get_rank(self) -> int: ...  # noqa: D102
    def Get_size(self) -> int: ...  # noqa: D102
    def bcast(self, obj: Any, root: int = 0) -> Any: ...  # noqa: D102
    def allgather(self, sendobj: Any) -> list[Any]: ...  # noqa: D102


class SoloComm:
    """The communicator of a single process, which exchanges nothing."""

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
        """Returns a list that holds only the object."""
        return [sendobj]


def on_root(comm: Comm, action: Callable[[], T]) -> T:
    """Runs `action` on rank 0 and returns its result on every rank, which must all call this.

    Raises:
        UserError: on every rank, if `action` raises it. Other exceptions stay on rank 0.
    """
    is_root = comm.Get_rank() == 0
    return comm.bcast(on_each(comm, action if is_root else lambda: None))  # type: ignore[no-any-return]


def on_each(comm: Comm, action: Callable[[], T]) -> T:
    """Runs `action` on every rank and returns each rank's own result; all ranks must call this.

    Raises:
        UserError: on every rank, the first in rank order, if `action` raises one on any. Other
            exceptions stay on the rank where they occur, which must then end the job; see
            `process.user_errors`.
    """
    result: Any = None
    error: UserError | None = None
    try:
        result = action()
    except UserError as caught:
        error = caught
    raised = [error for error in comm.allgather(error) if error is not None]
    if raised:
        raise raised[0]
    return result  # type: ignore[no-any-return]


def all_ranks_say(comm: Any, message: str, seconds: float = AGREEMENT_SECONDS) -> bool:
    """Tells whether every rank calls this with the same message within some seconds.

    Unlike a collective it returns even if another rank waits elsewhere.

    Args:
        comm: MPI communicator, or SoloComm.
        message: to be compared.
        seconds: time to wait for the others.
    """
    waiting = set(range(comm.Get_size())) - {comm.Get_rank()}
    # Requests stay referenced until their messages have left.
    sent = [comm.isend(message, rank, AGREEMENT_TAG) for rank in sorted(waiting)]
    deadline = time.monotonic() + seconds
    while waiting and time.monotonic() < deadline:
        for rank in [rank for rank in waiting if comm.iprobe(rank, AGREEMENT_TAG)]:
            if comm.recv(source=rank, tag=AGREEMENT_TAG) != message:
                return False
            waiting.remove(rank)
        time.sleep(0.01)
    del sent
    return not waiting


def connect() -> Comm:
    """Returns MPI's world, or SoloComm where there is neither an MPI library nor a launcher.

    From then on an uncaught exception on one rank ends all ranks, which would otherwise wait
    forever. `process.user_errors` does the same for SystemExit, which no hook sees.

    Raises:
        ConfigError: a launcher started several processes that do not find each other.
    """
    launched = max((int(os.environ.get(name, 0)) for name in SIZE_VARIABLES), default=0)
    # With the component ucx, Open MPI prints an error for each window that ucx declines.
    os.environ.setdefault("OMPI_MCA_osc", "^ucx")
    try:
        # With the component sm, a single process leaves a file of 16 MB in /dev/shm behind.
        with _environment({"OMPI_MCA_btl": "^sm"} if launched < 2 else {}):
            from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        if launched > 1:
            raise ConfigError(
                f"{launched} processes were launched, but MPI does not load: {error}; install MPI "
                '(pip install "grasp_func[mpi]") or start one process without mpirun'
            ) from error
        return SoloComm()
    world: Comm = MPI.COMM_WORLD
    if launched > world.Get_size():
        raise ConfigError(
            f"{launched} processes were launched, but MPI sees {world.Get_size()}: mpirun and "
            "mpi4py belong to different MPI installations; use the mpirun beside this python"
        )
    if world.Get_size() > 1:
        sys.excepthook = _abort_job
    return world


def library_version() -> str | None:
    """Returns name and version of the MPI library; None: it does not load."""
    import mpi4py

    mpi4py.rc.initialize = False
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError):
        return None
    return MPI.Get_library_version().split(",")[0].split("\n")[0]


def host_names(comm: Comm) -> list[str]:
    """Returns the names of the hosts in use, each once, in rank order."""
    names = comm.allgather(os.uname().nodename)
    return list(dict.fromkeys(names))


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Sets environment variables that are not set, and removes them afterwards."""
    missing = variables.keys() - os.environ.keys()
    os.environ.update({name: variables[name] for name in missing})
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


def _abort_job(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Prints the traceback and makes this process end all ranks when it exits."""
    from mpi4py.run import set_abort_status

    traceback.print_exception(kind, error, trace)
    sys.stderr.flush()
    set_abort_status(1)
