"""Trains an agent: `mpirun -n 16 python examples/train.py --env FlatPJCube-v0`."""

import sys

from grasp_func.cli.main import run_command

if __name__ == "__main__":
    sys.exit(run_command("train"))
