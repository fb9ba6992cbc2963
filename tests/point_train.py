"""Runs examples/train.py on the probe environment, whose epochs take milliseconds."""

import runpy
import sys
from pathlib import Path

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

program = str(TESTS.parent / "examples" / "train.py")
sys.argv = [program, "--env", "PointReach-v0", "--import", "helpers", *sys.argv[1:]]
runpy.run_path(program, run_name="__main__")
