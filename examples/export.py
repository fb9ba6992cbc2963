"""Exports a trained agent: `python examples/export.py --env FlatPJCube-v0 --out exported`."""

import sys

from grasp_func.cli.main import run_command

if __name__ == "__main__":
    sys.exit(run_command("export"))
