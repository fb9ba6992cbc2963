"""What this machine offers: CPUs, memory, a compiler. Loads nothing heavy."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

CPU_FACTS = Path("/proc/cpuinfo")
TOPOLOGY = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
MEMORY_LIMIT, CPU_LIMIT = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/cpu.max")


def machine_memory() -> int:
    """Returns the memory of this machine or container in bytes."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    # Outside of a container the file is missing; without a limit it does not hold a number.
    with contextlib.suppress(OSError, ValueError):
        limits.append(int(MEMORY_LIMIT.read_text()))
    return min(limits)


def cpu_facts() -> dict[str, str]:
    """Returns the entries of /proc/cpuinfo for the first CPU; empty on other systems."""
    if not CPU_FACTS.is_file():
        return {}
    lines = CPU_FACTS.read_text().split("\n\n")[0].splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def cpus() -> tuple[int, int]:
    """Returns the numbers of physical cores and of hardware threads that this process may use."""
    threads = os.sched_getaffinity(0)
    try:
        cores = {Path(TOPOLOGY.format(thread)).read_text() for thread in threads}
    except OSError:
        return len(threads), len(threads)
    return len(cores), len(threads)


def useful_processes() -> int:
    """Returns how many processes can compute at once: one per core, within a container's limit."""
    cores, _ = cpus()
    # Without a limit the file holds "max 100000".
    with contextlib.suppress(OSError, ValueError):
        quota, period = map(int, CPU_LIMIT.read_text().split())
        cores = min(cores, quota // period)
    return max(1, cores)


def compiler() -> str:
    """Returns the C++ compiler that PyTorch takes."""
    return os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")


def compiler_version() -> str:
    """Returns what the C++ compiler says of itself, or the error if it cannot be started."""
    command = [compiler(), "--version"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
