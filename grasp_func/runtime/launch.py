"""Starts several processes with mpirun, with the options that it needs on this machine.

Open MPI counts cores and refuses more processes than that, and the user root, unless it is told
otherwise. MPICH needs no options.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from grasp_func.errors import UserError
from grasp_func.runtime.machine import cpus

# Environment variables in which launchers state the rank of a process.
RANK_VARIABLES = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK")
NO_MPIRUN = 'no mpirun beside this python or on PATH: pip install "grasp_func[mpi]" installs one'


class Command(NamedTuple):
    """A command line, and the environment variables that it needs."""

    variables: dict[str, str]
    words: list[str]

    def __str__(self) -> str:
        """Writes it as it is typed in a shell."""
        return shlex.join(
            [*(f"{name}={value}" for name, value in self.variables.items()), *self.words]
        )

    def replace_process(self) -> NoReturn:
        """Runs the command in place of this process."""
        os.execvpe(self.words[0], self.words, {**os.environ, **self.variables})


def launcher_rank() -> int | None:
    """Returns this process's rank as its launcher says it; None: mpirun did not start it."""
    return next((int(os.environ[name]) for name in RANK_VARIABLES if name in os.environ), None)


def find_mpirun() -> str | None:
    """Returns the path of mpirun: beside this python, as a wheel installs it, else on PATH."""
    folder = Path(sys.executable).parent
    return shutil.which("mpirun", path=folder) or shutil.which("mpirun") or shutil.which("mpiexec")


def mpirun_version(path: str) -> str:
    """Returns what mpirun says of itself, in one line."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    # Open MPI says it on the first line, MPICH on two.
    return " ".join(" ".join(done.stdout.splitlines()[:2]).split())


def mpirun(n: int, program: Sequence[str]) -> Command:
    """Returns the command that starts a program on n processes of this machine.

    Raises:
        UserError: there is no mpirun.
    """
    path = find_mpirun()
    if path is None:
        raise UserError(NO_MPIRUN)
    name = "mpirun" if shutil.which("mpirun") == path else path
    if "Open MPI" not in mpirun_version(path):
        return Command({}, [name, "-n", str(n), *program])
    cores, threads = cpus()
    options = ["--oversubscribe"] if n > threads else ["--use-hwthread-cpus"] if n > cores else []
    names = (
        ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] if os.geteuid() == 0 else []
    )
    variables = {name: "1" for name in names if name not in os.environ}
    return Command(variables, [name, "-n", str(n), *options, *program])
