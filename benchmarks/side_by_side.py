"""Times several functions in turns in one process, so that a busy machine slows all of them."""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def one_core() -> None:
    """Binds this process and its future threads to one core; must run before other imports."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def take_turns(functions: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Returns the CPU seconds of each call: a round calls every function once."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(rounds + 3):
        for name, function in functions.items():
            start = time.process_time()
            function()
            # The first rounds warm up.
            if number >= 3:
                seconds[name].append(time.process_time() - start)
    return seconds


def ratio(a: list[float], b: list[float]) -> float:
    """Returns the median over rounds of a / b."""
    return statistics.median(x / y for x, y in zip(a, b, strict=True))


def conditions() -> str:
    """Returns CPU, number of cores and load as one line."""
    facts = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in facts if "model name" in line), "?")
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
