"""Runs examples/train.py with the probe environment, whose epochs take milliseconds."""

import runpy
import sys
from pathlib import Path

TESTS = Path(__file__).parent
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

import envs
from helpers import POINT_REACH

envs.ENV_IDS = (*envs.ENV_IDS, POINT_REACH)
sys.argv = [str(TESTS.parent / "examples" / "train.py"), "--env", POINT_REACH, *sys.argv[1:]]
runpy.run_path(sys.argv[0], run_name="__main__")
