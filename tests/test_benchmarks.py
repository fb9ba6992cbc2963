"""Each benchmark of learning runs and prints its table; what it measures is not tested."""

import subprocess
import sys
from pathlib import Path

import pytest

from mpi_jobs import environment, needs_mpirun

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.slow
@needs_mpirun
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("update_speed.py", ["--rounds", "2"], "jax.jit, same mathematics"),
        ("cycle_speed.py", ["--rounds", "1"], "imperative / compiled:"),
        ("reduce_speed.py", ["--rounds", "2", "--processes", "2"], "torch.distributed, Gloo"),
        ("startup.py", ["--rounds", "1"], "compiled, warm"),
        ("scaling.py", ["--cycles", "2"], "predicted, not measured"),
    ],
)
def test_benchmark_runs(name, arguments, expected):
    job = subprocess.run(
        [sys.executable, str(BENCHMARKS / name), *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert job.returncode == 0, job.stderr
    assert expected in job.stdout
