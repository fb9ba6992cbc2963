"""Shows what is installed, what this machine offers, and how to train on it: `grasp-func info`."""

import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version

import rich_click as click

from grasp_func.cli.arguments import Command
from grasp_func.runtime import comm, launch, machine

PACKAGES = ("torch", "numpy", "gymnasium", "pybullet", "mpi4py")


@click.command(cls=Command, help=__doc__)
def command() -> None:
    """Prints one fact a line."""
    cores, threads = machine.cpus()
    n = machine.useful_processes()
    packages = [f"{name} {_version(name) or 'missing'}" for name in PACKAGES]
    mpirun = launch.find_mpirun()
    compiler = (machine.compiler_version().splitlines() or ["unknown"])[0]
    facts = {
        "grasp_func": f"{_version('grasp_func')}, Python {sys.version.split()[0]}",
        "packages": ", ".join(packages),
        "MPI library": comm.library_version() or "none that mpi4py can load",
        "mpirun": f"{mpirun} ({launch.mpirun_version(mpirun)})" if mpirun else launch.NO_MPIRUN,
        "C++ compiler": f"{compiler}, for compiled updates",
        "CPU": f"{machine.cpu_facts().get('model name', 'unknown')}: "
        f"{cores} core(s), {threads} hardware thread(s)",
        "memory": f"{machine.machine_memory() / 2**30:.1f} GiB",
        **{f"extra {name}": state for name, state in _extras().items()},
        "to train": f"grasp-func train -n {n} --env FlatPJCube-v0",
    }
    if mpirun:
        program = ["grasp-func", "train", "--env", "FlatPJCube-v0"]
        facts["or"] = str(launch.mpirun(n, program))
        facts["16 processes"] = str(launch.mpirun(16, program))
    for name, fact in facts.items():
        print(f"{name + ':':17} {fact}")


def _extras() -> dict[str, str]:
    """Returns for each optional extra whether its packages are installed, or how to install it."""
    missing: dict[str, list[str]] = {}
    for line in requires("grasp_func") or []:
        found = re.match(r"([\w-]+).*extra == ['\"](\w+)", line)
        if found:
            missing.setdefault(found[2], []).extend([] if _version(found[1]) else [found[1]])
    return {
        extra: f'lacks {", ".join(names)}: pip install "grasp_func[{extra}]"'
        if names
        else "installed"
        for extra, names in missing.items()
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
