"""The Slurm script with a stand-in for srun: it trains, stops on the signal, and resumes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from command_line import ENV, EXAMPLES, settings, wait_for_epochs

SRUN = '#!/bin/sh\n# without its option --mpi\nshift\nexec "$@"\n'
COMMAND = f'#!/bin/sh\nexec {sys.executable} -m grasp_func "$@"\n'


def submit(cwd):
    for name, text in (("srun", SRUN), ("grasp-func", COMMAND)):
        (cwd / name).write_text(text)
        (cwd / name).chmod(0o755)
    path = {**os.environ, "PATH": f"{cwd}:{os.environ['PATH']}"}
    script = ["bash", str(EXAMPLES / "slurm.sh"), ENV, *settings("epochs=1000")]
    return subprocess.Popen(script, cwd=cwd, env=path, stdout=subprocess.PIPE, text=True)


def test_a_job_stops_before_its_time_is_up_and_the_next_one_resumes(tmp_path):
    stats, done = tmp_path / "saves" / ENV / "stats.json", 0
    for words in ("ONE process", "resumed after epoch"):
        job = submit(tmp_path)
        wait_for_epochs(stats, done + 1, job)
        # Slurm signals the processes that srun started, not the script.
        children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text()
        os.kill(int(children.split()[0]), signal.SIGUSR1)
        out, _ = job.communicate(timeout=120)
        assert job.returncode == 0 and "stopped on request" in out and words in out
        done = len(json.loads(stats.read_text())["epochs"])
    assert len(list((tmp_path / "saves" / ENV / "checkpoints").iterdir())) == 1
