"""Runs the command `grasp-func`: `python -m grasp_func train --env FlatPJCube-v0`."""

import sys

from grasp_func.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
