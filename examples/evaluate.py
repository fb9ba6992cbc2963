"""Measures a trained agent: `python examples/evaluate.py --env FlatPJCube-v0 --ntests 1000`."""

import sys

from grasp_func.cli.main import run_command

if __name__ == "__main__":
    sys.exit(run_command("evaluate"))
